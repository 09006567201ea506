"""Other people's TLS, at the other end: the commands `openssl` and `curl`."""

import asyncio
import shutil
import socket
import ssl
import subprocess
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.unit.tls.peers import certificates

BODY = bytes(range(97, 123)) * 4000

needs_openssl = pytest.mark.skipif(
    shutil.which("openssl") is None, reason="the command openssl is not installed here"
)
needs_curl = pytest.mark.skipif(
    shutil.which("curl") is None, reason="the command curl is not installed here"
)


@pytest.fixture
def authority(tmp_path: Path) -> str:
    """The file that tells the commands whom to trust."""
    path = tmp_path / "authority.pem"
    certificates().authority.cert_pem.write_to_path(path)
    return str(path)


@asynccontextmanager
async def web_server() -> AsyncIterator[int]:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:  # who only shakes hands
            writer.close()
            return
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(BODY)}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode())
        writer.write(BODY)
        await writer.drain()
        writer.close()

    context = certificates().server_context()
    context.set_alpn_protocols(["http/1.1"])
    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def output_of(*command: str, standard_input: bytes | None = None) -> bytes:
    """The command runs beside the loop, not on it: what is tested is TLS, not subprocesses."""

    def run() -> bytes:
        done = subprocess.run(command, input=standard_input, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode(errors="replace")
        return done.stdout

    return await asyncio.get_running_loop().run_in_executor(None, run)


@needs_curl
@pytest.mark.parametrize("version", ["1.2", "1.3"])
async def test_curl_fetches(authority: str, version: str) -> None:
    async with web_server() as port:
        body = await output_of(
            *("curl", "--silent", "--show-error", "--cacert", authority, "--http1.1"),
            *("--tls-max", version, "--resolve", f"localhost:{port}:127.0.0.1"),
            f"https://localhost:{port}/",
        )
    assert body == BODY


@needs_openssl
@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
async def test_openssls_client_agrees_on_everything(authority: str, version: str) -> None:
    async with web_server() as port:
        output = await output_of(
            *("openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", "localhost"),
            *("-CAfile", authority, "-verify_return_error", "-alpn", "http/1.1", version),
            "-ign_eof",
            standard_input=b"GET / HTTP/1.1\r\n\r\n",
        )
    assert b"Verify return code: 0 (ok)" in output
    assert b"ALPN protocol: http/1.1" in output
    assert BODY in output


@needs_openssl
async def test_openssls_client_resumes_its_session(authority: str) -> None:
    async with web_server() as port:
        output = await output_of(
            *("openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", "localhost"),
            *("-CAfile", authority, "-reconnect", "-tls1_2"),
        )
    assert output.count(b"Reused, TLSv1.2") >= 1


@asynccontextmanager
async def openssls_server(tmp_path: Path, *options: str) -> AsyncIterator[int]:
    """`openssl s_server`, that sends back each line in reverse; its port."""
    certificate = tmp_path / "server.pem"
    certificates().server.private_key_and_cert_chain_pem.write_to_path(certificate)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        *("openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert", str(certificate)),
        *("-rev", "-quiet", *options),
        stdin=PIPE,
        stdout=DEVNULL,
        stderr=DEVNULL,
    )
    try:
        await until_it_listens(port)
        yield port
    finally:
        process.kill()
        await process.wait()


async def until_it_listens(port: int) -> None:
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except ConnectionRefusedError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return


@needs_openssl
@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
async def test_openssls_server_answers(tmp_path: Path, version: str) -> None:
    context = certificates().client_context()
    context.set_alpn_protocols(["spoken by nobody", "http/1.1"])
    async with openssls_server(tmp_path, version, "-alpn", "http/1.1") as port:
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", port, ssl=context, server_hostname="localhost"
        )
        assert writer.get_extra_info("ssl_object").selected_alpn_protocol() == "http/1.1"
        for _ in range(3):
            writer.write(b"forwards\n")
            assert await reader.readline() == b"sdrawrof\n"
        writer.close()
        await writer.wait_closed()


@needs_openssl
@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
async def test_openssls_server_resumes_a_session(tmp_path: Path, version: str) -> None:
    context = certificates().client_context()
    sessions: list[ssl.SSLSession | None] = []
    reused = []

    class Resuming(ssl.SSLObject):
        def do_handshake(self) -> None:
            if sessions and self.session is None:
                self.session = sessions[-1]
            super().do_handshake()

    context.sslobject_class = Resuming
    async with openssls_server(tmp_path, version) as port:
        for _ in range(2):
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", port, ssl=context, server_hostname="localhost"
            )
            writer.write(b"forwards\n")
            assert await reader.readline() == b"sdrawrof\n"
            ssl_object = writer.get_extra_info("ssl_object")
            reused.append(ssl_object.session_reused)
            sessions.append(ssl_object.session)
            writer.close()
            await writer.wait_closed()
    assert reused == [False, True]
