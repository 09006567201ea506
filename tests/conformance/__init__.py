"""Tests of other projects, run on rloop: `python -m tests.conformance --help`.

CPython's and uvloop's are made of unittest's classes; each of their modules runs in a process of
its own (`worker.py`). The others run under pytest, first on asyncio, then on rloop (`plugin.py`):
what asyncio fails doesn't count. In all of them a test passes only if it made a loop of rloop's,
or, under pytest, if the suite made some.
"""
