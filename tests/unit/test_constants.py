"""The numbers that Java is told."""

import errno
import select
import socket
import subprocess
import sys

from rloop.java import constants


def test_the_numbers_are_those_of_this_system() -> None:
    values = constants.values()
    assert values["EAGAIN"] == errno.EAGAIN
    assert values["SHUT_WR"] == socket.SHUT_WR
    assert values["POLLIN"] == select.POLLIN
    assert values["IOV_MAX"] > 0


def test_what_the_system_lacks_is_left_out() -> None:
    assert ("EPOLLIN" in constants.values()) == hasattr(select, "EPOLLIN")


def test_the_assignments_name_every_value() -> None:
    pairs = (pair.split("=") for pair in constants.assignments().split(","))
    assert {name: int(value) for name, value in pairs} == constants.values()


def test_the_file_is_a_script_that_prints_the_assignments() -> None:
    command = [sys.executable, "-I", str(constants.__file__)]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert printed == constants.assignments() + "\n"
