"""An exception on the way out of a method, as a signal handler raises it, breaks nothing.

Each script interrupts a method at each place where that may happen, and then has the loop go on,
with the memory of what was freed overwritten: Java must not point to it.
"""

import pytest

from .interrupted_scripts import PRELUDE, run

WATCHING = """
called = []
(self_pipe,) = loop._watchers
ours, peer = socket.socketpair()
ours.setblocking(False)
peer.send(b"x")

def check(interruption):
    turn()
    loop.remove_reader(ours)
    loop.remove_writer(ours)
    assert loop._watchers.keys() == {self_pipe}, interruption.place
    called.clear()
    turn()
    assert called == [], interruption.place
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
    assert interrupt(add, check) > 4
    assert interrupt(replace, check) > 8
    """
    run(PRELUDE, WATCHING, script)


@pytest.mark.parametrize("way", ["reader", "writer"])
def test_an_interrupted_removal_has_happened_or_not(way: str) -> None:
    script = f"""
    def remove():
        loop.remove_{way}(ours)

    def check_and_add(interruption):
        check(interruption)
        loop.add_{way}(ours, called.append, 1)

    loop.add_{way}(ours, called.append, 1)
    assert interrupt(remove, check_and_add) > 4
    """
    run(PRELUDE, WATCHING, script)


def test_an_interrupted_call_in_debug_mode_is_not_scheduled() -> None:
    """Java calls Python there, to note where the handle was made."""
    script = """
    called = []

    def schedule():
        loop.call_soon(called.append, 1)
        loop.call_later(0, called.append, 2)
        loop.call_at(0, called.append, 3)
        loop.call_soon_threadsafe(called.append, 4)

    def check(interruption):
        turn()
        turn()
        assert interruption.has_come == (len(called) < 4), interruption.place
        called.clear()
        assert sys.getrefcount(loop) == references, interruption.place

    loop.set_debug(True)
    schedule()
    turn()
    turn()
    called.clear()
    references = sys.getrefcount(loop)
    assert interrupt(schedule, check) > 10
    """
    run(PRELUDE, script)


def test_an_interrupted_loop_leaves_no_descriptors() -> None:
    script = """
    def make_and_close():
        RLoop().close()

    def descriptors():
        gc.collect()
        return sorted(os.listdir("/proc/self/fd"))

    def check(interruption):
        assert len(descriptors()) == before, interruption.place

    make_and_close()
    before = len(descriptors())
    assert interrupt(make_and_close, check) > 30
    """
    run(PRELUDE, script)


def test_an_interrupted_run_leaves_the_signals_wakeup_alone() -> None:
    script = """
    def check(interruption):
        assert signal.set_wakeup_fd(-1) == -1, interruption.place
        turn()

    assert interrupt(turn, check) > 5
    """
    run(PRELUDE, script)


def test_a_transport_whose_finaliser_fails_is_forgotten() -> None:
    """Its warning, here an error, keeps it from ending its connection."""
    script = """
    import weakref

    class Pausing(asyncio.Protocol):
        def connection_made(self, transport):
            self.transport = weakref.ref(transport)

        def data_received(self, data):
            self.transport().pause_reading()

    async def drop_transports():
        for _ in range(100):
            ours, peer = socket.socketpair()
            ours.setblocking(False)
            await loop.create_connection(Pausing, sock=ours)
            peer.send(b"x")
            await asyncio.sleep(0.001)
            peer.close()

    failures = []
    sys.unraisablehook = lambda failure: failures.append(failure.exc_type)
    warnings.simplefilter("error")
    loop.run_until_complete(drop_transports())
    assert failures.count(ResourceWarning) >= 100
    """
    run(PRELUDE, script)


@pytest.mark.parametrize("after", [0.002, 0.01, 0.03, 0.06, 0.1])
def test_an_interrupted_start_of_java_can_be_repeated(after: float) -> None:
    """What a signal handler raises comes out when Java runs, or before it is started."""
    script = f"""
    import asyncio, signal
    from rloop import RLoop

    class Interruption(BaseException):  # which nobody takes for a file that can't be read
        pass

    def interrupt(*_):
        raise Interruption

    signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, {after})
    try:
        RLoop().close()
        signal.pause()
    except Interruption:
        pass
    loop = RLoop()
    assert loop.run_until_complete(asyncio.sleep(0, "result")) == "result"
    loop.close()
    assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == set()
    """
    run(script)
