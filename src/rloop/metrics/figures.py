"""What ``loop.metrics()`` returns: a loop's figures at one moment.

Times are in seconds. What counts, counts since the loop was made and never falls; what says how
many there are says so of the moment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, is_dataclass
from struct import unpack
from typing import Any

_SECONDS = 1e-9  # in a nanosecond
_BYTES_A_FIGURE = 8

# Of several workers the greatest tells, and not the sum.
_GREATEST = {"time", "largest_batch", "longest_callback"}


@dataclass(frozen=True, slots=True)
class IoMetrics:
    """What was asked of the kernel by the loop, or by one of its I/O threads."""

    polls: int
    """How often the poller was asked for events, without or with a wait."""

    receive_calls: int
    """System calls that received, or tried to."""

    bytes_received: int
    """As they came: with TLS, of ciphertext."""

    send_calls: int
    """System calls that sent, or tried to."""

    bytes_sent: int
    """As they went: with TLS, of ciphertext."""


@dataclass(frozen=True, slots=True)
class IoThreadMetrics(IoMetrics):
    """What an I/O thread has done."""

    busy_time: float
    """Seconds that it has worked; for the rest it was idle."""


@dataclass(frozen=True, slots=True)
class TransportMetrics:
    """Transports of one kind."""

    open: int
    """How many there are now; one that is closed is none, though it may still send."""

    opened: int
    """How many there have been."""


@dataclass(frozen=True, slots=True)
class LoopMetrics:
    """A loop's figures at one moment.

    I/O is that of transports and of the loop's ``sock_…`` methods. What the standard library's own
    transports do, over objects that aren't quite sockets or pipes, is not in it.
    """

    time: float
    """The moment, in seconds on the clock of ``time.monotonic``."""

    iterations: int
    """How often the loop has gone round."""

    callbacks: int
    """Calls that have run, in all iterations that are over: of callbacks and of tasks' steps."""

    ready_queue_depth: int
    """Calls that are ready now, and have not started."""

    largest_batch: int
    """The most calls that one iteration has had."""

    longest_callback: float
    """The longest time that a call has taken, in seconds, of what is known of it.

    The clock is read once an iteration: so it is the longest iteration's, what it received
    included, and of a callback that blocks the loop that callback's. One that runs now counts.
    """

    timers: int
    """Timers that wait: of ``call_later``, ``call_at``, and of all that sleeps."""

    watched_fds: int
    """Descriptors that the poller watches, the loop's own one for signals among them."""

    busy_time: float
    """Seconds that the loop has run and not waited.

    That is its own work, the callbacks', and what both wait for, such as the GIL or the processor.
    """

    idle_time: float
    """Seconds that the loop has waited for events and timers."""

    threadsafe_calls: int
    """Calls of ``call_soon_threadsafe``."""

    wakeups: int
    """How often another thread has had to end the loop's wait; the other calls cost no more."""

    accepted_connections: int
    """Connections that servers have accepted."""

    stream_transports: TransportMetrics
    """Of connected sockets, those with TLS among them."""

    datagram_transports: TransportMetrics
    """Of datagram sockets."""

    pipe_transports: TransportMetrics
    """Of ends of pipes."""

    tls_transports: TransportMetrics
    """Of those stream transports that use TLS, while they do.

    Where the standard library's code does TLS (``RLOOP_TLS=stdlib``, TLS within TLS) they count as
    stream transports alone.
    """

    loop_io: IoMetrics
    """I/O of the thread that runs the loop."""

    io_threads: tuple[IoThreadMetrics, ...]
    """I/O of each I/O thread, which a ``TokioLoop`` has."""

    workers: tuple[LoopMetrics, ...] = ()
    """The same of each worker, where there are several.

    The loop's own figures are their sums then, times too; largest and longest are the greatest.
    """

    @property
    def bytes_received(self) -> int:
        """Of all threads."""
        return self.loop_io.bytes_received + sum(io.bytes_received for io in self.io_threads)

    @property
    def bytes_sent(self) -> int:
        """Of all threads."""
        return self.loop_io.bytes_sent + sum(io.bytes_sent for io in self.io_threads)

    @property
    def receive_calls(self) -> int:
        """Of all threads."""
        return self.loop_io.receive_calls + sum(io.receive_calls for io in self.io_threads)

    @property
    def send_calls(self) -> int:
        """Of all threads."""
        return self.loop_io.send_calls + sum(io.send_calls for io in self.io_threads)

    @property
    def polls(self) -> int:
        """Of all threads."""
        return self.loop_io.polls + sum(io.polls for io in self.io_threads)

    def utilization(self, since: LoopMetrics | None = None) -> float:
        """The share of its running time in which the loop was busy, from 0 to 1.

        Of several workers it is the mean.

        That is since ``since``, earlier figures of the same loop, or since the loop was made. While
        it didn't run it was neither busy nor idle; if that was all the time it is 0.
        """
        busy, idle = self.busy_time, self.idle_time
        if since is not None:
            busy, idle = busy - since.busy_time, idle - since.idle_time
        return busy / (busy + idle) if busy + idle > 0 else 0.0


def total(workers: Sequence[LoopMetrics]) -> LoopMetrics:
    """The figures of a loop, of those of its workers."""
    if len(workers) == 1:
        return workers[0]
    values: dict[str, Any] = {"workers": tuple(workers)}
    for field in fields(LoopMetrics):
        if field.name not in values:
            values[field.name] = _add(field.name, [getattr(each, field.name) for each in workers])
    return LoopMetrics(**values)


def _add(name: str, values: list[Any]) -> Any:
    first = values[0]
    if name in _GREATEST:
        return max(values)
    if isinstance(first, tuple):
        return tuple(one for each in values for one in each)
    if not is_dataclass(first):
        return sum(values)
    parts = {part.name: [getattr(value, part.name) for value in values] for part in fields(first)}
    return type(first)(**{part: sum(found) for part, found in parts.items()})  # type: ignore[misc]


def read(figures: bytes, io_threads: int) -> LoopMetrics:
    """Makes metrics of what Java's ``rloop.loop.Figures`` has written."""
    values = iter(unpack(f"={len(figures) // _BYTES_A_FIGURE}q", figures))

    def count() -> int:
        return int(next(values))

    def seconds() -> float:
        return count() * _SECONDS

    def transports() -> TransportMetrics:
        return TransportMetrics(open=count(), opened=count())

    def io() -> IoMetrics:
        return IoMetrics(
            polls=count(),
            receive_calls=count(),
            bytes_received=count(),
            send_calls=count(),
            bytes_sent=count(),
        )

    def io_thread() -> IoThreadMetrics:
        return IoThreadMetrics(
            polls=count(),
            receive_calls=count(),
            bytes_received=count(),
            send_calls=count(),
            bytes_sent=count(),
            busy_time=seconds(),
        )

    moment, iterations, callbacks = seconds(), count(), count()
    ready, largest_batch, longest = count(), count(), seconds()
    timers, watched, ran, idle = count(), count(), count(), count()
    threadsafe_calls, wakeups = count(), count()
    streams, datagrams, pipes, tls = transports(), transports(), transports(), transports()
    return LoopMetrics(
        time=moment,
        iterations=iterations,
        callbacks=callbacks,
        ready_queue_depth=ready,
        largest_batch=largest_batch,
        longest_callback=longest,
        timers=timers,
        watched_fds=watched,
        busy_time=(ran - idle) * _SECONDS,
        idle_time=idle * _SECONDS,
        threadsafe_calls=threadsafe_calls,
        wakeups=wakeups,
        stream_transports=streams,
        datagram_transports=datagrams,
        pipe_transports=pipes,
        tls_transports=tls,
        accepted_connections=count(),
        loop_io=io(),
        io_threads=tuple(io_thread() for _ in range(io_threads)),
    )
