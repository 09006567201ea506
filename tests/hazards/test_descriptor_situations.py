"""Not a byte to the wrong connection, whatever becomes of descriptors: see the generator.

asyncio does not take part: its selector raises FileNotFoundError where a number is another file's.
"""

import os
from pathlib import Path

import pytest

from tests.hazards.scripts import assert_clean, run_script

STEPS = 1000
SEEDS = range(int(os.environ.get("RLOOP_TEST_SEEDS", "3")))
ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("poller", ["epoll", "poll"])
@pytest.mark.parametrize("seed", SEEDS)
def test_a_thousand_mixed_situations(seed: int, poller: str) -> None:
    assert_clean(
        run_script(
            "import sys; from tests.hazards.descriptor_situations import main\n"
            "main(int(sys.argv[1]), int(sys.argv[2]))",
            str(seed),
            str(STEPS),
            env={**os.environ, "RLOOP_POLLER": poller},
            python_options=["-W", "ignore::ResourceWarning"],
            cwd=ROOT,
        )
    )
