"""Runs a Python program inside this process as ``python`` itself would run it.

What it can see is as there: ``sys.argv``, ``sys.path``, ``__main__``, the traceback of an exception
that nobody caught, the exit code.
"""

from __future__ import annotations

import builtins
import linecache
import os
import pkgutil
import runpy
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import machinery
from types import CodeType, ModuleType, TracebackType
from typing import Any

_CODE_NAME = "<string>"
_CANNOT_OPEN = 2

# What python does, by version.
_SHOWS_CODE_LINES = sys.version_info >= (3, 13)
_DEDENTS_CODE = sys.version_info >= (3, 14)
_ANNOTATES_LATE = sys.version_info >= (3, 14)
_NAMES_COMPILED_FILE = sys.version_info < (3, 15)


@dataclass(frozen=True)
class Program:
    """A script, a module (``-m``) or a piece of code (``-c``), with its arguments."""

    kind: str
    name: str
    arguments: Sequence[str]

    @classmethod
    def of(cls, command: Sequence[str]) -> Program:
        """What a command line says from the program on; ``ValueError`` if that is none."""
        match command:
            case ["--", *rest] if rest:
                return cls.of(rest)
            case [("-m" | "-c") as kind, name, *arguments]:
                return cls(kind, name, arguments)
            case [script, *arguments] if not script.startswith("-"):
                return cls("script", script, arguments)
            case [option, *arguments] if option[:2] in {"-m", "-c"} and option[2:]:
                return cls(option[:2], option[2:], arguments)
            case _:
                raise ValueError("a script, -m MODULE or -c CODE is missing")

    def run(self) -> None:
        """Runs it in a new ``__main__``; what it raises comes out, its traceback as python's."""
        before = sys.modules["__main__"]  # whose code still runs, and needs its names
        sys.modules["__main__"] = _new_main()
        run = {"-m": self._run_module, "-c": self._run_code, "script": self._run_script}[self.kind]
        try:
            run()
        except SystemExit:
            raise
        except BaseException as error:
            _hide_own_frames(error)
            raise
        finally:
            del before

    def _run_module(self) -> None:
        sys.argv[:] = ["-m", *self.arguments]
        runpy._run_module_as_main(self.name)  # type: ignore[attr-defined]  # as python -m does

    def _run_code(self) -> None:
        sys.argv[:] = ["-c", *self.arguments]
        _set_first_path("")
        text = textwrap.dedent(self.name) if _DEDENTS_CODE else self.name
        if _SHOWS_CODE_LINES:
            lines = text.splitlines(keepends=True)
            linecache.cache[_CODE_NAME] = (len(text), None, lines, _CODE_NAME)
        _execute(compile(text, _CODE_NAME, "exec", dont_inherit=True))

    def _run_script(self) -> None:
        sys.argv[:] = [self.name, *self.arguments]
        if pkgutil.get_importer(self.name) is not None:
            self._run_archive()
            return
        path = os.path.abspath(self.name)
        _set_first_path(os.path.dirname(os.path.realpath(path)))
        is_compiled = path.endswith(tuple(machinery.BYTECODE_SUFFIXES))
        make_loader: Any = (
            machinery.SourcelessFileLoader if is_compiled else machinery.SourceFileLoader
        )
        loader = make_loader("__main__", path)
        try:
            content = loader.get_data(path)
        except OSError as error:
            print(
                f"{sys.executable}: can't open file {path!r}: [Errno {error.errno}] "
                f"{error.strerror}",
                file=sys.stderr,
            )
            sys.exit(_CANNOT_OPEN)
        code = (
            loader.get_code("__main__")
            if is_compiled
            else compile(content, path, "exec", dont_inherit=True)
        )
        names = {"__cached__": None} if _NAMES_COMPILED_FILE else {}
        _execute(code, __file__=path, __loader__=loader, **names)

    def _run_archive(self) -> None:
        """A folder or an archive with a ``__main__.py``."""
        _set_first_path(os.path.abspath(self.name), even_if_safe=True)
        runpy._run_module_as_main("__main__", alter_argv=False)  # type: ignore[attr-defined]


def _new_main() -> ModuleType:
    main = ModuleType("__main__")
    vars(main).update(__builtins__=builtins, __loader__=machinery.BuiltinImporter)
    if not _ANNOTATES_LATE:
        vars(main)["__annotations__"] = {}
    return main


def _set_first_path(folder: str, *, even_if_safe: bool = False) -> None:
    """Puts the program's folder where python, run with ``-m``, has put the current one."""
    if not sys.flags.safe_path:
        sys.path[0] = folder
    elif even_if_safe:
        sys.path.insert(0, folder)


def _execute(code: CodeType, **names: object) -> None:
    main = sys.modules["__main__"]
    vars(main).update(names)
    exec(code, vars(main))


def _hide_own_frames(error: BaseException) -> None:
    """Has whoever reports the exception see none of the frames that lead to the program."""
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_frame.f_code.co_filename == __file__:
        traceback = traceback.tb_next
    report = sys.excepthook

    def report_without_own_frames(
        kind: type[BaseException], value: BaseException, shown: TracebackType | None
    ) -> None:
        if value is error:
            # Further up frames were added, and where the interpreter keeps it for debuggers.
            value.__traceback__ = sys.last_traceback = shown = traceback
        report(kind, value, shown)

    sys.excepthook = report_without_own_frames
