"""What a loop does, in figures."""
