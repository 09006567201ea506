"""What fixtures tests of hazards share."""

from pathlib import Path

import pytest


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Where a flight recording is to be."""
    return tmp_path / "recording.jfr"
