"""What control groups leave to this process, in both versions of their interface."""

from pathlib import Path

import pytest

from rloop.java import cgroups

MIB = 1 << 20


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    proc = tmp_path / "proc"
    (proc / "self").mkdir(parents=True)
    (proc / "meminfo").write_text("MemTotal: 16000000 kB\nMemAvailable: 8388608 kB\n")
    (proc / "self" / "cgroup").write_text("0::/\n")
    return proc


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "cgroup"
    root.mkdir()
    return root


def put(folder: Path, **files: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text + "\n")


def memory_room(proc: Path, root: Path) -> int | None:
    return cgroups.memory_room(str(proc), str(root))


def task_room(proc: Path, root: Path) -> int | None:
    return cgroups.task_room(str(proc), str(root))


def test_without_limits_there_is_what_the_machine_has(proc: Path, root: Path) -> None:
    assert memory_room(proc, root) == 8192 * MIB
    assert task_room(proc, root) is None


def test_without_proc_nothing_is_known(root: Path) -> None:
    assert memory_room(Path("/nowhere"), root) is None
    assert task_room(Path("/nowhere"), root) is None


def test_version_2(proc: Path, root: Path) -> None:
    (proc / "self" / "cgroup").write_text("0::/system.slice/some:thing.service\n")
    group = root / "system.slice" / "some:thing.service"
    put(group, memory__max=str(256 * MIB), memory__current=str(100 * MIB), pids__max="50")
    put(group, memory__stat=f"anon 1\ninactive_file {20 * MIB}", pids__current="40")
    assert memory_room(proc, root) == 176 * MIB
    assert task_room(proc, root) == 10
    put(group, memory__max="max", pids__max="max")
    assert memory_room(proc, root) == 8192 * MIB
    assert task_room(proc, root) is None


def test_the_groups_above_limit_as_well(proc: Path, root: Path) -> None:
    (proc / "self" / "cgroup").write_text("0::/pod/container\n")
    put(root / "pod", memory__max=str(64 * MIB), memory__current=str(60 * MIB))
    put(root / "pod" / "container", memory__max=str(256 * MIB), memory__current="0")
    put(root / "pod", pids__max="9", pids__current="20")
    assert memory_room(proc, root) == 4 * MIB
    assert task_room(proc, root) == 0


def test_a_container_that_sees_its_own_group_only(proc: Path, root: Path) -> None:
    (proc / "self" / "cgroup").write_text("0::/../../what/the/host/says\n")
    put(root, memory__max=str(64 * MIB), memory__current=str(60 * MIB))
    assert memory_room(proc, root) == 4 * MIB


def test_version_1(proc: Path, root: Path) -> None:
    (proc / "self" / "cgroup").write_text("9:pids:/a\n4:memory:/b\n2:cpu,cpuacct:/\n0::/\n")
    put(
        root / "memory" / "b",
        memory__limit_in_bytes=str(256 * MIB),
        memory__usage_in_bytes=str(200 * MIB),
        memory__stat=f"inactive_file 1\ntotal_inactive_file {MIB}",
    )
    put(root / "memory", memory__limit_in_bytes=str(2**63 - 4096), memory__usage_in_bytes="0")
    put(root / "pids" / "a", pids__max="100", pids__current="1")
    assert memory_room(proc, root) == 57 * MIB
    assert task_room(proc, root) == 99
