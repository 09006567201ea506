"""The smallest program with an event loop: what it takes more than with asyncio is start-up."""

import asyncio
import sys

import loops


async def nothing() -> None:
    pass


def main() -> None:
    loop = loops.new_event_loop(sys.argv[1])
    asyncio.set_event_loop(loop)
    loop.run_until_complete(nothing())
    loop.close()


if __name__ == "__main__":
    main()
