"""asyncio's primitives, used by tasks of several workers at once, as hard as they can.

PRIMITIVE_OPERATIONS says how often; `make matrix` does it a million times. Where Python has a GIL
there is one worker.
"""

import os
import sysconfig

import pytest

from tests.hazards.primitives import NAMES
from tests.hazards.scripts import assert_clean, run_script

OPERATIONS = int(os.environ.get("PRIMITIVE_OPERATIONS", "2000"))
SECONDS = 60 + OPERATIONS // 500

# How long asyncio's own may be right: on a busy machine no two workers may run at once for a while.
LUCKY_SECONDS = 60
STUCK_SECONDS = 30


@pytest.mark.parametrize("workers", [2, 4])
@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_lost_doubled_or_wrong(name: str, workers: int) -> None:
    source = f"""
        from tests.hazards.primitives.__main__ import main
        main("{name}", {workers}, {OPERATIONS}, {SECONDS})
    """
    assert_clean(run_script(source, timeout=SECONDS + 30))


@pytest.mark.skipif(
    not sysconfig.get_config_var("Py_GIL_DISABLED"), reason="one worker: asyncio's own do"
)
@pytest.mark.parametrize("name", ["lock", "lifo_queue", "semaphore", "drain", "timeout"])
def test_the_same_fails_with_what_asyncio_has(name: str) -> None:
    source = f"""
        from tests.hazards.primitives.__main__ import main_without_guards
        main_without_guards("{name}", {OPERATIONS}, {LUCKY_SECONDS}, {STUCK_SECONDS})
    """
    timeout = LUCKY_SECONDS + STUCK_SECONDS + 30
    assert run_script(source, timeout=timeout).returncode != 0
