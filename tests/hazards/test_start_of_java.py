"""Java starts once, on any thread of the main interpreter, and says why where it cannot."""

import os

import pytest

from .scripts import assert_clean, run_script


def test_importing_the_package_does_not_start_java() -> None:
    assert_clean(
        run_script(
            """
            import sys, rloop
            assert "rloop._core" not in sys.modules
            with open("/proc/self/maps") as maps:
                assert "libjvm" not in maps.read()
            """
        )
    )


def test_many_threads_that_make_the_first_loop_at_once() -> None:
    assert_clean(
        run_script(
            """
            import asyncio, threading, rloop
            barrier = threading.Barrier(8)
            results = []

            def run(number):
                barrier.wait()
                with asyncio.Runner(loop_factory=rloop.RLoop) as runner:
                    results.append(runner.run(asyncio.sleep(0.01, number)))

            threads = [threading.Thread(target=run, args=(number,)) for number in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert sorted(results) == list(range(8)), results
            """
        )
    )


@pytest.mark.parametrize("first_on", ["the main thread", "a small thread"])
def test_threads_with_small_stacks(first_on: str) -> None:
    # Stacks are used again by later threads: what Java has protected in them must be open again.
    assert_clean(
        run_script(
            """
            import asyncio, sys, threading, rloop

            def run():
                with asyncio.Runner(loop_factory=rloop.RLoop) as runner:
                    assert runner.run(chatter()) == 42
                    rloop.java.jvm.core().collect_java_garbage()

            async def chatter():
                for _ in range(100):
                    await asyncio.sleep(0)
                return await asyncio.get_running_loop().run_in_executor(None, fill_the_stack, 42)

            def fill_the_stack(number):
                return eval("(" * 50 + str(number) + ")" * 50)

            if sys.argv[1] == "the main thread":
                run()
            threading.stack_size(256 * 1024)
            for _ in range(20):
                threads = [threading.Thread(target=run) for _ in range(2)]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join()
            run()
            """,
            first_on,
        )
    )


def test_the_depth_of_recursion_is_python_s() -> None:
    # 2,000 calls of C functions within each other need more than the megabyte that the JVM takes
    # a main thread's stack to have.
    assert_clean(
        run_script(
            """
            import asyncio, sys, rloop
            loop = rloop.RLoop()
            sys.setrecursionlimit(50_000)
            deepest = []

            class Nested:
                def __init__(self, depth):
                    self.depth = depth
                def __repr__(self):
                    if self.depth == 0:
                        deepest.append(loop.call_soon(print))
                        rloop.java.jvm.core().collect_java_garbage()
                        return ""
                    return repr([Nested(self.depth - 1)])

            async def main():
                try:
                    repr(Nested(2000))
                except RecursionError:
                    deepest.append("some versions of Python allow less")

            loop.run_until_complete(main())
            loop.close()
            assert deepest
            """
        )
    )


def test_a_recursion_without_end_is_a_recursion_error() -> None:
    assert_clean(
        run_script(
            """
            import asyncio, rloop
            loop = rloop.RLoop()

            def descend():
                loop.call_soon(int)
                descend()

            async def main():
                try:
                    descend()
                except RecursionError:
                    return "caught"

            assert loop.run_until_complete(main()) == "caught"
            loop.close()
            """
        )
    )


def test_wrong_options_are_named_and_the_next_try_says_so_too() -> None:
    result = run_script(
        """
        import rloop
        for _ in range(2):
            try:
                rloop.RLoop()
            except rloop.JavaStartError as error:
                print(error)
        """,
        env={**os.environ, "RLOOP_JAVA_OPTIONS": "-XX:NoSuchOption"},
    )
    assert_clean(result)
    first, second = result.stdout.splitlines()
    assert "returned -6: invalid arguments: check RLOOP_JAVA_OPTIONS" in first
    assert second == f"Java failed to start earlier in this process: {first}"
    assert "NoSuchOption" in result.stderr


def test_a_library_that_cannot_be_loaded_is_a_start_error(tmp_path: "os.PathLike[str]") -> None:
    home = os.path.join(tmp_path, "java")
    os.makedirs(os.path.join(home, "lib", "server"))
    with open(os.path.join(home, "release"), "w", encoding="utf-8") as release:
        release.write('JAVA_VERSION="25"\n')
    library = os.path.join(home, "lib", "server", "libjvm.so")
    with open(library, "w", encoding="utf-8") as file:
        file.write("not a library")
    result = run_script("import rloop; rloop.RLoop()", env={**os.environ, "RLOOP_JAVA_HOME": home})
    assert f"rloop.errors.JavaStartError: cannot load {library}" in result.stderr


@pytest.mark.parametrize("size", [64 << 10, 110 << 10, 128 << 10])
def test_threads_that_are_made_too_small_by_the_module_beneath(size: int) -> None:
    assert_clean(
        run_script(
            """
            import _thread, sys, threading, rloop
            loop = rloop.RLoop()
            assert _thread.stack_size(int(sys.argv[1])) == 0
            thread = threading.Thread(target=loop.call_soon_threadsafe, args=(loop.stop,))
            thread.start()
            loop.run_forever()
            thread.join()
            assert threading.stack_size(0) == int(sys.argv[1])
            """,
            str(size),
        )
    )


@pytest.mark.parametrize("size", [64 << 10, 110 << 10, 128 << 10])
def test_threads_that_are_made_too_small_for_java(size: int) -> None:
    assert_clean(
        run_script(
            """
            import asyncio, sys, threading, rloop
            size = int(sys.argv[1])
            threading.stack_size(size)
            results = []

            async def main():
                return await asyncio.to_thread(call_the_loop, asyncio.get_running_loop())

            def call_the_loop(loop):
                loop.call_soon_threadsafe(int)
                return 42

            def run(new_loop):
                try:
                    with asyncio.Runner(loop_factory=new_loop) as runner:
                        results.append(runner.run(main()))
                except rloop.JavaStartError as error:
                    assert f"{size >> 10} KiB" in str(error), error
                    assert "threading.stack_size" in str(error), error
                    results.append("refused")

            def in_a_thread(new_loop):
                thread = threading.Thread(target=run, args=(new_loop,))
                thread.start()
                thread.join()

            in_a_thread(rloop.RLoop)  # its stack is as it was asked for: too small
            in_a_thread(asyncio.SelectorEventLoop)
            run(rloop.RLoop)  # the executor's thread isn't too small any more
            assert threading.stack_size(size) == size
            in_a_thread(rloop.RLoop)
            assert results == ["refused", 42, 42, 42], results
            """,
            str(size),
        )
    )


@pytest.mark.parametrize("has_started", [False, True])
@pytest.mark.parametrize("kind", ["isolated", "legacy"])
def test_other_interpreters_are_refused(kind: str, has_started: bool) -> None:
    result = run_script(
        """
        import sys
        if sys.version_info >= (3, 13):
            from _interpreters import create, exec as run
        else:
            from _xxsubinterpreters import create, run_string as run
        import rloop
        kind, has_started = sys.argv[1:]
        if has_started == "True":
            rloop.RLoop().close()
        is_new = sys.version_info >= (3, 13)
        interpreter = create(kind) if is_new else create(isolated=kind == "isolated")
        failure = run(interpreter, "\\n".join([
            "import asyncio",
            "try:",
            "    import rloop",
            "    rloop.RLoop()",
            "except (ImportError, RuntimeError) as error:",
            "    assert 'rloop runs in the main interpreter only' in str(error), error",
            "else:",
            "    raise AssertionError('it started')",
            "asyncio.run(asyncio.sleep(0))",
        ]))
        assert failure is None, failure
        rloop.RLoop().close()
        """,
        kind,
        str(has_started),
    )
    assert_clean(result)
