"""The AOT cache makes itself, and nothing that happens to it harms a program.

Every test has a cache folder of its own. A cache takes seconds to make, so one is made for all
and copied.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hazards.scripts import assert_clean, run_script

pytestmark = pytest.mark.skipif(
    os.environ.get("RLOOP_AOT") == "off", reason="the AOT cache is switched off (RLOOP_AOT)"
)

MADE_WITHIN_SECONDS = 60

RUN = """
    import asyncio, rloop
    asyncio.run(asyncio.sleep(0), **{"loop_factory": rloop.RLoop}) if False else None
    with asyncio.Runner(loop_factory=rloop.RLoop) as runner:
        runner.run(asyncio.sleep(0))
    print("ran")
"""
