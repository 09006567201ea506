"""An asyncio event loop with a Java core."""

__version__ = "0.1.0"
