"""Programs that use real libraries on several workers; every answer is held against what was asked.

A program serves, on a ``TokioLoop`` whose settings the environment gives; clients in a process of
their own (``load``) ask for a digest of what they send, and the server's handlers get it from the
library. ``python -m tests.hazards.libraries databases.asyncpg_pool 60`` runs one for a minute.
"""
