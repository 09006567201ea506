"""How a server and the harness meet: at an address told on standard output."""

import socket
import tempfile
from dataclasses import dataclass
from pathlib import Path

BACKLOG = 1024


@dataclass(frozen=True)
class Listener:
    socket: socket.socket
    address: str  # a port or a path; asked before a loop has the socket: one of them detaches it

    def announce(self) -> None:
        announce(self)


def announce(*listeners: Listener) -> None:
    print("LISTENING", *(listener.address for listener in listeners), flush=True)


def new_listener() -> Listener:
    listening = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
    # Accepted sockets inherit it: so it holds in every row, whether the server sets it or not.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listening.setblocking(False)
    return Listener(listening, str(listening.getsockname()[1]))


def new_unix_listener() -> Listener:
    path = Path(tempfile.mkdtemp(prefix="rloop-bench-")) / "socket"
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listening.bind(str(path))
    listening.listen(BACKLOG)
    listening.setblocking(False)
    return Listener(listening, str(path))


def new_datagram_socket() -> Listener:
    """Not a listener, but it meets the harness in the same way."""
    bound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    bound.bind(("127.0.0.1", 0))
    bound.setblocking(False)
    return Listener(bound, str(bound.getsockname()[1]))
