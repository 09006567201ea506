"""Our protocol is made without the standard library's __init__, and so it sets what that sets."""

import asyncio
from asyncio import sslproto
from enum import Enum
from typing import Any

import pytest

from tests.conftest import Loop
from tests.unit.tls.peers import certificates

# A buffer that is made when it is needed.
OURS = {"max_size", "_ssl_buffer", "_ssl_buffer_view"}


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"server_side": True},
        {"server_hostname": "localhost"},
        {"server_side": True, "server_hostname": "localhost"},
        {"ssl_handshake_timeout": 1.5, "ssl_shutdown_timeout": 2.5},
        {"call_connection_made": False},
    ],
)
async def test_every_attribute_is_there(loop: Loop, options: dict[str, Any]) -> None:
    known = certificates()
    context = known.server_context() if options.get("server_side") else known.client_context()
    arguments: tuple[Any, ...] = (loop, asyncio.Protocol(), context, None)
    model = sslproto.SSLProtocol(*arguments, **options)
    ours = _protocol_class(loop)(*arguments, **options)
    for name, value in vars(model).items():
        assert hasattr(ours, name), name
        if name not in OURS and isinstance(value, int | float | str | Enum | None):
            assert getattr(ours, name) == value, name
    for protocol in (model, ours):
        protocol._app_transport._closed = True


def _protocol_class(loop: Loop) -> type[sslproto.SSLProtocol]:
    if type(loop).__module__.startswith("asyncio"):
        return sslproto.SSLProtocol
    from rloop.transports import tls  # noqa: PLC0415  # it needs the module that Java makes

    return tls.protocol_class()
