"""Applications that answer with the worker's number and the digest of what they were sent."""

from typing import Any

from .front import here
from .load import digest


def answer(data: bytes) -> bytes:
    return f"{here()} {digest(data)}".encode()


async def plain(scope: Any, receive: Any, send: Any) -> None:
    """ASGI without a framework."""
    if scope["type"] != "http":
        raise NotImplementedError(scope["type"])  # as servers expect of who has no lifespan
    data = bytearray()
    while (message := await receive()).get("more_body") or message.get("body"):
        data += message["body"]
        if not message.get("more_body"):
            break
    said = answer(bytes(data))
    headers = [(b"content-length", str(len(said)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": said})


def starlette() -> Any:
    from starlette.applications import Starlette  # noqa: PLC0415
    from starlette.requests import Request  # noqa: PLC0415
    from starlette.responses import Response  # noqa: PLC0415
    from starlette.routing import Route  # noqa: PLC0415

    async def digested(request: Request) -> Response:
        return Response(answer(await request.body()))

    return Starlette(routes=[Route("/", digested, methods=["POST"])])


def fastapi() -> Any:
    """Also with what FastAPI runs in threads: a dependency that is a plain function."""
    from fastapi import Depends, FastAPI, Request, Response  # noqa: PLC0415

    app = FastAPI()

    def length(request: Request) -> int:
        return int(request.headers["content-length"])

    async def digested(request: Request, expected: int = Depends(length)) -> Response:
        data = await request.body()
        assert len(data) == expected
        return Response(answer(data))

    # What annotations say FastAPI looks up where the function is defined: all in this function.
    digested.__annotations__ |= {"request": Request, "return": Response}
    length.__annotations__ |= {"request": Request}
    app.post("/")(digested)
    return app


def aiohttp(_: object = None) -> Any:
    from aiohttp import web  # noqa: PLC0415

    async def digested(request: web.Request) -> web.Response:
        return web.Response(body=answer(await request.read()))

    app = web.Application()
    app.router.add_post("/", digested)
    return app
