"""An exception on the way out of a method, as a signal handler raises it, breaks nothing.

Each script interrupts a method at each of its bytecodes, then overwrites the memory of what was
freed, and has the loop go on.
"""

import textwrap

import pytest

from .scripts import assert_clean, run_script

PRELUDE = """
import asyncio, gc, socket
from rloop import RLoop
from tests.hazards.interruptions import interrupt

loop = RLoop()

def turn():
    loop.stop()
    loop.run_forever()

def overwrite_freed_memory():
    return [(number,) * 5 for number in range(200)]

called = []
(self_pipe,) = loop._watchers
ours, peer = socket.socketpair()
ours.setblocking(False)
peer.setblocking(False)
"""

WATCHING = """
def check(interruption):
    junk = overwrite_freed_memory()
    turn()
    loop.remove_reader(ours)
    loop.remove_writer(ours)
    assert loop._watchers.keys() == {self_pipe}, interruption.place
    called.clear()
    turn()
    assert called == [], interruption.place

peer.send(b"x")
"""


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize("way", ["reader", "writer"])
def test_an_interrupted_watch_is_whole_or_not_there(way: str, debug: bool) -> None:
    script = f"""
    def add():
        loop.add_{way}(ours, called.append, 1)

    def replace():
        add()
        loop.add_{way}(ours, called.append, 2)

    loop.set_debug({debug})
    assert interrupt(add, check) > 10
    assert interrupt(replace, check) > 20
    """
    assert_clean(run_script(PRELUDE + WATCHING + textwrap.dedent(script)))


@pytest.mark.parametrize("way", ["reader", "writer"])
def test_an_interrupted_removal_has_happened_or_not(way: str) -> None:
    script = f"""
    def remove():
        loop.remove_{way}(ours)

    def check_and_add(interruption):
        check(interruption)
        loop.add_{way}(ours, called.append, 1)

    loop.add_{way}(ours, called.append, 1)
    assert interrupt(remove, check_and_add) > 5
    """
    assert_clean(run_script(PRELUDE + WATCHING + textwrap.dedent(script)))
