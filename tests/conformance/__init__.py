"""CPython's own tests of asyncio, run on rloop: `python -m tests.conformance --help`."""
