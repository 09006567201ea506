"""Real libraries on a TokioLoop, under load: every answer is held against what was asked.

On one worker with I/O threads, and on two where Python is free-threaded.

LIBRARIES_SECONDS says how long each is loaded; `make matrix` has a minute. A library whose server
isn't installed is skipped. docs/workers.md says how programs use these libraries.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.hazards.libraries import servers
from tests.unit.workers import needs_free_threading

SECONDS = float(os.environ.get("LIBRARIES_SECONDS", "2"))
ENDS_WITHIN_SECONDS = 120
LAST_WORDS = 10_000  # of a log: how many are shown

SERVERS = {
    "POSTGRES": (servers.postgres, "postgres"),
    "REDIS": (servers.redis, "redis-server"),
    "BACKEND": (servers.backend, sys.executable),
}

PROGRAMS = {
    "databases.asyncpg_pool": (["asyncpg"], ["POSTGRES"]),
    "databases.psycopg_pool": (["psycopg", "psycopg_pool"], ["POSTGRES"]),
    "redis_clients.redis_pool": (["redis"], ["REDIS"]),
    "redis_clients.redis_pubsub": (["redis"], ["REDIS"]),
    "http_clients.aiohttp_by_worker": (["aiohttp"], ["BACKEND"]),
    "http_clients.httpx_by_worker": (["httpx"], ["BACKEND"]),
    "together.all_clients": (
        ["asyncpg", "psycopg_pool", "redis", "aiohttp", "httpx"],
        ["POSTGRES", "REDIS", "BACKEND"],
    ),
    "hubs.by_queues": (["websockets"], []),
    "hubs.by_workers": (["websockets"], []),
}

APPS = "tests.hazards.libraries.apps"
LOOP = "rloop:TokioLoop"
UVICORN = f"uvicorn --port {{port}} --loop {LOOP} --log-level warning"
GUNICORN = (
    "gunicorn --bind 127.0.0.1:{port} --log-level warning --worker-class rloop.gunicorn.Tokio"
)
COMMANDS = {
    "uvicorn, h11": (["h11"], f"{UVICORN} --http h11 {APPS}:plain"),
    "uvicorn, httptools": (["httptools"], f"{UVICORN} --http httptools {APPS}:plain"),
    "uvicorn, starlette": (["starlette"], f"{UVICORN} --factory {APPS}:starlette"),
    "uvicorn, FastAPI": (["fastapi"], f"{UVICORN} --factory {APPS}:fastapi"),
    "hypercorn": (
        ["hypercorn"],
        f"rloop run --loop tokio -m hypercorn --bind 127.0.0.1:{{port}} {APPS}:plain",
    ),
    "aiohttp": (
        ["aiohttp"],
        f"rloop run --loop tokio -m aiohttp.web --port {{port}} {APPS}:aiohttp",
    ),
    "gunicorn, uvicorn": (["gunicorn", "uvicorn_worker"], f"{GUNICORN}UvicornWorker {APPS}:plain"),
    "gunicorn": (["gunicorn"], f"{GUNICORN}ASGIWorker {APPS}:plain"),
    "gunicorn, aiohttp": (["gunicorn", "aiohttp"], f"{GUNICORN}AiohttpWorker {APPS}:aiohttp()"),
}

pytestmark = pytest.mark.parametrize(
    "workers", ["1", pytest.param("2", marks=needs_free_threading)]
)
# What there is to say of any of these goes there
COMPLAINTS = ("Traceback", "Error", "never awaited", "never retrieved", "GIL")


def module(name: str, *args: object) -> list[str]:
    return [sys.executable, "-X", "faulthandler", "-m", name, *map(str, args)]


def answered(command: list[str], environment: Mapping[str, str]) -> str:
    """What it prints; it ends well and complains of nothing."""
    result = subprocess.run(
        command,
        env=environment,
        capture_output=True,
        text=True,
        timeout=SECONDS + ENDS_WITHIN_SECONDS,
        check=False,
    )
    said = f"{result.stdout}\n{result.stderr}"
    print(said)
    assert result.returncode == 0
    assert not [complaint for complaint in COMPLAINTS if complaint in result.stderr]
    return result.stdout


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_client_library(program: str, workers: str) -> None:
    packages, needs = PROGRAMS[program]
    for package in packages:
        pytest.importorskip(package)
    with ExitStack() as stack:
        environment = {**os.environ, "RLOOP_WORKERS": workers}
        for name in needs:
            server, server_program = SERVERS[name]
            if servers.program(server_program) is None:
                pytest.skip(f"{server_program} is not installed")
            environment[name] = stack.enter_context(server())
        answered(module("tests.hazards.libraries", program, SECONDS), environment)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_server(name: str, workers: str, tmp_path: Path) -> None:
    packages, command = COMMANDS[name]
    for package in packages:
        pytest.importorskip(package)
    port = servers.free_port()
    environment = {**os.environ, "RLOOP_WORKERS": workers}
    log = tmp_path / "log"  # no pipe, which would be full
    with log.open("wb") as output:
        process = subprocess.Popen(
            module(*command.format(port=port).split()),
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        servers.await_port(port, process)
        said = answered(module("tests.hazards.libraries.load", port, SECONDS, "http"), environment)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=ENDS_WITHIN_SECONDS)
        finally:
            process.kill()
            printed = log.read_text()
            print(printed[-LAST_WORDS:])
    assert set(json.loads(said)) == set(map(str, range(int(workers))))  # all have answered
    assert not [complaint for complaint in COMPLAINTS if complaint in printed]
    assert process.returncode in (0, -signal.SIGTERM, 128 + signal.SIGTERM)
