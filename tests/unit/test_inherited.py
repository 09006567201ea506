"""What the standard library's loop brings along, and what of it is set once at start."""

import asyncio
import socket
import subprocess
import sys

from tests.conftest import Loop, LoopFactory
from tests.unit.connections import turns


async def test_a_subprocess_is_run(loop: Loop) -> None:
    program = "import sys; print(sys.stdin.read().upper()); sys.exit(3)"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    output, _ = await process.communicate(b"shout")
    assert output == b"SHOUT\n"
    assert process.returncode == 3


async def test_a_shell_command_is_run(loop: Loop) -> None:
    process = await asyncio.create_subprocess_shell("echo out; exit 4", stdout=subprocess.PIPE)
    output, _ = await process.communicate()
    assert (output, process.returncode) == (b"out\n", 4)


async def test_a_subprocess_is_killed(loop: Loop) -> None:
    process = await asyncio.create_subprocess_exec("sleep", "60")
    process.kill()
    assert await process.wait() == -9


async def test_transports_tell_whether_they_are_watched(loop: Loop) -> None:
    datagrams, _ = await loop.create_datagram_endpoint(
        asyncio.DatagramProtocol, local_addr=("127.0.0.1", 0)
    )
    await turns()
    assert "read=polling" in repr(datagrams)
    assert "write=<idle, " in repr(datagrams)
    datagrams.close()
    ours, peer = socket.socketpair()
    pipe, _ = await loop.connect_read_pipe(asyncio.Protocol, ours.makefile("rb", buffering=0))
    await turns()
    assert repr(pipe).endswith(" polling>")
    pipe.pause_reading()
    assert repr(pipe).endswith(" idle>")
    pipe.close()
    await turns()
    ours.close()
    peer.close()


def test_a_subclass_has_its_own_futures_and_debug_mode(loop_factory: LoopFactory) -> None:
    class Future(asyncio.Future[None]):
        pass

    class Special(loop_factory):  # type: ignore[misc, valid-type]
        def create_future(self) -> Future:
            return Future(loop=self)

        def get_debug(self) -> bool:
            return False

    loop = Special()
    loop.set_debug(True)
    assert type(loop.create_future()) is Future
    assert not loop.get_debug()
    loop.close()


def test_the_debug_mode_is_as_it_was_set(loop: Loop) -> None:
    assert loop.get_debug() is False
    for enabled in (True, False):
        loop.set_debug(enabled)
        assert loop.get_debug() is enabled


def test_a_closed_loop_still_makes_futures(loop_factory: LoopFactory) -> None:
    loop = loop_factory()
    loop.close()
    assert loop.create_future().get_loop() is loop
