"""The documentation's recipes: the files and commands of a page, run as a reader would run them.

A code block with a title is a file. In a block ``console`` each line that begins with ``$`` is a
command, and the lines below it are what it prints; ``...`` stands for anything. A command that is
followed by ``$ curl`` is a server, which gets its port from the test.
"""

import doctest
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "docs"
PATIENCE_SECONDS = 30
PORT = "8000"  # as the pages have it

_BLOCK = re.compile(r"^```(?P<language>\w*)(?P<options>[^\n]*)\n(?P<text>.*?)^```$", re.M | re.S)
_HEADING = re.compile(r"^#+ (.*)$", re.M)
_TITLE = re.compile(r'title="([^"]+)"')
_HOST = "127.0.0.1"

# The virtual environment's programs come first.
ENVIRONMENT = {
    **os.environ,
    "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
    "PYTHONDONTWRITEBYTECODE": "1",
}


@dataclass(frozen=True)
class Block:
    page: str
    section: str
    language: str
    title: str
    text: str


def blocks(page: Path) -> Iterator[Block]:
    text = page.read_text()
    for found in _BLOCK.finditer(text):
        before = _BLOCK.sub("", text[: found.start()])
        title = _TITLE.search(found["options"])
        yield Block(
            page.stem,
            _HEADING.findall(before)[-1],
            found["language"],
            title[1] if title else "",
            found["text"],
        )


def write_files(page: str, folder: Path, section: str) -> None:
    """The files of the page's sections up to this one: a later one may replace an earlier."""
    known = list(blocks(PAGES / f"{page}.md"))
    last = max(index for index, block in enumerate(known) if block.section == section)
    for block in known[: last + 1]:
        if block.title:
            path = folder / block.title
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text)


def run(console: str, folder: Path) -> None:
    """Runs the commands of a block; fails if one prints something else."""
    commands = [
        (command, expected)
        for command, expected in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", console, re.M)
    ]
    for (command, expected), (following, answer) in zip(
        commands, [*commands[1:], ("", "")], strict=True
    ):
        if following.startswith("curl "):
            _serve(command, shlex.split(following)[-1], answer, folder)
        elif not command.startswith("curl "):
            done = subprocess.run(
                shlex.split(command),
                cwd=folder,
                env=ENVIRONMENT,
                capture_output=True,
                text=True,
                timeout=PATIENCE_SECONDS,
                check=False,
            )
            assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
            _compare(done.stdout, expected)


def _compare(output: str, expected: str) -> None:
    matches = doctest.OutputChecker().check_output(expected, output, doctest.ELLIPSIS)
    assert matches, f"expected:\n{expected}\nfound:\n{output}"


def _serve(command: str, url: str, answer: str, folder: Path) -> None:
    """Starts a server, asks it, ends it."""
    port = _free_port()
    for file in folder.glob("*.py"):
        file.write_text(re.sub(rf"\b{PORT}\b", port, file.read_text()))
    output = folder / "output"
    with output.open("w") as written:
        server = subprocess.Popen(
            [*shlex.split(command), *_port_options(command, port)],
            cwd=folder,
            env=ENVIRONMENT,
            stdout=written,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        found = _ask(url.replace(PORT, port), server)
        assert found is not None, output.read_text()
        _compare(found + "\n", answer)
        server.terminate()
        server.wait(PATIENCE_SECONDS)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def _port_options(command: str, port: str) -> list[str]:
    """How each server is told of another port than the one that it has by itself."""
    program = shlex.split(command.removeprefix("python -m rloop run -m "))[0]
    return {
        "uvicorn": ["--port", port],
        "granian": ["--port", port],
        "gunicorn": ["--bind", f"{_HOST}:{port}", "--no-control-socket"],
        "hypercorn": ["--bind", f"{_HOST}:{port}"],
    }.get(program, [])


def _free_port() -> str:
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        return str(probe.getsockname()[1])


def _ask(url: str, server: "subprocess.Popen[bytes]") -> str | None:
    """What the server answers; None if it ends before it does, or never begins to."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=PATIENCE_SECONDS) as response:
                return str(response.read().decode())
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.05)
    return None
