"""The worker classes for gunicorn, in a real one."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

pytest.importorskip("gunicorn")

PATIENCE_SECONDS = 30

ASGI = """
import asyncio, os

async def app(scope, receive, send):
    assert scope["type"] == "http"
    body = f"{type(asyncio.get_running_loop()).__name__} {os.getpid()}".encode()
    await send({
        "type": "http.response.start", "status": 200,
        "headers": [(b"content-length", str(len(body)).encode())],
    })
    await send({"type": "http.response.body", "body": body})
"""

AIOHTTP = """
import asyncio, os
from aiohttp import web

async def hello(request):
    return web.Response(text=f"{type(asyncio.get_running_loop()).__name__} {os.getpid()}")

async def app():
    application = web.Application()
    application.router.add_get("/", hello)
    return application
"""

APPLICATIONS = {"ASGIWorker": ASGI, "UvicornWorker": ASGI, "AiohttpWorker": AIOHTTP}

WORKERS = [
    (f"{prefix}{worker}", loop)
    for worker in APPLICATIONS
    for prefix, loop in (("", "RLoop"), ("Tokio", "TokioLoop"))
]


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost")
        self._path = str(path)

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(PATIENCE_SECONDS)
        self.sock.connect(self._path)


def get(path: Path) -> str:
    with closing(UnixConnection(path)) as connection:
        connection.request("GET", "/")
        response = connection.getresponse()
        assert response.status == 200
        return response.read().decode()


@contextmanager
def gunicorn(
    folder: Path, source: str, *options: str
) -> Iterator[tuple[Path, "subprocess.Popen[str]"]]:
    """Its socket, and its process, which is ended afterwards and must not have complained."""
    (folder / "program.py").write_text(source)
    address = folder / "s"
    command = [sys.executable, "-m", "gunicorn", "--bind", f"unix:{address}", *options]
    process = subprocess.Popen(
        [*command, "--no-control-socket", "program:app"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        wait_until_it_serves(address, process)
        yield address, process
        process.terminate()
        output, _ = process.communicate(timeout=PATIENCE_SECONDS)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0, output
    assert "Traceback" not in output, output
    assert "Java" not in output, output


def wait_until_it_serves(address: Path, process: "subprocess.Popen[str]") -> None:
    for _ in range(PATIENCE_SECONDS * 20):
        try:
            get(address)
        except (OSError, http.client.HTTPException):
            assert process.poll() is None, process.communicate()[0]
            time.sleep(0.05)
        else:
            return
    pytest.fail("gunicorn did not begin to serve")


@pytest.mark.parametrize(("worker", "loop_class"), WORKERS)
def test_each_worker_class_serves_on_its_loop(worker: str, loop_class: str, tmp_path: Path) -> None:
    application = APPLICATIONS[worker.removeprefix("Tokio")]
    with gunicorn(tmp_path, application, "-k", f"rloop.gunicorn.{worker}") as (address, _):
        assert get(address).split()[0] == loop_class


def test_several_workers_and_new_ones_after_a_reload(tmp_path: Path) -> None:
    options = ("-k", "rloop.gunicorn.UvicornWorker", "--workers", "2", "--preload")
    with gunicorn(tmp_path, ASGI, *options) as (address, process):
        before = set(pids(address, 2))
        os.kill(process.pid, signal.SIGHUP)
        while not before.isdisjoint(pids(address, 1)):
            time.sleep(0.1)
        assert len(pids(address, 2)) == 2


def pids(address: Path, count: int) -> set[str]:
    """Of so many workers that answer on an RLoop."""
    found: set[str] = set()
    while len(found) < count:
        loop_class, pid = get(address).split()
        assert loop_class == "RLoop"
        found.add(pid)
    return found


def test_another_worker_class_is_put_on_ours_by_the_mixin(tmp_path: Path) -> None:
    own = """
from gunicorn.workers.gasgi import ASGIWorker
from rloop.gunicorn import OnTokioLoop

class Mine(OnTokioLoop, ASGIWorker):
    pass
"""
    (tmp_path / "own.py").write_text(own)
    with gunicorn(tmp_path, ASGI, "-k", "own.Mine") as (address, _):
        assert get(address).split()[0] == "TokioLoop"


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import rloop.gunicorn  # noqa: PLC0415

    monkeypatch.setitem(sys.modules, "uvicorn_worker", None)
    vars(rloop.gunicorn).pop("UvicornWorker", None)
    with pytest.raises(ImportError, match="pip install 'uvicorn-worker'"):
        rloop.gunicorn.UvicornWorker  # noqa: B018
    with pytest.raises(AttributeError, match="no attribute 'Walker'"):
        rloop.gunicorn.Walker  # noqa: B018
