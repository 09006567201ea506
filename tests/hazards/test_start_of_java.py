"""Java starts once, on any thread of the main interpreter, and says why where it cannot."""

import os
import sys

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


@pytest.mark.skipif(sys.version_info < (3, 12), reason="needs the module of 3.12's interface")
def test_other_interpreters_are_refused() -> None:
    result = run_script(
        """
        import sys
        if sys.version_info >= (3, 13):
            from _interpreters import create, exec as run
        else:
            from _xxsubinterpreters import create, run_string as run
        import rloop
        rloop.RLoop().close()
        failed = []
        try:
            print(run(create(), "import rloop; rloop.RLoop()"))
        except Exception as error:
            print(repr(error))
        """
    )
    assert_clean(result)
    assert "interpreter" in result.stdout
