"""What the loop does in other threads, and the end of asynchronous generators."""

import asyncio
import concurrent.futures
import socket
import sys
import threading
from collections.abc import AsyncGenerator

import pytest

from tests.conftest import Loop


async def test_run_in_executor_runs_in_another_thread(loop: Loop) -> None:
    assert await loop.run_in_executor(None, threading.get_ident) != threading.get_ident()


async def test_run_in_executor_passes_arguments_and_result(loop: Loop) -> None:
    assert await loop.run_in_executor(None, divmod, 17, 5) == (3, 2)


async def test_run_in_executor_raises_what_the_function_raised(loop: Loop) -> None:
    with pytest.raises(ZeroDivisionError):
        await loop.run_in_executor(None, divmod, 1, 0)


async def test_run_in_executor_uses_the_given_executor(loop: Loop) -> None:
    def name() -> str:
        return threading.current_thread().name

    with concurrent.futures.ThreadPoolExecutor(thread_name_prefix="mine") as executor:
        assert (await loop.run_in_executor(executor, name)).startswith("mine")


async def test_many_functions_run_in_the_executor(loop: Loop) -> None:
    results = await asyncio.gather(
        *(loop.run_in_executor(None, pow, number, 2) for number in range(200))
    )
    assert results == [number**2 for number in range(200)]


async def test_to_thread_works(loop: Loop) -> None:
    assert await asyncio.to_thread(sum, [1, 2, 3]) == 6


async def test_shutdown_default_executor_waits_for_what_runs(loop: Loop) -> None:
    finished = threading.Event()
    release = threading.Event()
    future = loop.run_in_executor(None, lambda: (release.wait(), finished.set()))
    loop.call_later(0.01, release.set)
    await loop.shutdown_default_executor()
    assert finished.is_set()
    await future


async def test_the_default_executor_is_gone_after_its_shutdown(loop: Loop) -> None:
    await loop.shutdown_default_executor()
    with pytest.raises(RuntimeError, match="^Executor shutdown has been called$"):
        await loop.run_in_executor(None, print)


def test_set_default_executor_takes_thread_pools_only(loop: Loop) -> None:
    with pytest.raises(TypeError, match="executor must be ThreadPoolExecutor instance"):
        loop.set_default_executor(object())  # type: ignore[arg-type]


async def test_getaddrinfo_gives_what_the_socket_module_gives(loop: Loop) -> None:
    found = await loop.getaddrinfo("127.0.0.1", 80, type=socket.SOCK_STREAM)
    assert found == socket.getaddrinfo("127.0.0.1", 80, type=socket.SOCK_STREAM)


async def test_getaddrinfo_raises_for_a_name_that_does_not_exist(loop: Loop) -> None:
    with pytest.raises(socket.gaierror):
        await loop.getaddrinfo("does-not-exist.invalid", 80)


async def test_getnameinfo_gives_what_the_socket_module_gives(loop: Loop) -> None:
    flags = socket.NI_NUMERICHOST | socket.NI_NUMERICSERV
    assert await loop.getnameinfo(("127.0.0.1", 80), flags) == ("127.0.0.1", "80")


async def forever(ended: list[str]) -> AsyncGenerator[int, None]:
    try:
        number = 0
        while True:
            yield number
            number += 1
    finally:
        await asyncio.sleep(0)
        ended.append("ended")


def test_shutdown_asyncgens_ends_generators_that_are_still_open(loop: Loop) -> None:
    ended: list[str] = []
    generator = forever(ended)

    async def take_one() -> None:
        assert await anext(generator) == 0

    loop.run_until_complete(take_one())
    assert ended == []
    loop.run_until_complete(loop.shutdown_asyncgens())
    assert ended == ["ended"]


def test_a_generator_that_is_dropped_is_ended_by_the_loop(loop: Loop) -> None:
    ended: list[str] = []

    async def take_one() -> None:
        assert await anext(forever(ended)) == 0
        while not ended:
            await asyncio.sleep(0.001)

    loop.run_until_complete(take_one())
    assert ended == ["ended"]


def test_a_generator_whose_end_raises_is_reported(loop: Loop) -> None:
    reports: list[dict[str, object]] = []
    loop.set_exception_handler(lambda _, context: reports.append(context))

    async def ends_badly() -> AsyncGenerator[int, None]:
        try:
            yield 0
        finally:
            raise LookupError("at the end")

    generator = ends_badly()

    async def take_one() -> None:
        assert await anext(generator) == 0

    loop.run_until_complete(take_one())
    loop.run_until_complete(loop.shutdown_asyncgens())
    (report,) = reports
    assert report["asyncgen"] is generator
    assert str(report["message"]).startswith(
        "an error occurred during closing of asynchronous generator"
    )
    assert isinstance(report["exception"], LookupError)


def test_the_hooks_of_generators_are_restored_after_the_run(loop: Loop) -> None:
    before = sys.get_asyncgen_hooks()
    loop.run_until_complete(asyncio.sleep(0))
    assert sys.get_asyncgen_hooks() == before
