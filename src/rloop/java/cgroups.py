"""What the control groups that this process is in still leave to it, and the machine.

A container's limits are those of its group and of every group above it. Where only a part of the
tree can be seen, as in most containers, its uppermost folder is the container's own. Both versions
of the interface can be mounted, side by side even.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress

_ROOT = "/sys/fs/cgroup"
_BYTES_PER_KIB = 1024


def memory_room(proc: str = "/proc", root: str = _ROOT) -> int | None:
    """How many bytes can be allocated before something is killed for it; None if nobody knows."""
    rooms = [_available(proc)]
    for folder in _folders("memory", proc, root):
        limit = _number(folder, "memory.max", "memory.limit_in_bytes")
        usage = _number(folder, "memory.current", "memory.usage_in_bytes")
        if limit is not None and usage is not None:
            # Pages of files that nobody has used lately go before anybody is killed.
            rooms.append(max(0, limit - usage + _statistic(folder, "inactive_file")))
    return min((room for room in rooms if room is not None), default=None)


def task_room(proc: str = "/proc", root: str = _ROOT) -> int | None:
    """How many threads can be started; None if there is no limit."""
    rooms = []
    for folder in _folders("pids", proc, root):
        limit, usage = _number(folder, "pids.max"), _number(folder, "pids.current")
        if limit is not None and usage is not None:
            rooms.append(max(0, limit - usage))
    return min(rooms, default=None)


def _folders(controller: str, proc: str, root: str) -> Iterator[str]:
    """The folder of each group, from this process's own up to the uppermost one."""
    for line in _lines(os.path.join(proc, "self", "cgroup")):
        _, controllers, path = line.rstrip("\n").split(":", 2)
        if not controllers:  # version 2
            mounts = [root, os.path.join(root, "unified")]
        elif controller in controllers.split(","):
            mounts = [os.path.join(root, controller), os.path.join(root, controllers)]
        else:
            continue
        for mount in mounts:
            relative = path.strip("/")
            while relative:
                yield os.path.join(mount, relative)
                relative = os.path.dirname(relative)
            yield mount


def _number(folder: str, *names: str) -> int | None:
    """The number in the first file that is there; None where there is none, or no limit."""
    for name in names:
        for line in _lines(os.path.join(folder, name)):
            return None if line.strip() == "max" else int(line)
    return None


def _statistic(folder: str, name: str) -> int:
    found = dict(line.split() for line in _lines(os.path.join(folder, "memory.stat")))
    return int(found.get(f"total_{name}", found.get(name, 0)))


def _available(proc: str) -> int | None:
    for line in _lines(os.path.join(proc, "meminfo")):
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * _BYTES_PER_KIB
    return None


def _lines(path: str) -> list[str]:
    """Of a file that may not be there, or not for us: then nothing is known of its limit."""
    with suppress(OSError), open(path, encoding="utf-8", errors="surrogateescape") as file:
        return file.readlines()
    return []
