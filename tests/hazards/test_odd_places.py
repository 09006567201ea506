"""The package, Java and the cache in folders whose names Java has its difficulties with."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import rloop
from rloop.java import java_home

PACKAGE = Path(rloop.__file__).parent
NOT_UTF_8 = os.fsdecode(b"n\xfcll")

RUN_A_LOOP = """
import asyncio, rloop
with asyncio.Runner(loop_factory=rloop.RLoop) as runner:
    runner.run(asyncio.sleep(0))
with open("/proc/self/maps", errors="surrogateescape") as maps:
    print(".aot" in maps.read())
"""


def run(*command: str, **variables: str) -> tuple[int, str, str]:
    """How Python ended with this command, and what it printed."""
    environment = {**os.environ, "RLOOP_AOT": "off", **variables}
    # What it prints of paths need not be text.
    done = subprocess.run(
        [sys.executable, *command], env=environment, capture_output=True, check=False, timeout=120
    )
    return done.returncode, os.fsdecode(done.stdout), os.fsdecode(done.stderr)


def installed(place: Path, leave_out: str = "__pycache__") -> Path:
    shutil.copytree(PACKAGE, place / "rloop", ignore=shutil.ignore_patterns(leave_out))
    return place


@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
@pytest.mark.parametrize("name", ["naïve", NOT_UTF_8, "with space, comma=x"])
def test_a_package_whose_folder_is_named(tmp_path: Path, name: str, locale: str) -> None:
    place = installed(tmp_path / name)
    for command in (["-c", RUN_A_LOOP], ["-m", "rloop", "doctor"]):
        code, output, errors = run(
            *command, PYTHONPATH=os.fspath(place), LC_ALL=locale, RLOOP_AOT="on"
        )
        assert code == 0, output + errors
        assert "Traceback" not in errors


def test_a_package_in_a_folder_with_a_colon(tmp_path: Path) -> None:
    place = installed(tmp_path / "a:b")
    # PYTHONPATH cannot name it either.
    start = f"import sys; sys.path.insert(0, {str(place)!r}); import rloop\n"
    code, output, errors = run("-c", start + "rloop.RLoop()")
    assert code == 1
    assert "JavaStartError" in errors
    assert f"{place}/rloop/rloop.jar" in errors
    code, output, errors = run("-c", start + "from rloop import doctor; sys.exit(doctor.main())")
    assert code == 1
    assert "JavaStartError" in output
    assert "Traceback" not in errors


def test_processes_of_ours_run_the_package_that_starts_them(tmp_path: Path) -> None:
    """Not another one, which stands on their path."""
    place = installed(tmp_path)
    start = f"""if True:
        import subprocess, sys
        sys.path.insert(0, {str(place)!r})
        from rloop.java import paths
        code = "import rloop.trial, sys; print(rloop.__file__, rloop.trial.__file__, sys.argv[2:])"
        subprocess.run(paths.command(code, "argument"), check=True)
    """
    code, output, errors = run("-c", start)
    assert code == 0, errors
    package = place / "rloop"
    assert output == f"{package}/__init__.py {package}/trial.py ['argument']\n"


def test_a_java_in_a_folder_with_a_colon(tmp_path: Path) -> None:
    home = tmp_path / "a:b"
    home.symlink_to(java_home.find().path)
    code, _, errors = run("-c", "import rloop; rloop.RLoop()", RLOOP_JAVA_HOME=str(home))
    assert code == 1
    assert "JavaStartError" in errors
    assert str(home) in errors


def test_a_package_without_its_jar(tmp_path: Path) -> None:
    place = installed(tmp_path / "place", leave_out="*.jar")
    jar = place / "rloop" / "rloop.jar"
    for aot in ("on", "off"):
        code, _, errors = run(
            "-c", "import rloop; rloop.RLoop()", PYTHONPATH=os.fspath(place), RLOOP_AOT=aot
        )
        assert code == 1
        assert f"JavaStartError: {jar} is missing" in errors
        code, output, errors = run(
            "-m", "rloop", "doctor", PYTHONPATH=os.fspath(place), RLOOP_AOT=aot
        )
        assert code == 1
        assert f"{jar} is missing" in output
        assert "Traceback" not in errors


@pytest.mark.parametrize("name", ["naïve", NOT_UTF_8])
def test_a_cache_in_a_folder_named(tmp_path: Path, name: str) -> None:
    folder = os.fspath(tmp_path / name)
    variables = {"RLOOP_CACHE_DIR": folder, "RLOOP_AOT": "on", "LC_ALL": "C"}
    code, output, errors = run("-m", "rloop", "cache", **variables)
    assert code == 0, errors
    assert output.startswith(folder)
    assert run("-c", RUN_A_LOOP, **variables) == (0, "True\n", "")


WORKING_FOLDERS = {
    "removed": "os.mkdir('gone'); os.chdir('gone'); os.rmdir('../gone')",
    "too deep": "for _ in range(25): os.mkdir('d' * 200); os.chdir('d' * 200)",
    "not text": "os.mkdir(b'n\\xfcll'); os.chdir(b'n\\xfcll')",
}


@pytest.mark.parametrize("enter", WORKING_FOLDERS.values(), ids=WORKING_FOLDERS.keys())
def test_a_working_folder(tmp_path: Path, enter: str) -> None:
    script = f"import os\nos.chdir({str(tmp_path)!r})\n{enter}\n"
    stays = "before = os.stat('.')\n" + RUN_A_LOOP + "assert os.path.samestat(os.stat('.'), before)"
    for aot in ("on", "off"):
        code, _, errors = run("-c", script + stays, RLOOP_AOT=aot)
        assert (code, errors) == (0, "")
        shutil.rmtree(tmp_path)
        tmp_path.mkdir()


@pytest.mark.parametrize("folder", ["a:b", "/proc/none", "/dev/null", "/dev/null/below", "."])
def test_where_there_can_be_no_cache(tmp_path: Path, folder: str) -> None:
    (tmp_path / "a:b").mkdir()
    tmp_path.chmod(0o777)  # so it isn't ours alone
    variables = {"RLOOP_CACHE_DIR": str(tmp_path / folder), "RLOOP_AOT": "on"}
    assert run("-c", RUN_A_LOOP, **variables) == (0, "False\n", "")
    code, output, errors = run("-m", "rloop", "doctor", **variables)
    assert code == 0, output + errors
    (told,) = (line for line in output.splitlines() if line.startswith("AOT cache"))
    assert len(told) > len("AOT cache   it is not made yet"), told
    code, output, errors = run("-m", "rloop", "cache", **variables)
    assert code == 1
    assert errors.startswith("no AOT cache was made: ")
    assert "Traceback" not in errors
