"""What tests of flight recordings share: a process that is recorded, and what JDK's `jfr` reads."""

import json
import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from find_jdk import find_jdk

from rloop.java import java_home
from tests.hazards.scripts import assert_clean, on_loop, run_script

TIMEOUT_SECONDS = 240

KINDS = [
    "Iteration",
    "SlowCall",
    "Poll",
    "ConnectionOpened",
    "ConnectionClosed",
    "TlsHandshake",
]

Event = dict[str, Any]


def jfr() -> str:
    """JDK's tool."""
    for home in (java_home.find().path, str(find_jdk())):
        tool = os.path.join(home, "bin", "jfr")
        if os.path.exists(tool):
            return tool
    pytest.skip("there is no jfr")


def events(recording: Path) -> dict[str, list[Event]]:
    """The events of a recording, by kind, in order."""
    done = subprocess.run(
        [jfr(), "print", "--json", "--categories", "rloop", recording],
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, list[Event]] = {kind: [] for kind in KINDS}
    for event in json.loads(done.stdout)["recording"]["events"]:
        found[event["type"].removeprefix("rloop.")].append(event["values"])
    return found


def seconds(event: Event) -> float:
    duration = re.fullmatch(r"PT(?:([\d.]+)M)?(?:([\d.]+)S)?", event["duration"])
    assert duration is not None
    minutes, rest = duration.groups(default="0")
    return 60 * float(minutes) + float(rest)


def record(
    kind: str, recording: Path, body: str, *, env: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Runs a script that has `path`; returns what it printed, JSON."""
    head = "import asyncio, json, os, socket, sys, time, rloop\npath = sys.argv[1]\n"
    source = on_loop(kind, head, body)
    result = run_script(source, str(recording), env=env, timeout=TIMEOUT_SECONDS)
    assert_clean(result)
    printed: dict[str, Any] = json.loads(result.stdout or "{}")
    return printed
