"""Runs one of the programs."""

import asyncio
import importlib
import sys

import rloop


def main(name: str, seconds: float) -> None:
    module, _, function = name.partition(".")
    program = getattr(importlib.import_module(f"{__package__}.{module}"), function)
    with asyncio.Runner(loop_factory=rloop.TokioLoop) as runner:
        loop = runner.get_loop()
        failures: list[dict[str, object]] = []

        def tell(loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
            failures.append(context)
            loop.default_exception_handler(context)

        loop.set_exception_handler(tell)
        runner.run(program(seconds))
        if failures:
            raise SystemExit(f"the loop's exception handler was called {len(failures)} times")


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
