"""The command line, ``python -m rloop``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from . import __version__, cache, doctor, flight_recorder, launch
from .program import Program

_PROGRAM = "script.py | -m module | -c code"


def main(arguments: Sequence[str]) -> int:
    """Runs a command and returns the exit code; without one it shows what there is."""
    parser = _parser()
    own, command = _split(arguments)
    chosen, unknown = parser.parse_known_args(own)
    if unknown:
        hint = "; the program comes after --" if chosen.command == "record" else ""
        parser.error(f"unrecognized arguments: {' '.join(unknown)}{hint}")
    match chosen.command:
        case "run":
            launch.main(_program(parser, "run", command), chosen.loop)
            return 0
        case "record":
            program = _program(parser, "record", command)
            with _recording(f"{parser.prog}: record: ", chosen.file, chosen.jdk_events):
                launch.main(program, chosen.loop)
            return 0
        case "doctor":
            return doctor.main(as_json=chosen.json)
        case "cache":
            return cache.main()
        case _:
            parser.print_help()
            return 0


@contextmanager
def _recording(who: str, path: str, jdk_events: str | None) -> Iterator[None]:
    """Ends the process if there can be no recording, or it isn't written."""
    try:
        recording = flight_recorder(path, jdk_events=jdk_events)
    except (OSError, RuntimeError) as error:
        sys.exit(f"{who}{error}")
    has_ended = False
    try:
        yield
        has_ended = True
    finally:
        try:
            recording.close()
        except OSError as error:
            print(f"{who}{error}", file=sys.stderr)
            if has_ended:  # otherwise the program's exception says more
                sys.exit(1)


def _split(arguments: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """What is for us, and the command line of a program, whose options are its own."""
    end = len(arguments)
    if arguments[:1] == ["record"] and "--" in arguments:
        end = arguments.index("--")
    if arguments[:1] == ["run"]:
        end = 1
        while end < len(arguments) and _is_option(arguments[end], arguments[end - 1]):
            end += 1
    return arguments[:end], arguments[end:]


def _is_option(argument: str, previous: str) -> bool:
    is_long = argument.startswith("--") and argument != "--"
    return previous == "--loop" or is_long or argument == "-h"


def _program(parser: argparse.ArgumentParser, name: str, command: Sequence[str]) -> Program:
    try:
        return Program.of(command)
    except ValueError as error:
        parser.error(f"{name}: {error}; {_PROGRAM}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m rloop",
        description="An asyncio event loop with a Java core.",
    )
    parser.add_argument("--version", action="version", version=f"rloop {__version__}")
    commands = parser.add_subparsers(dest="command", title="commands", metavar="COMMAND")

    run = commands.add_parser(
        "run",
        help="run a Python program, unchanged, on rloop",
        description="Runs a program as python does, and has asyncio make loops of rloop's for it "
        "and for the processes that it spawns.",
        usage=f"python -m rloop run [--loop {{{','.join(launch.LOOPS)}}}] {_PROGRAM} [arguments]",
    )
    _add_loop(run)

    record = commands.add_parser(
        "record",
        help="run a program as run does, and record it by Java's Flight Recorder",
        description="Runs a program as run does, and writes a flight recording of what its loops "
        "did, which `jfr print` and JDK Mission Control show.",
        usage="python -m rloop record [--loop LOOP] [--jdk-events {default,profile}] FILE.jfr -- "
        f"{_PROGRAM} [arguments]",
    )
    _add_loop(record)
    record.add_argument(
        "--jdk-events",
        choices=("default", "profile"),
        help="record what the JDK tells of itself, too",
    )
    record.add_argument("file", metavar="FILE.jfr", help="where the recording is written to")

    examine = commands.add_parser("doctor", help="tell what rloop finds here and what is wrong")
    examine.add_argument("--json", action="store_true", help="for programs")

    commands.add_parser(
        "cache", help="make the AOT cache now, which the first start would leave to the next ones"
    )
    return parser


def _add_loop(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--loop", choices=launch.LOOPS, default="rloop", help="default: %(default)s"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
