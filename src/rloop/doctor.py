"""``python -m rloop doctor``: what rloop finds on this machine, for reports and for the curious.

It looks at one thing after another and tells whatever that leads to. What could end a process, it
has another one try (``trial.py``).
"""

from __future__ import annotations

import io
import json
import os
import platform
import select
import sys
import sysconfig
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass

from . import __version__, trial
from .java import cgroups, java_home, jvm, settings
from .java.aot_cache import AotCache
from .java.paths import JAR

_BYTES_PER_MIB = 1 << 20
_PREFIX = "RLOOP_"


@dataclass(frozen=True)
class Finding:
    """What was looked at, what came out, and whether it is as it should be."""

    subject: str
    text: str
    is_right: bool


def report() -> Iterator[Finding]:
    """All findings, each as soon as it is known."""
    told = set()
    for subject, look in _LOOKS.items():
        try:
            yield Finding(subject, look(), True)
        except Exception as error:  # whatever it is, it is what there is to tell
            problem = trial.describe(error)
            yield Finding(subject, "the same problem" if problem in told else problem, False)
            told.add(problem)
    for subject, (text, is_right) in trial.results().items():
        yield Finding(subject, "the same problem" if text in told else text, is_right)


def main(*, as_json: bool = False) -> int:
    """Prints the report; 1 if rloop cannot run here."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # paths may hold what no text does
    findings = []
    try:
        for finding in report():
            findings.append(finding)
            if not as_json:
                print(f"{finding.subject:<12}{finding.text}", flush=True)
        is_well = all(finding.is_right for finding in findings)
        if as_json:
            print(json.dumps({"is_well": is_well, "findings": list(map(asdict, findings))}))
    except OSError as error:  # who reads has seen enough, or a disk is full
        if not isinstance(error, BrokenPipeError):
            print(f"the report cannot be written: {error}", file=sys.stderr)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return not is_well


def _rloop() -> str:
    return f"{__version__}, {JAR}"


def _python() -> str:
    threads = " free-threaded" if sysconfig.get_config_var("Py_GIL_DISABLED") else ""
    version = sys.version.split()[0]
    return f"{platform.python_implementation()} {version}{threads}, {sys.executable}"


def _system() -> str:
    return f"{platform.platform()}, {platform.machine()}, {os.cpu_count()} processors"


def _room() -> str:
    memory, tasks = cgroups.memory_room(), cgroups.task_room()
    return ", ".join(
        (
            "memory not known" if memory is None else f"{memory // _BYTES_PER_MIB} MiB of memory",
            "no limit of threads" if tasks is None else f"{tasks} threads",
        )
    )


def _variables() -> str:
    settings.check()
    ours = sorted(name for name in os.environ if name.startswith(_PREFIX))
    return " ".join(f"{name}={os.environ[name]}" for name in ours) or "none"


def _java() -> str:
    home = java_home.find()
    return f"{home.version}, {home.path} (found by {home.found_by})"


def _options() -> str:
    return " ".join(jvm.options())


def _aot_cache() -> str:
    cache = AotCache(java_home.find(), JAR, jvm.options())
    refusal = cache.refusal()
    if not refusal:
        return cache.path
    hindrance = cache.hindrance()
    if not hindrance:
        return f"{refusal}; a first start has it made, and python -m rloop cache makes it"
    return refusal if hindrance == refusal else f"{refusal}; {hindrance}"


def _poller() -> str:
    return settings.poller() or ("epoll" if hasattr(select, "epoll") else "poll")


_LOOKS: dict[str, Callable[[], str]] = {
    "rloop": _rloop,
    "Python": _python,
    "system": _system,
    "room": _room,
    "variables": _variables,
    "Java": _java,
    "options": _options,
    "AOT cache": _aot_cache,
    "poller": _poller,
}
