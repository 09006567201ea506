"""Event loops by the names that the benchmark gives them, for the process that is measured."""

import asyncio
import importlib

# The Rust rloop and this one share a module name: the virtual environment decides which it is.
MODULES = {
    "asyncio": "asyncio",
    "uvloop": "uvloop",
    "rloop": "rloop",
    "tokio": "rloop",
    "rloop-rust": "rloop",
    "zuvloop": "zuvloop",
    # Transports of its own, on another loop
    "aiofastnet": "uvloop",
    "rloop+aiofastnet": "rloop",
}


def new_event_loop(name: str) -> asyncio.AbstractEventLoop:
    module = importlib.import_module(MODULES[name])
    make = module.new_tokio_event_loop if name == "tokio" else module.new_event_loop
    loop: asyncio.AbstractEventLoop = make()
    if name.endswith("aiofastnet"):
        importlib.import_module("aiofastnet").patch_loop(loop)
    return loop
