"""The files that Java opens are found among those that others open and close meanwhile."""

import os
from pathlib import Path

import pytest

from rloop.java import descriptors


def test_a_file_that_is_closed_meanwhile_is_nobody_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, others = tmp_path / "ours", tmp_path / "others"
    for path in (ours, others):
        path.touch()
    opened = {path: os.open(path, os.O_RDONLY) for path in (ours, others)}
    closed = os.dup(opened[ours])
    os.close(closed)
    seen = iter([set(), {*opened.values(), closed}])
    monkeypatch.setattr(descriptors, "_open_files", lambda: next(seen))
    for descriptor in opened.values():
        os.set_inheritable(descriptor, True)
    with descriptors.closed_on_exec(str(ours)):
        pass
    assert not os.get_inheritable(opened[ours])
    assert os.get_inheritable(opened[others])
    for descriptor in opened.values():
        os.close(descriptor)
