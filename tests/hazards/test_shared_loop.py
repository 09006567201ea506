"""Three threads use one loop at once, while Python's and Java's collectors run.

MISUSE_SECONDS says for how long; `make matrix` takes a minute.
"""

import os
import time

import pytest

from tests.conformance.loops import SETTINGS
from tests.hazards.scripts import assert_clean, run_script

SECONDS = float(os.environ.get("MISUSE_SECONDS", "6"))


@pytest.mark.parametrize(
    ("loop", "environment"),
    [
        ("RLoop", {"RLOOP_POLLER": "epoll"}),
        ("RLoop", {"RLOOP_POLLER": "poll", "RLOOP_JAVA_HEAP": "24m"}),
        ("TokioLoop", {}),
        ("TokioLoop", SETTINGS["lent3"]),
    ],
    ids=["epoll", "poll-small-heap", "tokio", "lent3"],
)
def test_threads_that_share_a_loop_do_not_end_the_process(
    loop: str, environment: dict[str, str]
) -> None:
    seed = time.time_ns()
    script = f"""
        from tests.hazards.sharing.__main__ import main
        main({seed}, {SECONDS}, "{loop}")
    """
    print(script)  # pytest shows it if the test fails
    assert_clean(run_script(script, timeout=SECONDS + 120, env={**os.environ, **environment}))
