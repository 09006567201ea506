"""pytest-asyncio takes the loop, from a policy and from a factory."""

import sys
from pathlib import Path

import pytest

from tests.hazards.scripts import NEW_LOOP, assert_clean, run_script

BY_FACTORY = """
def pytest_asyncio_loop_factories(config, item):
    return {"new_loop": new_loop}
"""

BY_POLICY = """
import asyncio, rloop
asyncio.set_event_loop_policy({policy}())
"""

POLICIES = {
    "asyncio": "asyncio.DefaultEventLoopPolicy",
    "rloop": "rloop.EventLoopPolicy",
    "tokio": "rloop.TokioEventLoopPolicy",
    "lent": "rloop.TokioEventLoopPolicy",
    "lent3": "rloop.TokioEventLoopPolicy",
}

SETTINGS = """
[pytest]
addopts = -p no:looptime_plugin
filterwarnings = error
asyncio_default_fixture_loop_scope = function
"""

TESTS = """
import asyncio
import pytest
import pytest_asyncio
from conftest import new_loop

@pytest_asyncio.fixture
async def server():
    async def echo(reader, writer):
        writer.write(await reader.readline())
        writer.close()

    async with await asyncio.start_server(echo, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()

@pytest.mark.asyncio
async def test_a_fixture_and_its_test_share_the_loop(server):
    assert type(asyncio.get_running_loop()) is new_loop
    reader, writer = await asyncio.open_connection(*server)
    writer.write(b"hello\\n")
    assert await reader.read() == b"hello\\n"
    writer.close()
    await writer.wait_closed()

@pytest.mark.asyncio(loop_scope="module")
async def test_a_loop_for_a_module():
    assert type(asyncio.get_running_loop()) is new_loop

@pytest.mark.asyncio
@pytest.mark.xfail(strict=True, raises=ZeroDivisionError)
async def test_that_fails():
    await asyncio.sleep(0)
    1 / 0
"""


def run_pytest(folder: Path, loop_name: str, way: str) -> None:
    (folder / "conftest.py").write_text(NEW_LOOP[loop_name] + way)
    (folder / "test_it.py").write_text(TESTS)
    (folder / "pytest.ini").write_text(SETTINGS)
    script = "import pytest, sys; sys.exit(pytest.main(sys.argv[1:]))"
    result = run_script(script, "-p", "asyncio", f"--rootdir={folder}", str(folder))
    assert_clean(result)
    assert "2 passed, 1 xfailed" in result.stdout


def test_by_a_factory(loop_name: str, tmp_path: Path) -> None:
    run_pytest(tmp_path, loop_name, BY_FACTORY)


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="policies are deprecated, and it warns")
def test_by_a_policy(loop_name: str, tmp_path: Path) -> None:
    run_pytest(tmp_path, loop_name, BY_POLICY.format(policy=POLICIES[loop_name]))
