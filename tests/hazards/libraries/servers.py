"""PostgreSQL and Redis, each for one test in a folder of its own."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .load import HOST

_STARTS_WITHIN_SECONDS = 60


def program(name: str) -> str | None:
    """Where it is; Debian keeps PostgreSQL's off the path."""
    debian = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return shutil.which(name) or (str(debian[-1]) if debian else None)


@contextmanager
def postgres() -> Iterator[str]:
    """Its URL."""
    with _folder("postgres") as (folder, user):
        port = free_port()
        data = str(folder / "data")
        initdb = [str(program("initdb")), "--no-sync", "--auth=trust", "-U", "postgres", "-D", data]
        subprocess.run(initdb, check=True, stdout=subprocess.DEVNULL, cwd=folder, **user)
        options = {"listen_addresses": HOST, "port": port, "fsync": "off"}
        options["unix_socket_directories"] = folder
        settings = [f"--{name}={value}" for name, value in options.items()]
        with _running([str(program("postgres")), "-D", data, *settings], port, folder, user):
            yield f"postgresql://postgres@{HOST}:{port}/postgres"


@contextmanager
def redis() -> Iterator[str]:
    """Its URL."""
    with _folder("redis") as (folder, user):
        port = free_port()
        command = [str(program("redis-server")), "--port", str(port), "--bind", HOST, "--save", ""]
        with _running(command, port, folder, user):
            yield f"redis://{HOST}:{port}"


@contextmanager
def backend() -> Iterator[str]:
    """The URL of a server of HTTP."""
    with _folder(None) as (folder, user):
        port = free_port()
        module = f"{__package__}.backend"
        with _running([sys.executable, "-m", module, str(port)], port, folder, user):
            yield f"http://{HOST}:{port}/"


def free_port() -> int:
    with socket.create_server((HOST, 0)) as sock:
        return int(sock.getsockname()[1])


def await_port(port: int, process: "subprocess.Popen[Any]") -> None:
    """Returns when somebody listens."""
    until = time.monotonic() + _STARTS_WITHIN_SECONDS
    while True:
        try:
            socket.create_connection((HOST, port)).close()
            return
        except ConnectionRefusedError:
            if time.monotonic() > until or process.poll() is not None:
                raise
            time.sleep(0.05)


@contextmanager
def _folder(owner: str | None) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Also root's servers run as somebody else, as PostgreSQL insists."""
    # Not pytest's folder, which is closed to others.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        if owner is None or os.geteuid() != 0:
            yield Path(folder), {}
        else:
            shutil.chown(folder, owner, owner)
            yield Path(folder), {"user": owner, "group": owner, "extra_groups": []}


@contextmanager
def _running(command: list[str], port: int, folder: Path, user: dict[str, Any]) -> Iterator[None]:
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, **user)
        try:
            await_port(port, process)
            yield
        finally:
            process.terminate()
            process.wait()
