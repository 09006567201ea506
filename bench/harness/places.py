"""Where things are, and where they go."""

from pathlib import Path

BENCH = Path(__file__).resolve().parent.parent
CHECKOUT = BENCH.parent
BUILD = CHECKOUT / "build" / "bench"
