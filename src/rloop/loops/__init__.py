"""The event loops, and the parts that they are made of."""
