"""Everything at once, on one loop: nothing lost, doubled, changed or out of order, nothing left.

TRAFFIC_TIMES says how much: each of them is ten thousand messages; `make matrix` has a million.
"""

import os
import time

from tests.hazards.scripts import assert_clean, on_loop, run_script
from tests.hazards.traffic.__main__ import HANGS_AFTER_SECONDS

TIMES = int(os.environ.get("TRAFFIC_TIMES", "1"))


def test_traffic_of_all_kinds(loop_name: str) -> None:
    seed = time.time_ns() % 1_000_000
    script = f"""
        from tests.hazards.traffic.__main__ import main
        main(new_loop, {seed}, {TIMES})
    """
    print(script)  # pytest shows it if the test fails
    assert_clean(run_script(on_loop(loop_name, script), timeout=HANGS_AFTER_SECONDS * (TIMES + 2)))
