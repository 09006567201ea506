"""Debuggers, profilers and coverage see user code under the loop as they see it under asyncio."""

import pytest

from tests.hazards.scripts import assert_clean, on_loop, run_script

# A program that goes through each kind of callback once.
PROGRAM = """
    import asyncio, cProfile, pstats, socket, sys, threading

    def soon():
        total = 0
        for number in range(3):
            total += number
        return total

    def timer():
        return "timer"

    def failing():
        raise LookupError

    def reader(sock):
        sock.recv(100)

    class Echo(asyncio.Protocol):
        def connection_made(self, transport):
            self.transport = transport
        def data_received(self, data):
            self.transport.write(data)
            self.transport.close()
        def connection_lost(self, exc):
            self.transport = None

    async def coroutine():
        await asyncio.sleep(0)
        return "coroutine"

    async def main():
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda loop, context: None)
        ours, peer = socket.socketpair()
        watched, sender = socket.socketpair()
        sender.send(b"x")
        loop.add_reader(watched, reader, watched)
        loop.call_soon(soon)
        loop.call_later(0, timer)
        loop.call_soon(failing)
        await loop.create_connection(Echo, sock=ours)
        peer.send(b"x")
        await coroutine()
        await asyncio.sleep(0.01)
        loop.remove_reader(watched)
        for sock in (peer, watched, sender):
            sock.close()

    def run():
        loop = new_loop()
        loop.run_until_complete(main())
        loop.close()

    EXPECTED = {"soon", "timer", "failing", "reader", "connection_made", "data_received",
                "connection_lost", "coroutine", "main"}
"""

TOOLS = {
    "settrace": """
        calls, lines = [], []

        def tracer(frame, event, argument):
            if frame.f_code.co_filename == "<string>":
                (calls if event == "call" else lines).append(frame.f_code.co_name)
                return tracer

        sys.settrace(tracer)
        run()
        sys.settrace(None)
        assert EXPECTED <= set(calls), EXPECTED - set(calls)
        assert lines.count("soon") >= 9, lines
    """,
    "setprofile": """
        events = []

        def profiler(frame, event, argument):
            if frame.f_code.co_filename == "<string>":
                events.append((event, frame.f_code.co_name))

        sys.setprofile(profiler)
        run()
        sys.setprofile(None)
        for name in EXPECTED:
            called, returned = events.count(("call", name)), events.count(("return", name))
            assert called == returned > 0, name
    """,
    "settrace in a callback": """
        seen = []

        def tracer(frame, event, argument):
            seen.append((event, frame.f_code.co_name))
            return tracer

        loop = new_loop()
        loop.call_soon(sys.settrace, tracer)
        loop.call_soon(soon)
        loop.call_soon(sys.settrace, None)
        loop.call_soon(timer)
        loop.call_later(0.01, loop.stop)
        loop.run_forever()
        loop.close()
        assert ("call", "soon") in seen, seen
        assert ("return", "soon") in seen, seen
        assert ("call", "timer") not in seen, seen
    """,
    "cProfile": """
        profile = cProfile.Profile()
        profile.runcall(run)
        names = {function for _, _, function in pstats.Stats(profile).stats}
        assert EXPECTED <= names, EXPECTED - names
    """,
    "sys.monitoring": """
        monitoring = sys.monitoring
        names = set()
        monitoring.use_tool_id(monitoring.PROFILER_ID, "test")
        monitoring.register_callback(
            monitoring.PROFILER_ID,
            monitoring.events.PY_START,
            lambda code, offset: names.add(code.co_name),
        )
        monitoring.set_events(monitoring.PROFILER_ID, monitoring.events.PY_START)
        run()
        monitoring.set_events(monitoring.PROFILER_ID, 0)
        assert EXPECTED <= names, EXPECTED - names
    """,
    "a stack dump from another thread": """
        started, finish = threading.Event(), threading.Event()

        def busy_callback():
            started.set()
            finish.wait()

        loop = new_loop()
        loop.call_soon(busy_callback)
        loop.call_later(0, loop.stop)
        ident = threading.get_ident()
        names = []

        def look():
            started.wait()
            frame = sys._current_frames()[ident]
            while frame:
                names.append(frame.f_code.co_name)
                frame = frame.f_back
            finish.set()

        thread = threading.Thread(target=look)
        thread.start()
        loop.run_forever()
        thread.join()
        loop.close()
        assert "busy_callback" in names, names
        assert "run_forever" in names, names
    """,
}


@pytest.mark.parametrize("tool", TOOLS)
def test_user_code_is_seen_by(loop_name: str, tool: str) -> None:
    if tool == "sys.monitoring":
        script = "import sys\nif sys.version_info < (3, 12): sys.exit()\n"
    else:
        script = ""
    assert_clean(run_script(on_loop(loop_name, script, PROGRAM, TOOLS[tool])))


def test_a_tracer_that_raises_leaves_the_loop_usable(loop_name: str) -> None:
    script = """
        def tracer(frame, event, argument):
            raise ZeroDivisionError

        loop = new_loop()
        loop.set_exception_handler(lambda loop, context: None)
        loop.call_soon(sys.settrace, tracer)
        loop.call_soon(soon)
        loop.call_later(0.01, loop.stop)
        try:
            loop.run_forever()
        except ZeroDivisionError:
            pass  # raised in a frame of the loop itself, not of a callback
        sys.settrace(None)
        assert loop.run_until_complete(coroutine()) == "coroutine"
        loop.close()
    """
    assert_clean(run_script(on_loop(loop_name, PROGRAM, script)))
