"""What this process holds: descriptors, threads, Python's objects, Java's memory."""

import gc
import os
import re
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

# What Java loads and compiles as it warms up lies mostly beside the heap, but not all of it.
JAVA_BYTES = 1 << 20


@dataclass(frozen=True)
class Resources:
    """A count of what may leak, taken when all that is garbage has been collected."""

    descriptors: "Counter[str]"
    threads: "Counter[str]"
    objects: "Counter[str]"
    java_bytes: int

    @classmethod
    def now(cls) -> "Resources":
        for _ in range(3):  # finalisers leave garbage of their own
            gc.collect()
        core = sys.modules.get("rloop._core")
        return cls(
            Counter(_descriptors()),
            Counter(_threads()),
            Counter(_of_the_loop()),
            core.collect_java_garbage() if core else 0,
        )

    def leaked_since(self, before: "Resources") -> str:
        """What there is more of than there was; empty if nothing."""
        more = [
            f"{count} {name}"
            for now, then in (
                (self.descriptors, before.descriptors),
                (self.threads, before.threads),
                (self.objects, before.objects),
            )
            for name, count in (now - then).items()
        ]
        java_bytes = self.java_bytes - before.java_bytes
        if java_bytes > JAVA_BYTES:
            more.append(f"{java_bytes} bytes of Java's")
        return ", ".join(more)


def _descriptors() -> list[str]:
    """What each of them is, without the number that tells it from others of its kind."""
    kinds = []
    for link in Path("/proc/self/fd").iterdir():
        try:
            target = os.readlink(link)
        except FileNotFoundError:  # the one by which the folder was read
            continue
        if ".jar" not in target:  # Java opens it when it needs it
            kinds.append(re.sub(r"\d+", "", target))
    return kinds


def _threads() -> list[str]:
    """The names of all but those by which Java compiles, which come and go."""
    names = [(task / "comm").read_text().strip() for task in Path("/proc/self/task").iterdir()]
    return [f"thread {name}" for name in names if "Compiler" not in name]


def _of_the_loop() -> list[str]:
    """The types of the objects that belong to loops, transports, tasks and futures."""
    types = (type(thing) for thing in gc.get_objects())
    return [
        f"{cls.__module__}.{cls.__qualname__}"
        for cls in types
        if str(cls.__module__).partition(".")[0] in {"rloop", "asyncio", "_asyncio"}
    ]
