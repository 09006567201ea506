"""Which JDK compiles the Java core, and what is said where there is none."""

from pathlib import Path

import find_jdk
import pytest


@pytest.fixture(autouse=True)
def usual_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The only place where this machine seems to have a Java."""
    for name in ("RLOOP_JDK", "JAVA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(find_jdk, "_INSTALL_FOLDERS", (f"{tmp_path}/usual/*",))
    return tmp_path / "usual"


def install_java(home: Path, release: str, *programs: str) -> Path:
    (home / "bin").mkdir(parents=True)
    (home / "release").write_text(release, encoding="utf-8")
    for program in programs:
        (home / "bin" / program).touch(mode=0o755)
    return home


def test_the_first_that_is_new_enough_is_taken(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, usual_folder: Path
) -> None:
    old = install_java(tmp_path / "old", 'JAVA_VERSION="17.0.15"\n', "java", "javac")
    new = install_java(usual_folder / "new", 'JAVA_VERSION="25.0.3"\n', "java", "javac")
    monkeypatch.setenv("JAVA_HOME", str(old))
    assert find_jdk.find_jdk() == new


def test_the_one_whose_javac_is_on_the_path_is_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    home = install_java(tmp_path / "somewhere", 'JAVA_VERSION="26"\n', "javac")
    monkeypatch.setenv("PATH", str(home / "bin"))
    assert find_jdk.find_jdk() == home


def test_no_other_is_looked_at_when_one_is_chosen(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, usual_folder: Path
) -> None:
    install_java(usual_folder / "new", 'JAVA_VERSION="25"\n', "javac")
    monkeypatch.setenv("RLOOP_JDK", str(tmp_path / "missing"))
    with pytest.raises(find_jdk.BuildError, match="missing: no file 'release'"):
        find_jdk.find_jdk()


def test_the_error_says_what_was_found_and_how_to_get_a_jdk(usual_folder: Path) -> None:
    install_java(usual_folder / "old", 'JAVA_VERSION="24.0.1"\n', "javac")
    install_java(usual_folder / "runtime", 'JAVA_VERSION="25"\n', "java")
    install_java(usual_folder / "strange", "IMPLEMENTOR=nobody\n", "javac")
    with pytest.raises(find_jdk.BuildError) as caught:
        find_jdk.find_jdk()
    message = str(caught.value)
    assert "old: Java 24, too old" in message
    assert "runtime: Java 25, but without javac" in message
    assert "strange: its file 'release' names no JAVA_VERSION" in message
    assert "install-jdk" in message
