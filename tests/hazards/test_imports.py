"""A process has one Java, and the modules it was started from, whatever becomes of sys.modules."""

import pytest

from .scripts import assert_clean, run_script

BEGIN = """
import asyncio, importlib, socket, sys, unittest.mock
import rloop

async def serve():
    async def answer(reader, writer):
        writer.write(await reader.read(100))
        writer.close()
    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(b"hello")
        assert await reader.read() == b"hello"
        writer.close()
        await writer.wait_closed()
    loop = asyncio.get_running_loop()
    address = {"local_addr": ("127.0.0.1", 0)}
    transport, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, **address)
    transport.close()
    assert await (await asyncio.create_subprocess_exec("true")).wait() == 0

def run(loop):
    loop.run_until_complete(serve())
    loop.close()

def use(new_loop):
    for debug in (False, True):
        loop = new_loop()
        loop.set_debug(debug)
        loop.slow_callback_duration = 10
        run(loop)

def forget(prefix="rloop"):
    for name in [name for name in sys.modules if name.startswith(prefix)]:
        del sys.modules[name]

patched = unittest.mock.patch.dict(sys.modules)
first = rloop
"""

REPLACED = {
    "a first loop while they are patched": """
        with patched:
            loop = rloop.RLoop()
            loop.run_until_complete(asyncio.sleep(0))
            loop.close()
        use(rloop.RLoop)
        """,
    "connections while they are patched": """
        for _ in range(2):
            with patched:
                use(rloop.RLoop)
            use(rloop.RLoop)
        """,
    "a loop that outlives the patch": """
        with patched:
            loop = rloop.RLoop()
        run(loop)
        use(rloop.RLoop)
        """,
    "imported while they are patched": """
        forget()
        with patched:
            import rloop
            use(rloop.RLoop)
            first = rloop
        assert "rloop" not in sys.modules
        import rloop
        assert rloop is first
        use(rloop.RLoop)
        """,
    "imported anew": """
        use(rloop.RLoop)
        loop = rloop.RLoop()
        forget()
        import rloop
        assert rloop is first and issubclass(rloop.RLoop, type(loop))
        use(rloop.RLoop)
        run(loop)
        """,
    "submodules imported anew": """
        use(rloop.RLoop)
        forget("rloop.")
        use(rloop.RLoop)
        forget("rloop.")
        from rloop.loops.rloop import RLoop
        use(RLoop)
        use(rloop.RLoop)
        """,
    "imported anew before Java": """
        forget()
        import rloop
        assert rloop is not first
        use(rloop.RLoop)
        """,
    "two of them": """
        forget()
        import rloop as second
        use(first.RLoop)
        try:
            second.RLoop()
        except second.JavaStartError as error:
            assert "another import of rloop" in str(error)
        else:
            raise AssertionError
        import rloop
        assert rloop is first
        use(rloop.RLoop)
        """,
    "another dictionary in the place of sys.modules": """
        with unittest.mock.patch("sys.modules", dict(sys.modules)):
            use(rloop.RLoop)
        use(rloop.RLoop)
        with unittest.mock.patch("sys.modules", dict(sys.modules)):
            use(rloop.RLoop)
        """,
    "reloaded": """
        use(rloop.RLoop)
        for name in [name for name in sys.modules if name.startswith("rloop")]:
            if name != "rloop._core":
                importlib.reload(sys.modules[name])
                use(first.RLoop)
                use(rloop.RLoop)
                use(rloop.loops.rloop.RLoop)
        """,
}


@pytest.mark.parametrize("script", REPLACED.values(), ids=REPLACED.keys())
def test_loops_work_after_modules_were_replaced(script: str) -> None:
    lines = "\n".join(line.removeprefix(" " * 8) for line in script.splitlines())
    assert_clean(run_script(BEGIN + lines))
