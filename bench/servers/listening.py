"""How a server and the harness meet: at a port of the kernel's choice, told on standard output."""

import socket
from dataclasses import dataclass

BACKLOG = 1024


@dataclass(frozen=True)
class Listener:
    socket: socket.socket
    port: int  # asked before a loop has the socket: one of them detaches it

    def announce(self) -> None:
        print(f"LISTENING {self.port}", flush=True)


def new_listener() -> Listener:
    listening = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
    # Accepted sockets inherit it: so it holds in every row, whether the server sets it or not.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listening.setblocking(False)
    return Listener(listening, listening.getsockname()[1])
