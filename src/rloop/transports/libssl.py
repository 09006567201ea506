"""The OpenSSL that Python's ``ssl`` module uses, for Java to use on the same connections.

An ``ssl.SSLObject`` does not tell its ``SSL*``. In the structure behind it that pointer stands
before one to the context, which is known; so it is looked for, and what is found has to prove
itself before it is relied on: by what OpenSSL says of it, and by data that Java sends from one end
of a connection in memory to the other. Where anything is not as expected, or ``RLOOP_TLS`` asks for
``stdlib``, TLS is the standard library's, over our transports.
"""

from __future__ import annotations

import _ssl
import ctypes
import functools
import os
import ssl
from asyncio.log import logger
from typing import Any

from rloop import _core, errors
from rloop.java import fork, settings

from . import base

_WORD = ctypes.sizeof(ctypes.c_void_p)

# Needs no certificate, which there is none of here. Python's own contexts never offer it.
_ANONYMOUS = "aNULL:@SECLEVEL=0"


@functools.cache
def refusal() -> str | None:
    """Why TLS is the standard library's; None where it is ours."""
    if settings.tls() == "stdlib":
        return "RLOOP_TLS=stdlib"
    try:
        _connect()
    except errors.UnknownLibsslError as error:
        logger.warning("TLS by the standard library, which is slower: %s", error)
        return str(error)
    return None


def error_of(code: int) -> ssl.SSLError:
    """What Python raises for an error that OpenSSL gives this code."""
    library = _string("ERR_lib_error_string", code).removesuffix(" routines")
    text = _string("ERR_reason_error_string", code)
    reason = text.upper().replace(" ", "_")
    error = ssl.SSLError(ssl.SSLErrorNumber.SSL_ERROR_SSL, f"[{library}: {reason}] {text}")
    error.library, error.reason = library, reason
    return error


def _string(function: str, code: int) -> str:
    look_up = getattr(_library(), function)
    look_up.argtypes, look_up.restype = [ctypes.c_ulong], ctypes.c_char_p
    text: bytes | None = look_up(code)
    return text.decode() if text else "unknown error"


def _connect() -> None:
    """Finds all that Java needs and gives it to Java."""
    _check_version()
    server, client = End(server_side=True), End(server_side=False)
    offset = server.offset_of_ssl()
    if client.offset_of_ssl() != offset:
        raise errors.UnknownLibsslError("two SSLObjects have their SSL* in different places")
    server.check_ssl(offset)
    client.check_ssl(offset)
    _shake_hands(server, client)
    _core.add_tls(_library()._handle, offset)
    fork.forbid_methods_in_children(*base.BaseTransport.__bases__)
    try:
        is_right = all(
            _core.exchange_tls(one.socket, other.socket)
            for one, other in ((server, client), (client, server))
        )
    except SystemError as error:  # OpenSSL lacks a function
        raise errors.UnknownLibsslError(str(error)) from error
    if not is_right:
        raise errors.UnknownLibsslError("data sent through it came out changed")


@functools.cache
def _library() -> ctypes.CDLL:
    """What is linked with OpenSSL: so its symbols are found, and not those of another OpenSSL."""
    if not getattr(_ssl, "__file__", None):
        raise errors.UnknownLibsslError("the module _ssl is built into this Python")
    try:
        return ctypes.CDLL(_ssl.__file__, mode=os.RTLD_NOLOAD | os.RTLD_LAZY)
    except OSError as error:
        raise errors.UnknownLibsslError(f"the module _ssl cannot be opened: {error}") from error


def _call(function: str, *pointers: int) -> int:
    """Calls a function of OpenSSL that takes and returns pointers or numbers."""
    found = getattr(_library(), function)
    found.argtypes, found.restype = [ctypes.c_void_p] * len(pointers), ctypes.c_size_t
    return int(found(*pointers))


def _check_version() -> None:
    if not ssl.OPENSSL_VERSION.startswith("OpenSSL "):
        raise errors.UnknownLibsslError(f"{ssl.OPENSSL_VERSION} is not OpenSSL")
    try:
        loaded = _call("OpenSSL_version_num")
    except AttributeError as error:
        raise errors.UnknownLibsslError("OpenSSL is hidden inside the module _ssl") from error
    if loaded != ssl.OPENSSL_VERSION_NUMBER:
        raise errors.UnknownLibsslError(
            f"OpenSSL says that it is {loaded:#x}, Python has {ssl.OPENSSL_VERSION_NUMBER:#x}"
        )


class End:
    """One end of a connection in memory."""

    def __init__(self, *, server_side: bool) -> None:
        """Before its handshake."""
        # C's class: there may be a program's own in the place of ssl.SSLContext.
        self.context = _ssl._SSLContext(
            _ssl.PROTOCOL_TLS_SERVER if server_side else _ssl.PROTOCOL_TLS_CLIENT
        )
        self.context.check_hostname = False
        self.context.verify_mode = _ssl.CERT_NONE
        self.context.maximum_version = _ssl.PROTO_TLSv1_2
        try:
            self.context.set_ciphers(_ANONYMOUS)
        except ssl.SSLError as error:
            raise errors.UnknownLibsslError(f"it cannot be tried out: {error}") from error
        self.incoming, self.outgoing = _ssl.MemoryBIO(), _ssl.MemoryBIO()
        self.socket: Any = self.context._wrap_bio(self.incoming, self.outgoing, server_side)  # type: ignore[attr-defined]

    def offset_of_ssl(self) -> int:
        """Where the structure behind the object has its ``SSL*``: before that to the context."""
        size = type(self.socket).__basicsize__
        words = [_word_at(id(self.socket) + offset) for offset in range(0, size, _WORD)]
        if words.count(id(self.context)) != 1:
            raise errors.UnknownLibsslError("an SSLObject does not refer to its context once")
        offset = (words.index(id(self.context)) - 1) * _WORD
        if offset < object.__basicsize__ or not words[offset // _WORD]:
            raise errors.UnknownLibsslError("no SSL* stands before an SSLObject's context")
        return offset

    def check_ssl(self, offset: int) -> None:
        """Raises unless what stands there is the ``SSL`` of this context and these BIOs."""
        found = _word_at(id(self.socket) + offset)
        for function, owner in (
            ("SSL_get_SSL_CTX", self.context),
            ("SSL_get_rbio", self.incoming),
            ("SSL_get_wbio", self.outgoing),
        ):
            # What these objects are about stands first in them.
            if _call(function, found) != _word_at(id(owner) + object.__basicsize__):
                raise errors.UnknownLibsslError(f"{function}() does not confirm the SSL* found")


def _word_at(address: int) -> int:
    return ctypes.c_size_t.from_address(address).value


def _shake_hands(server: End, client: End) -> None:
    waiting = [client, server]
    while waiting:
        end = waiting.pop(0)
        try:
            end.socket.do_handshake()
        except ssl.SSLWantReadError:
            waiting.append(end)
        except ssl.SSLError as error:
            raise errors.UnknownLibsslError(f"it cannot be tried out: {error}") from error
        server.incoming.write(client.outgoing.read())
        client.incoming.write(server.outgoing.read())
