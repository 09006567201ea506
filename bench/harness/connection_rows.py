"""The rows about connections: what making one costs, and what holding one does."""

import contextlib
import socket
import ssl
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from harness.contenders import Contender
from harness.failure import CellFailed
from harness.load import Load, run_load
from harness.machine import Cores
from harness.rows import (
    SETTLE_SECONDS,
    WARMUP_TURNS,
    Measurement,
    Sample,
    Window,
    one_by_one,
    side_by_side,
)
from harness.server import KIB, MIB, Server, running

CONCURRENCY = 50
MESSAGE_BYTES = 1024
# A handshake runs much code, each part of it once: a JIT has compiled all after about 20,000.
WARMUP_CONNECTIONS = 25_000
IDLE_CONNECTIONS = 1000
# What is loaded and allocated once, whatever the number of connections, is there after these.
FIRST_CONNECTIONS = 50
HELLO = b"hello"


@dataclass(frozen=True)
class ConnectRow:
    """Each connection serves one request: connect, over TLS a full handshake, echo, close."""

    group: ClassVar[str] = "connect"
    mode: str
    window: Window

    @property
    def label(self) -> str:
        return f"{self.mode} x {CONCURRENCY}"

    def command(self, contender: Contender) -> list[str]:
        return contender.echo_command(self.mode)

    def load(self, warmup: float, duration: float) -> Load:
        return Load(
            "tls" if self.mode == "tls" else "echo",
            MESSAGE_BYTES,
            CONCURRENCY,
            warmup,
            duration,
            reconnect=True,
        )

    def warm_up(self, server: Server, cores: Cores) -> None:
        """In time and in number: a fast loop would have too little time, a slow one too few."""
        turn = self.load(0, self.window.warmup / WARMUP_TURNS)
        until = time.monotonic() + self.window.warmup
        made = 0.0
        while made < WARMUP_CONNECTIONS or time.monotonic() < until:
            made += run_load(server, turn, cores.load)["requests"]

    def measure(self, contenders: Sequence[Contender], cores: Cores) -> Iterator[Measurement]:
        return side_by_side(self, contenders, cores)


@dataclass(frozen=True)
class IdleRow:
    """Memory that open connections take while nothing happens on them."""

    group: ClassVar[str] = "idle"

    @property
    def label(self) -> str:
        return f"tls x {IDLE_CONNECTIONS:,}"

    def measure(self, contenders: Sequence[Contender], cores: Cores) -> Iterator[Measurement]:
        return one_by_one(self.measure_one, contenders, cores)

    def measure_one(self, contender: Contender, cores: Cores) -> Sample:
        with running(contender.echo_command("tls"), cores.server) as server:
            with connected(server, FIRST_CONNECTIONS, tls=True):
                pass
            time.sleep(SETTLE_SECONDS)
            before = server.memory()
            with connected(server, IDLE_CONNECTIONS, tls=True):
                time.sleep(SETTLE_SECONDS)
                server.check_alive()
                during = server.memory()
        return {
            "before_rss": before.resident,
            "during_rss": during.resident,
            "connection_kib": (during.resident - before.resident) * MIB / KIB / IDLE_CONNECTIONS,
        }


@contextlib.contextmanager
def connected(server: Server, count: int, *, tls: bool) -> Iterator[None]:
    """So many connections, each of which was used once: what is made at first use is there."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with contextlib.ExitStack() as stack:
        try:
            for _ in range(count):
                connection = socket.create_connection(("127.0.0.1", int(server.address)))
                stack.callback(connection.close)
                if tls:
                    connection = stack.enter_context(context.wrap_socket(connection))
                connection.sendall(HELLO)
                connection.recv(len(HELLO))
        except OSError as error:
            raise CellFailed(f"{error}\n{server.error_tail()}") from None
        yield
