"""The name of the AOT cache changes with all that it depends on, and where it is kept."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest

import rloop
from rloop import aot_training
from rloop.java import aot_cache
from rloop.java.aot_cache import AotCache
from rloop.java.java_home import JavaHome


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> JavaHome:
    monkeypatch.setenv("RLOOP_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.delenv("RLOOP_AOT", raising=False)
    home = JavaHome(str(tmp_path / "java"), "25", "a test")
    Path(home.libjvm).parent.mkdir(parents=True)
    Path(home.libjvm).write_text("machine code")
    Path(home.release_file).write_text("BUILD=1")
    return home


@pytest.fixture
def jar(tmp_path: Path) -> Path:
    jar = tmp_path / "rloop.jar"
    jar.write_text("classes")
    return jar


def same_size_other_content(jar: Path, home: JavaHome) -> None:
    times = jar.stat()
    jar.write_text("CLASSES")
    os.utime(jar, ns=(times.st_atime_ns, times.st_mtime_ns))


def other_time(jar: Path, home: JavaHome) -> None:
    os.utime(jar, (0, 0))  # Java looks at it


def other_build_of_java(jar: Path, home: JavaHome) -> None:
    Path(home.release_file).write_text("BUILD=2")


def other_library(jar: Path, home: JavaHome) -> None:
    Path(home.libjvm).write_text("other machine code")


@pytest.mark.parametrize(
    "change", [same_size_other_content, other_time, other_build_of_java, other_library]
)
def test_the_name_changes_with(
    change: Callable[[Path, JavaHome], None], jar: Path, home: JavaHome
) -> None:
    before = AotCache(home, str(jar), ["-Xmx1m"]).path
    assert AotCache(home, str(jar), ["-Xmx1m"]).path == before
    change(jar, home)
    assert AotCache(home, str(jar), ["-Xmx1m"]).path != before


def test_the_name_changes_with_the_options(jar: Path, home: JavaHome) -> None:
    paths = {AotCache(home, str(jar), options).path for options in ([], ["-Xa"], ["-Xa", "-Xb"])}
    assert len(paths) == 3


def test_only_the_newest_caches_are_kept(jar: Path, home: JavaHome, tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    folder.mkdir(mode=0o700)
    for age in range(1, 7):
        for name in (f"rloop-{age}.aot", f"rloop-{age}.aot.seal"):
            (folder / name).touch()
            os.utime(folder / name, (1_000_000 - age,) * 2)
    for left_by_a_killed_trainer in (
        "rloop-1.aot.77",
        "rloop-1.aot.77.config",
        "rloop-6.aot.claim",
    ):
        (folder / left_by_a_killed_trainer).touch()
        os.utime(folder / left_by_a_killed_trainer, (1_000_000,) * 2)
    (folder / "rloop-2.aot.88").touch()  # of one that is at work

    cache = AotCache(home, str(jar), [])
    Path(cache.temporary()).write_text("cache")
    cache.publish()

    kept = sorted(path.name for path in folder.iterdir() if path.name < "rloop-7")
    new = Path(cache.path).name
    expected = ["rloop-1.aot", "rloop-1.aot.seal", "rloop-2.aot", "rloop-2.aot.88"]
    expected += ["rloop-2.aot.seal", "rloop-3.aot", "rloop-3.aot.seal"]
    assert [name for name in kept if not name.startswith(new)] == expected
    assert cache.refusal() == ""


def test_the_folder_is_that_of_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("RLOOP_AOT", "RLOOP_CACHE_DIR", "XDG_CACHE_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", "/home/someone")
    monkeypatch.setattr("sys.platform", "linux")
    assert aot_cache.folder() == "/home/someone/.cache/rloop"
    monkeypatch.setattr("sys.platform", "darwin")
    assert aot_cache.folder() == "/home/someone/Library/Caches/rloop"
    monkeypatch.setenv("XDG_CACHE_HOME", "/var/cache")
    assert aot_cache.folder() == "/var/cache/rloop"
    monkeypatch.setenv("RLOOP_CACHE_DIR", "/chosen")
    assert aot_cache.folder() == "/chosen"
    monkeypatch.setenv("RLOOP_AOT", "off")
    assert aot_cache.folder() == ""


def test_without_a_home_there_is_no_cache(jar: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("RLOOP_AOT", "RLOOP_CACHE_DIR", "XDG_CACHE_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", "not/absolute")
    assert aot_cache.folder() == ""
    cache = AotCache(JavaHome("/nowhere", "25", "a test"), str(jar), [])
    assert "no home directory" in cache.refusal()
    cache.train_in_background()


def test_the_training_meets_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    ciphers = []

    class Echo(aot_training._EchoProtocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            super().connection_made(transport)
            ciphers.append(transport.get_extra_info("cipher"))

    monkeypatch.setattr(aot_training, "_EchoProtocol", Echo)
    with asyncio.Runner(loop_factory=rloop.RLoop) as runner:
        runner.run(aot_training._serve_and_ask())
    assert [bool(cipher) for cipher in ciphers] == [False, True]
