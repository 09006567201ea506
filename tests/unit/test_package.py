"""The face of the package: its names, and that importing it costs nothing."""

import asyncio
import re
import sys
from importlib import resources

import pytest

import rloop
from tests.hazards.scripts import assert_clean, run_script

pytestmark = pytest.mark.usefixtures("_rloop_is_chosen")


@pytest.fixture
def _rloop_is_chosen(request: pytest.FixtureRequest) -> None:
    if "rloop" not in str(request.config.getoption("--loops")):
        pytest.skip("--loops leaves out rloop")


def output_of(script: str, *options: str) -> str:
    result = run_script(script, python_options=options)
    assert_clean(result)
    return result.stdout.strip()


def test_importing_starts_no_jvm() -> None:
    script = """
        import rloop
        print("libjvm" in open("/proc/self/maps").read())
        rloop.new_event_loop().close()
        print("libjvm" in open("/proc/self/maps").read())
    """
    assert output_of(script) == "False\nTrue"


def test_making_a_policy_starts_no_jvm() -> None:
    script = """
        import warnings
        warnings.simplefilter("ignore")
        import asyncio, rloop
        rloop.EventLoopPolicy()
        rloop.install()
        print("libjvm" in open("/proc/self/maps").read())
    """
    assert output_of(script) == "False"


def test_importing_starts_no_thread() -> None:
    script = """
        import os, rloop, threading
        print(len(os.listdir("/proc/self/task")), threading.active_count())
    """
    assert output_of(script) == "1 1"


def test_the_version_is_one() -> None:
    assert re.match(r"^\d+\.\d+", rloop.__version__)


def test_type_information_is_shipped() -> None:
    assert resources.files("rloop").joinpath("py.typed").is_file()


def test_new_event_loop_makes_an_rloop() -> None:
    loop = rloop.new_event_loop()
    assert type(loop) is rloop.RLoop
    assert isinstance(loop, asyncio.SelectorEventLoop)
    loop.close()


def test_run_runs_the_coroutine_on_an_rloop() -> None:
    async def main() -> str:
        assert type(asyncio.get_running_loop()) is rloop.RLoop
        return "done"

    assert rloop.run(main()) == "done"


def test_run_passes_debug_on() -> None:
    async def main() -> bool:
        return asyncio.get_running_loop().get_debug()

    assert rloop.run(main(), debug=True)
    assert not rloop.run(main(), debug=False)


def test_run_refuses_what_is_not_a_coroutine() -> None:
    with pytest.raises((TypeError, ValueError), match="a coroutine was expected|is required"):
        rloop.run(42)  # type: ignore[arg-type]


def test_run_inside_a_running_loop_is_refused() -> None:
    async def main() -> None:
        coroutine = asyncio.sleep(0)
        with pytest.raises(RuntimeError, match="cannot be called"):
            rloop.run(coroutine)
        coroutine.close()

    rloop.run(main())


@pytest.mark.skipif(sys.version_info < (3, 12), reason="new in Python 3.12")
def test_asyncio_run_takes_the_factory() -> None:
    async def main() -> bool:
        return type(asyncio.get_running_loop()) is rloop.RLoop

    assert asyncio.run(main(), loop_factory=rloop.new_event_loop)  # type: ignore[call-arg]


def test_the_runner_takes_the_class() -> None:
    with asyncio.Runner(loop_factory=rloop.RLoop) as runner:
        assert type(runner.get_loop()) is rloop.RLoop
        assert runner.run(asyncio.sleep(0, "done")) == "done"


@pytest.mark.skipif(sys.version_info >= (3, 16), reason="there are no policies any more")
def test_the_policy_makes_asyncio_use_it() -> None:
    script = """
        import warnings
        warnings.simplefilter("ignore", DeprecationWarning)
        import asyncio, rloop

        async def main():
            print(type(asyncio.get_running_loop()).__name__)

        asyncio.set_event_loop_policy(rloop.EventLoopPolicy())
        asyncio.run(main())
    """
    assert output_of(script) == "RLoop"


@pytest.mark.skipif(sys.version_info >= (3, 16), reason="there are no policies any more")
def test_install_makes_asyncio_use_it() -> None:
    script = """
        import warnings
        warnings.simplefilter("ignore", DeprecationWarning)
        import asyncio, rloop

        async def main():
            print(type(asyncio.get_running_loop()).__name__)

        rloop.install()
        asyncio.run(main())
    """
    assert output_of(script) == "RLoop"


def test_where_policies_are_gone_install_says_what_to_use() -> None:
    script = """
        import warnings
        warnings.simplefilter("ignore")
        import asyncio
        for names in vars(asyncio), vars(asyncio.events):
            for name in [name for name in names if "policy" in name.lower()]:
                del names[name]
        asyncio.__getattr__ = None
        del asyncio.__getattr__

        async def main():
            print(type(asyncio.get_running_loop()).__name__)

        import rloop
        try:
            rloop.install()
        except RuntimeError as error:
            print(error)
        rloop.run(main())
    """
    told, loop_class = output_of(script).splitlines()
    for instead in ("rloop.run", "loop_factory=", "python -m rloop run"):
        assert instead in told
    assert loop_class == "RLoop"


def test_a_loop_may_be_subclassed() -> None:
    class Mine(rloop.RLoop):
        def __init__(self) -> None:
            super().__init__()
            self.scheduled = 0

        def call_soon(self, *args: object, **named: object) -> asyncio.Handle:
            self.scheduled += 1
            return super().call_soon(*args, **named)  # type: ignore[arg-type]

    loop = Mine()
    loop.run_until_complete(asyncio.sleep(0))
    assert loop.scheduled > 0
    loop.close()


def test_the_documentation_of_the_package_is_there() -> None:
    assert rloop.__doc__
    assert rloop.RLoop.__doc__
    assert set(rloop.__all__) >= {"EventLoopPolicy", "RLoop", "install", "new_event_loop", "run"}


def test_a_loop_that_cannot_be_made_says_only_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RLOOP_POLLER", "telepathy")
    with pytest.raises(ValueError, match="telepathy"):
        rloop.RLoop()
