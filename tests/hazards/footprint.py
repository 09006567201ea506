"""All that may leak: what `Resources` counts, any object of Python's, any memory."""

import gc
import resource
from dataclasses import dataclass
from pathlib import Path

from tests.conformance.resources import Resources

# Caches of Python's and lists that grow; what leaks with each connection is many more.
OBJECTS = 100

# What a connection costs is hundreds of bytes: with the many it is seen.
RESIDENT_BYTES = 8 << 20


@dataclass(frozen=True)
class Footprint:
    """Of this process, taken when all that is garbage has been collected."""

    resources: Resources
    objects: int
    resident_bytes: int

    @classmethod
    def now(cls) -> "Footprint":
        return cls(Resources.now(), len(gc.get_objects()), resident_bytes())

    def leaked_since(self, before: "Footprint") -> str:
        """What there is more of than there was; empty if nothing."""
        more = [self.resources.leaked_since(before.resources)]
        objects = self.objects - before.objects
        if objects > OBJECTS:
            more.append(f"{objects} objects")
        resident_bytes = self.resident_bytes - before.resident_bytes
        if resident_bytes > RESIDENT_BYTES:
            more.append(f"{resident_bytes} bytes resident")
        return ", ".join(filter(None, more))


def resident_bytes() -> int:
    """As Linux counts them."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
