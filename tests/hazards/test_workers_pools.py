"""Pools of client connections that tasks of all workers share: tests/hazards/worker_pools.py.

WORKER_POOLS_REQUESTS says how many requests each test makes.
"""

import os

import pytest

from tests.hazards.scripts import assert_clean, run_script
from tests.unit.workers import needs_free_threading

pytestmark = needs_free_threading

REQUESTS = int(os.environ.get("WORKER_POOLS_REQUESTS", "4000"))
REQUESTS_A_SECOND = 100  # of a machine that is busy with other things


@pytest.mark.parametrize("workers", [2, 4])
@pytest.mark.parametrize("kind", ["protocol", "buffered", "streams", "shared"])
@pytest.mark.parametrize("security", ["plain", "tls"])
def test_a_pool_that_all_workers_share(kind: str, security: str, workers: int) -> None:
    script = f"""
        from tests.hazards.worker_pools import main
        main({kind!r}, {REQUESTS}, {workers}, tls={security == "tls"})
    """
    result = run_script(script, timeout=60 + REQUESTS / REQUESTS_A_SECOND)
    assert_clean(result)
