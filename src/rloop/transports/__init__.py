"""What ``create_connection`` and its siblings give to a protocol: the Python half.

Only ``loop`` says what a transport needs of its loop; nothing here imports one.
"""
