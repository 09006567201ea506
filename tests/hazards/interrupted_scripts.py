"""What the scripts have in common that are interrupted at each place where that may happen."""

import os
import textwrap

from .scripts import assert_clean, run_script

# INTERRUPTIONS_EVERY=1 tries each place of the long operations as well.
EVERY = os.environ.get("INTERRUPTIONS_EVERY", "7")

# What is freed is overwritten at once.
ENVIRONMENT = {**os.environ, "PYTHONMALLOC": "debug"}

PRELUDE = """
import asyncio, gc, logging, os, signal, socket, sys, tempfile, warnings
from rloop import RLoop
from tests.hazards.interruptions import interrupt

warnings.simplefilter("ignore")
logging.disable()

loop = RLoop()
loop.set_exception_handler(lambda *_: None)

def turn():
    loop.stop()
    loop.run_forever()
"""


def run(*parts: str, argument: str = "") -> None:
    script = "".join(map(textwrap.dedent, parts))
    assert_clean(run_script(script, argument, EVERY, env=ENVIRONMENT, timeout=120))
