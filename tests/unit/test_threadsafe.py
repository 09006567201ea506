"""Scheduling from other threads: it wakes a loop that waits, and keeps each thread's order."""

import asyncio
import sys
import threading
import time

import pytest

from tests.conftest import Loop


def test_a_sleeping_loop_is_woken(loop: Loop) -> None:
    def stop_soon() -> None:
        time.sleep(0.05)  # by then the loop waits in the poller
        loop.call_soon_threadsafe(loop.stop)

    thread = threading.Thread(target=stop_soon)
    loop.call_later(60, pytest.fail, "was not woken")
    thread.start()
    start = loop.time()
    loop.run_forever()
    thread.join()
    assert loop.time() - start < 30


def test_a_loop_is_woken_again_and_again(loop: Loop) -> None:
    rounds = 200
    answered = threading.Semaphore(0)

    def ask() -> None:
        for _ in range(rounds):
            loop.call_soon_threadsafe(answered.release)
            assert answered.acquire(timeout=20)
        loop.call_soon_threadsafe(loop.stop)

    thread = threading.Thread(target=ask)
    thread.start()
    loop.run_forever()
    thread.join()


def test_callbacks_of_many_threads_all_run_in_the_order_of_their_thread(loop: Loop) -> None:
    threads, calls = 4, 25_000
    ran: list[tuple[int, int]] = []

    def schedule(thread: int) -> None:
        for number in range(calls):
            loop.call_soon_threadsafe(ran.append, (thread, number))

    async def main() -> None:
        await asyncio.gather(*(asyncio.to_thread(schedule, thread) for thread in range(threads)))
        while len(ran) < threads * calls:
            await asyncio.sleep(0)

    loop.run_until_complete(main())
    for thread in range(threads):
        assert [number for owner, number in ran if owner == thread] == list(range(calls))


def test_handles_are_cancelled_while_the_loop_runs_or_it_is_too_late(loop: Loop) -> None:
    threads, calls = 4, 5_000
    ran: list[tuple[int, int]] = []
    ended = 0

    def schedule_and_cancel(thread: int) -> None:
        for number in range(calls):
            handle = loop.call_soon_threadsafe(ran.append, (thread, number))
            if number % 2:
                handle.cancel()

    def end() -> None:
        nonlocal ended
        ended += 1

    async def main() -> None:
        await asyncio.gather(
            *(asyncio.to_thread(schedule_and_cancel, thread) for thread in range(threads))
        )
        loop.call_soon_threadsafe(end)
        while not ended:
            await asyncio.sleep(0)

    loop.run_until_complete(main())
    for thread in range(threads):
        numbers = [number for owner, number in ran if owner == thread]
        assert numbers == sorted(set(numbers))
        assert set(numbers) >= set(range(0, calls, 2))


def test_callbacks_scheduled_before_the_loop_runs_are_run(loop: Loop) -> None:
    ran: list[str] = []
    thread = threading.Thread(target=loop.call_soon_threadsafe, args=(ran.append, "ran"))
    thread.start()
    thread.join()
    loop.run_until_complete(asyncio.sleep(0))
    assert ran == ["ran"]


def test_callbacks_scheduled_while_the_loop_rests_are_run_later(loop: Loop) -> None:
    ran: list[int] = []
    for number in range(5):
        thread = threading.Thread(target=loop.call_soon_threadsafe, args=(ran.append, number))
        thread.start()
        thread.join()
        assert len(ran) == number
        loop.run_until_complete(asyncio.sleep(0))
    assert ran == [0, 1, 2, 3, 4]


def test_a_handle_of_another_thread_can_be_cancelled(loop: Loop) -> None:
    handles: list[asyncio.Handle] = []
    thread = threading.Thread(
        target=lambda: handles.append(loop.call_soon_threadsafe(pytest.fail, "was cancelled"))
    )
    thread.start()
    thread.join()
    handles[0].cancel()
    loop.run_until_complete(asyncio.sleep(0))


def test_a_handle_can_be_cancelled_by_its_own_callback(loop: Loop) -> None:
    handles: list[asyncio.Handle] = []

    def cancel() -> None:
        handles[0].cancel()

    async def main() -> None:
        handles.append(loop.call_soon_threadsafe(cancel))
        await asyncio.sleep(0)
        assert handles[0].cancelled()

    loop.run_until_complete(main())


def test_it_works_from_the_thread_of_the_loop(loop: Loop) -> None:
    loop.call_soon(loop.call_soon_threadsafe, loop.stop)
    loop.run_forever()


def test_a_closed_loop_refuses_it(loop: Loop) -> None:
    loop.close()
    with pytest.raises(RuntimeError, match="^Event loop is closed$"):
        loop.call_soon_threadsafe(print)


def test_a_thread_that_races_with_close_gets_an_error_at_most(loop: Loop) -> None:
    refusals: list[str] = []

    def schedule() -> None:
        try:
            while True:
                loop.call_soon_threadsafe(bool)
        except RuntimeError as error:
            refusals.append(str(error))

    thread = threading.Thread(target=schedule)
    thread.start()
    loop.run_until_complete(asyncio.sleep(0.02))
    loop.close()
    thread.join()
    assert refusals == ["Event loop is closed"]


def test_run_coroutine_threadsafe_gives_the_result_to_the_other_thread(loop: Loop) -> None:
    async def answer() -> int:
        await asyncio.sleep(0.001)
        return 42

    results: list[int] = []

    def ask() -> None:
        results.append(asyncio.run_coroutine_threadsafe(answer(), loop).result(timeout=20))
        loop.call_soon_threadsafe(loop.stop)

    thread = threading.Thread(target=ask)
    thread.start()
    loop.run_forever()
    thread.join()
    assert results == [42]


@pytest.mark.skipif(sys.version_info < (3, 14), reason="such handles came with 3.14")
def test_another_thread_cannot_cancel_a_handle_while_it_runs(loop: Loop) -> None:
    started = threading.Event()
    events: list[str] = []

    def callback() -> None:
        started.set()
        time.sleep(0.05)  # time for the other thread to cancel the handle
        events.append("finished")
        loop.stop()

    def cancel() -> None:
        handle = loop.call_soon_threadsafe(callback)
        started.wait()
        handle.cancel()
        events.append("cancelled")

    thread = threading.Thread(target=cancel)
    thread.start()
    loop.run_forever()
    thread.join()
    assert events == ["finished", "cancelled"]


def test_a_handle_cancelled_on_another_thread_does_not_run(loop: Loop) -> None:
    ran: list[int] = []

    def schedule_and_cancel() -> None:
        loop.call_soon_threadsafe(ran.append, 1).cancel()
        loop.call_soon_threadsafe(ran.append, 2)
        loop.call_soon_threadsafe(loop.stop)

    thread = threading.Thread(target=schedule_and_cancel)
    thread.start()
    thread.join()
    loop.run_forever()
    assert ran == [2]
