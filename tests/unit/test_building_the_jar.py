"""What the builder of the Java core promises about the jar."""

import zipfile
from pathlib import Path

import build_jar
import pytest


@pytest.fixture(scope="module")
def jars(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("jars")
    first, second = folder / "first.jar", folder / "second.jar"
    build_jar.build_jar(first)
    build_jar.build_jar(second)
    return first, second


def test_the_same_sources_give_the_same_jar(jars: tuple[Path, Path]) -> None:
    first, second = jars
    assert first.read_bytes() == second.read_bytes()


def test_the_jar_holds_our_classes_only_and_uncompressed(jars: tuple[Path, Path]) -> None:
    with zipfile.ZipFile(jars[0]) as jar:
        manifest, *classes = jar.infolist()
    assert manifest.filename == "META-INF/MANIFEST.MF"
    assert [entry.filename for entry in classes if not entry.filename.startswith("rloop/")] == []
    assert {entry.compress_type for entry in classes} == {zipfile.ZIP_STORED}
