"""Control groups, as containers have them, that leave little room."""

import os
import sys
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from .scripts import assert_clean, run_script

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="control groups are Linux's")

MIB = 1 << 20

JOIN = """
    import os, sys
    with open(sys.argv[1] + "/cgroup.procs", "w") as file:
        file.write(str(os.getpid()))
"""

# How many trainers a first start left behind, or the like.
LOOK_FOR_TRAINERS = """
    def trainers():
        found = []
        for pid in filter(str.isdecimal, os.listdir("/proc")):
            if pid == str(os.getpid()):
                continue  # its command has this source
            try:
                with open(f"/proc/{pid}/environ", "rb") as file:
                    is_ours = os.fsencode(os.environ["RLOOP_CACHE_DIR"]) in file.read()
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    if is_ours and b"aot_training" in file.read():
                        found.append(pid)
            except OSError:
                pass
        return found
"""


def group(controller: str) -> Iterator[Path]:
    """A new group below the one of this process, or the tests are skipped."""
    with open("/proc/self/cgroup", encoding="utf-8") as file:
        lines = [line.rstrip().split(":", 2) for line in file]
    version_1 = [path for _, names, path in lines if controller in names.split(",")]
    version_2 = [path for _, names, path in lines if not names]
    root, path = (
        (f"/sys/fs/cgroup/{controller}", version_1[0])
        if version_1
        else ("/sys/fs/cgroup", version_2[0] if version_2 else "/")
    )
    folder = Path(root) / path.strip("/") / f"rloop-{uuid.uuid4().hex}"
    try:
        folder.mkdir()
    except OSError as error:
        pytest.skip(f"no control group can be made here: {error}")
    try:
        yield folder
    finally:
        with suppress(OSError):
            folder.rmdir()


def limit(folder: Path, names: list[str], value: int) -> None:
    for name in names:
        if (folder / name).exists():
            (folder / name).write_text(str(value))
            return
    pytest.skip(f"the controller with {names[0]} is not given to groups like {folder}")


@pytest.fixture
def memory_group() -> Iterator[Path]:
    yield from group("memory")


@pytest.fixture
def pids_group() -> Iterator[Path]:
    yield from group("pids")


def test_a_program_that_needs_its_memory_is_not_killed_for_a_cache(
    memory_group: Path, tmp_path: Path
) -> None:
    limit(memory_group, ["memory.max", "memory.limit_in_bytes"], 256 * MIB)
    result = run_script(
        JOIN
        + LOOK_FOR_TRAINERS
        + """
    import time, rloop
    data = bytearray(os.urandom(1 << 20)) * 120
    rloop.RLoop().close()
    deadline = time.monotonic() + 4
    while time.monotonic() < deadline:
        assert not trainers()
        time.sleep(0.05)
    print(len(data), os.listdir(os.environ["RLOOP_CACHE_DIR"]))
    """,
        str(memory_group),
        env={**os.environ, "RLOOP_CACHE_DIR": str(tmp_path / "cache"), "RLOOP_AOT": "on"},
    )
    assert_clean(result)
    assert result.stdout.endswith("[]\n")


def test_the_doctor_says_why_no_cache_is_made(memory_group: Path, tmp_path: Path) -> None:
    limit(memory_group, ["memory.max", "memory.limit_in_bytes"], 256 * MIB)
    result = run_script(
        JOIN + "    from rloop import doctor\n    sys.exit(doctor.main())",
        str(memory_group),
        env={**os.environ, "RLOOP_CACHE_DIR": str(tmp_path / "cache"), "RLOOP_AOT": "on"},
    )
    assert_clean(result)
    assert "making it takes" in result.stdout
    assert "python -m rloop cache" in result.stdout


def test_the_trainer_is_first_in_line_to_be_killed(tmp_path: Path) -> None:
    result = run_script(
        "    import os, sys\n"
        + LOOK_FOR_TRAINERS
        + """
    import time, rloop
    rloop.RLoop().close()
    scores = set()
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and 1000 not in scores:
        for pid in trainers():
            try:
                with open(f"/proc/{pid}/oom_score_adj") as file:
                    scores.add(int(file.read()))
            except OSError:
                pass
    assert 1000 in scores, scores
    with open("/proc/self/oom_score_adj") as file:
        assert int(file.read()) < 1000
    """,
        env={**os.environ, "RLOOP_CACHE_DIR": str(tmp_path / "cache"), "RLOOP_AOT": "on"},
    )
    assert_clean(result)


@pytest.mark.parametrize("tasks", [3, 8, 14])
def test_a_group_that_may_have_few_threads(pids_group: Path, tasks: int) -> None:
    limit(pids_group, ["pids.max"], tasks)
    result = run_script(
        JOIN
        + """
    import asyncio, rloop
    try:
        rloop.RLoop()
    except rloop.JavaStartError as error:
        assert "16 threads" in str(error) and "pids.max" in str(error), error
    else:
        raise AssertionError("it started")
    asyncio.run(asyncio.sleep(0))
    """,
        str(pids_group),
    )
    assert_clean(result)
