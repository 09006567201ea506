"""What metrics, monitors and recordings tell of several workers."""

import asyncio
import time
from functools import partial

import rloop
from rloop.workers.crew import Worker
from tests.unit.workers import needs_free_threading

pytestmark = needs_free_threading

WORKERS = 3


async def on_each(loop: rloop.TokioLoop, function: object) -> None:
    crew = loop._crew
    assert crew is not None
    done = [(worker, loop.create_future()) for worker in crew.workers]

    def run(_: Worker, future: "asyncio.Future[None]") -> None:
        function()  # type: ignore[operator]
        future.set_result(None)

    for worker, future in done:
        worker.call_soon(run, worker, future)
    for _, future in done:
        await future


def test_figures_are_those_of_all_workers() -> None:
    loop = rloop.TokioLoop(workers=WORKERS)
    before = loop.metrics()
    loop.run_until_complete(on_each(loop, partial(time.sleep, 0.05)))
    after = loop.metrics()
    loop.close()
    assert len(after.workers) == WORKERS
    assert after.callbacks == sum(each.callbacks for each in after.workers)
    assert after.loop_io.polls == sum(each.loop_io.polls for each in after.workers)
    assert after.longest_callback == max(each.longest_callback for each in after.workers)
    for each, earlier in zip(after.workers, before.workers, strict=True):
        assert each.busy_time - earlier.busy_time >= 0.05
    assert after.busy_time - before.busy_time >= 0.05 * WORKERS
    assert 0 < after.utilization(since=before) <= 1


def test_an_rloop_has_no_workers() -> None:
    loop = rloop.RLoop()
    assert loop.metrics().workers == ()
    loop.close()


def test_a_monitor_watches_all_workers() -> None:
    slow: list[float] = []
    loop = rloop.TokioLoop(workers=WORKERS)
    with rloop.monitor(loop, threshold=0.04, on_slow=lambda call: slow.append(call.duration)) as m:
        loop.run_until_complete(on_each(loop, partial(time.sleep, 0.05)))
        durations = m.callback_duration
        assert durations.max >= 0.05
        assert sum(n for bound, n in durations.buckets if bound >= 0.05) == WORKERS
        assert durations.count == sum(n for _, n in durations.buckets)
        m.reset()
        assert m.callback_duration.count == 0
        loop.run_until_complete(asyncio.sleep(0))
    assert 0 < m.callback_duration.count < durations.count + WORKERS
    loop.close()
    assert len(slow) == WORKERS
    assert min(slow) >= 0.05
