"""What a ``TokioLoop`` with several workers needs: their threads, placed tasks, guards."""
