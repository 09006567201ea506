"""The AOT cache that rloop makes at its first start: here in a folder of its own, and waited for.

A benchmark wants every start to be like a user's second one, and no training beside a measurement.
"""

import os
import time

from harness.places import BUILD

FOLDER = BUILD / "aot-cache"
TRAINING_SECONDS = 60.0
CHECK_SECONDS = 0.05

WITHOUT = {"RLOOP_AOT": "off"}


def use_own_folder() -> None:
    os.environ["RLOOP_CACHE_DIR"] = str(FOLDER)


def wait_until_trained() -> bool:
    """To be called after a first start, which leaves a claim in the folder until it is done."""
    deadline = time.monotonic() + TRAINING_SECONDS
    while any(FOLDER.glob("*.claim")):
        if time.monotonic() > deadline:
            return False
        time.sleep(CHECK_SECONDS)
    return any(FOLDER.glob("*.aot"))
