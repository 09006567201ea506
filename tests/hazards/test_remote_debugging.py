"""CPython's own tools that look into another process, from 3.14 on."""

import contextlib
import importlib
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from subprocess import Popen
from typing import Any

import pytest

from tests.hazards.scripts import on_loop

pytestmark = pytest.mark.skipif(
    not hasattr(sys, "remote_exec"), reason="this version of Python has no such tools"
)

PATIENCE_SECONDS = 60

# Has tasks on each worker, or on the only one there is.
PROGRAM = """
    import asyncio, sys

    ends = False

    async def waiter():
        while not ends:
            await asyncio.sleep(float(sys.argv[1]))

    async def main():
        workers = getattr(asyncio.get_running_loop(), "workers", (None,))
        tasks = []
        async with asyncio.TaskGroup() as group:
            for number, worker in enumerate(workers):
                context = worker and worker.context()
                task = group.create_task(waiter(), name=f"waiter-{number}", context=context)
                tasks.append(task.get_name())
            await asyncio.sleep(0.1)  # they wait
            print(*tasks, flush=True)

    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(main())
"""


@contextlib.contextmanager
def running(loop_name: str, nap_seconds: float) -> Iterator["Popen[str]"]:
    """The program, whose tasks sleep for so long; it doesn't outlive this."""
    source = textwrap.dedent(on_loop(loop_name, PROGRAM))
    command = [sys.executable, "-c", source, str(nap_seconds)]
    with Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        except PermissionError:
            pytest.skip("this process may not look into others")
        finally:
            process.kill()


def line(process: "Popen[str]") -> list[str]:
    assert process.stdout is not None
    return process.stdout.readline().split()


def test_a_script_runs_in_a_loop(loop_name: str, tmp_path: Path) -> None:
    look, end = tmp_path / "look.py", tmp_path / "end.py"
    look.write_text(
        "import asyncio\n"
        "names = (task.get_name() for task in asyncio.all_tasks())\n"
        "print(*sorted(name for name in names if name.startswith('waiter')), flush=True)"
    )
    end.write_text("import __main__; __main__.ends = True")
    remote: Any = sys
    with running(loop_name, 0.01) as process:
        tasks = line(process)
        remote.remote_exec(process.pid, str(look))
        assert line(process) == tasks
        remote.remote_exec(process.pid, str(end))
        assert process.wait(PATIENCE_SECONDS) == 0


def test_the_tasks_of_a_process_are_told(
    loop_name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    tools: Any = importlib.import_module("asyncio.tools")
    with running(loop_name, PATIENCE_SECONDS) as process:
        tasks = line(process)
        tools.display_awaited_by_tasks_tree(process.pid)
        told = capsys.readouterr().out
        assert all(f"{task}\n" in told for task in tasks)
        assert told.count(" waiter ") == len(tasks)
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_SECONDS) == -signal.SIGINT
