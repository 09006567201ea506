"""The AOT cache makes itself, and whatever happens to it harms no program.

Every test has a cache folder of its own. A cache takes seconds to make, so one is made for all
and then copied.
"""

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from .scripts import assert_clean, run_script

pytestmark = pytest.mark.skipif(
    not os.path.exists("/proc/self/maps"), reason="sees in /proc/self/maps whether a cache is used"
)

MADE_WITHIN_SECONDS = 60

RUN_A_LOOP = """
    import asyncio, rloop
    loop = rloop.RLoop()
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    with open("/proc/self/maps") as maps:
        print("with the cache" if ".aot" in maps.read() else "without")
"""

WITH_THE_CACHE = "with the cache\n"
WITHOUT = "without\n"


def run(folder: Path, source: str = RUN_A_LOOP, **variables: str) -> "CompletedProcess[str]":
    variables = {"RLOOP_AOT": "", "RLOOP_CACHE_DIR": str(folder), **variables}
    result = run_script(source, env={**os.environ, **variables})
    assert_clean(result)
    return result


def wait_until_made(folder: Path) -> None:
    deadline = time.monotonic() + MADE_WITHIN_SECONDS
    while not list(folder.glob("*.seal")) or list(folder.glob("*.claim")):
        assert time.monotonic() < deadline, f"no cache was made: {list(folder.iterdir())}"
        time.sleep(0.1)


def only_cache(folder: Path) -> Path:
    (cache,) = folder.glob("*.aot")
    return cache


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cache") / "made"
    run(folder)
    wait_until_made(folder)
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """A folder with a cache, not yet used from there."""
    copy = tmp_path / "cache"
    shutil.copytree(made, copy)
    return copy


def test_a_first_start_leaves_a_cache_for_the_next(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    assert run(folder).stdout == WITHOUT
    # The script's pipes are closed although the training goes on: it holds none of them.
    assert list(folder.glob("*.claim"))
    wait_until_made(folder)
    assert run(folder).stdout == WITH_THE_CACHE
    assert len(list(folder.iterdir())) == len({"cache", "seal"})
    assert folder.stat().st_mode & 0o777 == 0o700
    assert all(path.stat().st_mode & 0o777 == 0o644 for path in folder.iterdir())


def test_a_program_that_mocks_subprocesses_sees_none_of_ours(tmp_path: Path) -> None:
    run(
        tmp_path,
        """
        import unittest.mock, rloop
        called = AssertionError("called")
        with (
            unittest.mock.patch("subprocess.run", side_effect=called),
            unittest.mock.patch("subprocess.Popen", side_effect=called),
        ):
            rloop.RLoop().close()
        """,
    )
    wait_until_made(tmp_path)


@pytest.mark.parametrize("blocked", [False, True])
def test_a_program_that_waits_for_its_children_hears_of_none_of_ours(
    tmp_path: Path, blocked: bool
) -> None:
    listening = "signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})" if blocked else ""
    source = f"""
        import os, signal, time, rloop
        heard = []
        signal.signal(signal.SIGCHLD, lambda *_: heard.append(1))
        {listening}
        rloop.RLoop().close()
        assert not heard and not signal.sigpending()
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        assert os.spawnlp(os.P_WAIT, "true", "true") == 0
        assert heard == [1]
        """
    run(tmp_path, source)
    wait_until_made(tmp_path)


def test_a_program_s_child_that_ends_meanwhile_is_heard_of(tmp_path: Path) -> None:
    source = """
        import os, signal, time
        from rloop.java.unheard_child import unheard
        heard = []
        signal.signal(signal.SIGCHLD, lambda *_: heard.append(1))
        with unheard():
            os.waitpid(os.spawnlp(os.P_NOWAIT, "true", "true"), 0)
        assert heard == []
        with unheard():
            child = os.spawnlp(os.P_NOWAIT, "true", "true")
            os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
            assert heard == []
        assert heard == [1]
        assert os.waitpid(child, 0) == (child, 0)
        """
    run(tmp_path, source)


def test_many_that_start_at_once_make_one_cache(tmp_path: Path) -> None:
    run(
        tmp_path,
        """
        import subprocess, sys
        script = "import rloop; rloop.RLoop().close()"
        started = [subprocess.Popen([sys.executable, "-c", script]) for _ in range(4)]
        sys.exit(max(process.wait() for process in started))
        """,
    )
    assert len(list(tmp_path.glob("*.claim"))) == 1
    wait_until_made(tmp_path)
    assert run(tmp_path).stdout == WITH_THE_CACHE


def test_a_copied_cache_is_used_once_its_checksum_is_right(folder: Path) -> None:
    before = only_cache(folder).with_suffix(".aot.seal").read_text()
    assert run(folder).stdout == WITH_THE_CACHE
    assert only_cache(folder).with_suffix(".aot.seal").read_text() != before


def cut_short(cache: Path) -> None:
    os.truncate(cache, cache.stat().st_size // 2)


def overwrite_in_the_middle(cache: Path) -> None:
    status = cache.stat()
    with cache.open("r+b") as file:
        file.seek(status.st_size // 2)
        file.write(os.urandom(1 << 16))
    os.utime(cache, ns=(status.st_atime_ns, status.st_mtime_ns))


def empty(cache: Path) -> None:
    cache.write_bytes(b"")


def spoil_the_seal(cache: Path) -> None:
    cache.with_suffix(".aot.seal").write_text("no numbers")


def remove_the_seal(cache: Path) -> None:
    cache.with_suffix(".aot.seal").unlink()


def let_others_write(cache: Path) -> None:
    cache.chmod(0o620)


def let_others_into_the_folder(cache: Path) -> None:
    cache.parent.chmod(0o777)


def put_a_link_there(cache: Path) -> None:
    cache.rename(cache.with_name("elsewhere"))
    cache.symlink_to(cache.with_name("elsewhere"))


@pytest.mark.parametrize(
    "harm",
    [
        cut_short,
        overwrite_in_the_middle,
        empty,
        spoil_the_seal,
        remove_the_seal,
        let_others_write,
        let_others_into_the_folder,
        put_a_link_there,
    ],
)
def test_a_cache_that_is_not_as_it_was_made_is_not_used(
    folder: Path, harm: Callable[[Path], None]
) -> None:
    run(folder)  # puts the seal of the copy
    harm(only_cache(folder))
    assert run(folder).stdout == WITHOUT


def test_a_damaged_cache_is_replaced(folder: Path) -> None:
    cut_short(only_cache(folder))
    run(folder)
    wait_until_made(folder)
    assert run(folder).stdout == WITH_THE_CACHE


def test_a_cache_of_another_user_is_not_used(folder: Path) -> None:
    another_user = """
    import os
    os.geteuid = lambda: -1
    """
    if os.geteuid() == 0:  # everybody may use root's
        assert run(folder, another_user + RUN_A_LOOP).stdout == WITH_THE_CACHE
        os.chown(only_cache(folder), 54321, 54321)
    assert run(folder, another_user + RUN_A_LOOP).stdout == WITHOUT


def test_other_options_need_another_cache(folder: Path) -> None:
    assert run(folder, RLOOP_JAVA_HEAP="128m").stdout == WITHOUT


@pytest.mark.parametrize("nowhere", ["/dev/null/folder", "/proc/folder", "/dev/null"])
def test_where_no_folder_can_be_the_loop_runs(nowhere: str) -> None:
    assert run(Path(nowhere)).stdout == WITHOUT


def test_a_full_disk_leaves_no_cache_and_no_litter(tmp_path: Path) -> None:
    train_where_files_stay_small = """
        import resource
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
        from rloop.aot_training import main
        main()
    """
    variables = {"RLOOP_CACHE_DIR": str(tmp_path), "RLOOP_AOT": ""}
    result = run_script(train_where_files_stay_small, env={**os.environ, **variables})
    assert result.returncode != 0
    assert not list(tmp_path.iterdir())


def test_a_claim_keeps_others_from_trying(tmp_path: Path, made: Path) -> None:
    claim = tmp_path / (only_cache(made).name + ".claim")
    claim.touch()
    tmp_path.chmod(0o700)
    before = claim.stat()
    assert run(tmp_path).stdout == WITHOUT
    assert claim.stat() == before


def test_a_claim_of_a_killed_trainer_expires(tmp_path: Path, made: Path) -> None:
    claim = tmp_path / (only_cache(made).name + ".claim")
    claim.touch()
    os.utime(claim, (0, 0))
    tmp_path.chmod(0o700)
    run(tmp_path)
    wait_until_made(tmp_path)


def test_it_can_be_switched_off(folder: Path, tmp_path: Path) -> None:
    assert run(folder, RLOOP_AOT="off").stdout == WITHOUT
    assert run(tmp_path / "other", RLOOP_AOT="off").stdout == WITHOUT
    assert not (tmp_path / "other").exists()
