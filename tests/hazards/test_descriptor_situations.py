"""Not a byte to the wrong connection, whatever becomes of descriptors: see the generator.

asyncio does not take part: its selector raises FileNotFoundError where a number is another file's.
"""

import os
from pathlib import Path

import pytest

from tests.hazards.scripts import assert_clean, run_script

STEPS = 1000
SEEDS = range(int(os.environ.get("RLOOP_TEST_SEEDS", "2")))
ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("loop", ["RLoop", "TokioLoop"])
@pytest.mark.parametrize("poller", ["epoll", "poll"])
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("situations", ["descriptor_situations", "passed_on"])
def test_a_thousand_mixed_situations(situations: str, seed: int, poller: str, loop: str) -> None:
    assert_clean(
        run_script(
            "import runpy, sys\n"
            "sys.argv[0] = ''\n"
            "runpy.run_module('tests.hazards.' + sys.argv.pop(1), run_name='__main__')",
            situations,
            str(seed),
            str(STEPS),
            loop,
            env={**os.environ, "RLOOP_POLLER": poller, "RLOOP_LEND": "always"},
            python_options=["-W", "ignore::ResourceWarning"],
            cwd=ROOT,
        )
    )
