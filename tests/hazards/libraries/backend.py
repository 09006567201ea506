"""A server for clients to ask, on asyncio's own loop: it is given its port."""

import asyncio
import sys

from .load import HOST, digest


async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while head := await _head(reader):
        fields = dict(line.split(": ", 1) for line in head.lower().split("\r\n")[1:] if line)
        data = await reader.readexactly(int(fields["content-length"]))
        said = digest(data).encode()
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(said), said))
        await writer.drain()
    writer.close()


async def _head(reader: asyncio.StreamReader) -> str:
    try:
        return (await reader.readuntil(b"\r\n\r\n")).decode()
    except (asyncio.IncompleteReadError, ConnectionError):
        return ""


async def main(port: int) -> None:
    async with await asyncio.start_server(connected, HOST, port) as server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
