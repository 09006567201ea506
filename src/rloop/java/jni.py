"""The few calls of the Java Native Interface that start the virtual machine, made with ctypes.

They exist to reach one static Java method. What that method returns is a Python object, and from
then on nothing goes through here any more.

Every function is called with the GIL held (``PyDLL``, ``PYFUNCTYPE``): Java calls CPython's C API.
"""

from __future__ import annotations

import ctypes
import locale
import os
from collections.abc import Callable, Sequence
from ctypes import POINTER, PYFUNCTYPE, byref, c_char_p, c_int, c_ubyte, c_void_p
from functools import partial
from operator import call
from typing import Any

from rloop.errors import JavaStartError

from .lost_thread import LosableThread

_JNI_VERSION = 0x00150000  # JNI_VERSION_21; all that is called here is older

# Positions in the tables of functions, from the chapters "JNI Functions" and "The Invocation API"
# of the Java Native Interface Specification. The first arguments are always the environment (or
# the VM) itself.
_FIND_CLASS = 6
_EXCEPTION_OCCURRED = 15
_EXCEPTION_CLEAR = 17
_GET_OBJECT_CLASS = 31
_GET_METHOD_ID = 33
_CALL_OBJECT_METHOD_A = 36
_GET_STATIC_METHOD_ID = 113
_CALL_STATIC_LONG_METHOD_A = 134
_GET_STRING_UTF_CHARS = 169
_DESTROY_JAVA_VM = 3
_ATTACH_CURRENT_THREAD = 4
_DETACH_CURRENT_THREAD = 5

_CREATE_ERRORS = {
    -1: "what it found stands on stderr; check RLOOP_JAVA_OPTIONS and RLOOP_JAVA_HEAP",
    -2: "the thread is detached from the VM",
    -3: "this Java does not know the version of the interface that rloop asks for",
    -4: "not enough memory to reserve the heap (RLOOP_JAVA_HEAP)",
    -5: "a process can have one Java virtual machine, and something else started it before",
    -6: "invalid arguments: check RLOOP_JAVA_OPTIONS and RLOOP_JAVA_HEAP",
}


class _Option(ctypes.Structure):
    """JavaVMOption."""

    _fields_ = (("text", c_char_p), ("extra", c_void_p))


class _Arguments(ctypes.Structure):
    """JavaVMInitArgs."""

    _fields_ = (
        ("version", c_int),
        ("option_count", c_int),
        ("options", POINTER(_Option)),
        ("ignore_unrecognized", c_ubyte),
    )


# The virtual machine calls it whenever it ends the process, however much later: kept for ever.
_abort_hooks: list[Any] = []


_AbortHook = PYFUNCTYPE(None)

_STDERR = 2
_LAST_LINE = (
    b"rloop: Java, which runs in this process, cannot go on and ends it: most likely it got no "
    b"more memory. Check the limits of the process and its container (ulimit -a)\n"
)


class JavaVM:
    """The virtual machine of this process, seen from the thread that created it."""

    def __init__(self, libjvm: str, options: Sequence[str]) -> None:
        """Creates the virtual machine."""
        try:
            library = ctypes.PyDLL(libjvm)
        except OSError as error:
            raise JavaStartError(f"cannot load {libjvm}: {error}") from error
        self._vm = c_void_p()
        self._env = c_void_p()
        thread = LosableThread()
        restore_locale = _restoring_locale()

        def abort() -> None:
            if thread.is_current():
                restore_locale()
                thread.lose()
            os.write(_STDERR, _LAST_LINE)

        _abort_hooks.append(_AbortHook(abort))
        creation = partial(
            library.JNI_CreateJavaVM,
            byref(self._vm),
            byref(self._env),
            byref(_arguments(options, _abort_hooks[-1])),
        )

        steps: tuple[Callable[[], Any], ...] = (creation, restore_locale)

        def create() -> None:
            # By a C loop: no other Python thread runs in between.
            code, _ = map(call, steps)
            if code != 0:
                reason = _CREATE_ERRORS.get(code, "a code that the JNI specification does not name")
                raise JavaStartError(
                    f"rloop's Java did not start, JNI_CreateJavaVM returned {code}: {reason}"
                )
            self.detach()

        if not thread.run(create):
            raise JavaStartError(
                "rloop's Java gave up while it started; what it found stands on stderr. Check the "
                "limits of this process and its container (ulimit -a), and RLOOP_JAVA_HEAP and "
                "RLOOP_JAVA_OPTIONS if they are set"
            )
        self._invocation(_ATTACH_CURRENT_THREAD, byref(self._env), None)

    def call(self, class_name: str, method: str) -> Any:
        """What the static method ``long method()`` returns: a new reference to a Python object."""
        owner = self._jni(_FIND_CLASS, c_void_p, c_char_p)(class_name.encode())
        self._raise_pending(f"class {class_name} was not found")
        method_id = self._jni(_GET_STATIC_METHOD_ID, c_void_p, c_void_p, c_char_p, c_char_p)(
            owner, method.encode(), b"()J"
        )
        self._raise_pending(f"{class_name} has no static method long {method}()")
        call = self._jni(_CALL_STATIC_LONG_METHOD_A, c_void_p, c_void_p, c_void_p, c_void_p)
        # Where Java has set a Python exception, ctypes raises it here.
        address = call(owner, method_id, None)
        self._raise_pending(f"{class_name}.{method}() failed")
        if not address:
            raise JavaStartError(f"{class_name}.{method}() returned nothing")
        result = ctypes.cast(address, ctypes.py_object)
        python_object = result.value  # which has a reference of its own
        ctypes.pythonapi.Py_DecRef(result)
        return python_object

    def detach(self) -> None:
        """Takes the VM's guard pages off the stack of this thread, which may end soon.

        A thread that calls Java later is attached by the call, and detached when it ends.
        """
        self._invocation(_DETACH_CURRENT_THREAD)

    def destroy(self) -> None:
        """Ends Java. What it made is dead afterwards: only for a process about to exit."""
        self._invocation(_DESTROY_JAVA_VM)

    def _invocation(self, index: int, *arguments: Any) -> None:
        types = [c_void_p] * len(arguments)
        function = PYFUNCTYPE(c_int, c_void_p, *types)(_function(self._vm, index))
        code = function(self._vm, *arguments)
        if code != 0:
            raise JavaStartError(
                f"the Java virtual machine refused request {index} with code {code}"
            )

    def _jni(self, index: int, result: Any, *parameters: Any) -> Any:
        function = PYFUNCTYPE(result, c_void_p, *parameters)(_function(self._env, index))
        return lambda *arguments: function(self._env, *arguments)

    def _raise_pending(self, failure: str) -> None:
        """Turns the Java exception of the last call, if there is one, into a JavaStartError."""
        throwable = self._jni(_EXCEPTION_OCCURRED, c_void_p)()
        if throwable:
            self._jni(_EXCEPTION_CLEAR, None)()
            raise JavaStartError(f"{failure}: {self._chain(throwable)}")

    def _chain(self, throwable: int) -> str:
        """The exception and its causes, each as Java's toString() gives it."""
        texts = []
        cause: int | None = throwable
        while cause:
            text = self._call_object(cause, b"toString", b"()Ljava/lang/String;")
            chars = self._jni(_GET_STRING_UTF_CHARS, c_char_p, c_void_p, c_void_p)(text, None)
            texts.append(chars.decode("utf-8", "replace"))
            cause = self._call_object(cause, b"getCause", b"()Ljava/lang/Throwable;")
        return ", caused by ".join(texts)

    def _call_object(self, receiver: int, method: bytes, signature: bytes) -> int | None:
        owner = self._jni(_GET_OBJECT_CLASS, c_void_p, c_void_p)(receiver)
        method_id = self._jni(_GET_METHOD_ID, c_void_p, c_void_p, c_char_p, c_char_p)(
            owner, method, signature
        )
        call = self._jni(_CALL_OBJECT_METHOD_A, c_void_p, c_void_p, c_void_p, c_void_p)
        result: int | None = call(receiver, method_id, None)
        return result


def _function(interface: c_void_p, index: int) -> int:
    """Entry ``index`` of the table that the interface pointer points to."""
    table = ctypes.cast(interface, POINTER(POINTER(c_void_p)))[0]
    address: int = table[index]
    return address


def _arguments(options: Sequence[str], abort_hook: Any) -> _Arguments:
    array = (_Option * (len(options) + 1))(
        *(_Option(os.fsencode(option), None) for option in options),
        _Option(b"abort", ctypes.cast(abort_hook, c_void_p)),
    )
    return _Arguments(_JNI_VERSION, len(array), array, ignore_unrecognized=False)


def _restoring_locale() -> Callable[[], object]:
    """A C function that makes the process's locale, which Java changes, what it is now."""
    setlocale = ctypes.PyDLL(None).setlocale
    setlocale.argtypes = (c_int, c_char_p)
    setlocale.restype = c_char_p
    return partial(setlocale, locale.LC_ALL, setlocale(locale.LC_ALL, None))
