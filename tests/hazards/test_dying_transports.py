"""A transport may die at any time, and its finaliser need not come to its end."""

from tests.hazards.scripts import assert_clean, on_loop, run_script

COMMON = """
import asyncio, gc, socket, sys, warnings

ROUNDS = 200
warnings.simplefilter("error")  # so a transport that was not closed doesn't end its connection
unraisable = []
sys.unraisablehook = lambda unraised: unraisable.append(unraised.exc_type)

class Silent(asyncio.Protocol):
    def connection_made(self, transport):
        transport.pause_reading()

async def open_pair():
    ours, peer = socket.socketpair()
    peer.settimeout(5)
    transport, _ = await asyncio.get_running_loop().create_connection(Silent, sock=ours)
    return transport, peer
"""


def test_what_a_transport_wrote_last_is_sent_though_it_dies_in_its_finaliser(
    loop_name: str,
) -> None:
    script = """
        async def main():
            for number in range(ROUNDS):
                transport, peer = await open_pair()
                await asyncio.sleep(0)
                transport.write(b"last words")
                del transport
                rubbish = [bytearray(200) for _ in range(100)]
                for _ in range(3):
                    await asyncio.sleep(0)
                assert peer.recv(100) == b"last words"
                peer.close()

        new_loop().run_until_complete(main())
        gc.collect()
        assert set(unraisable) <= {ResourceWarning}, unraisable
    """
    assert_clean(run_script(on_loop(loop_name, COMMON, script)))
