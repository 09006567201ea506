"""Java is a guest: signals, and settings for other Java programs, are none of its business."""

import os
import signal

import pytest

from .scripts import assert_clean, run_script


def test_every_signal_that_a_program_handles_reaches_it() -> None:
    assert_clean(
        run_script(
            """
            import os, signal, rloop
            numbers = signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}
            faults = {signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL}
            mine = numbers - faults - {signal.SIGRTMAX - 1}
            arrived = []
            for number in mine:
                signal.signal(number, lambda number, frame: arrived.append(number))
            rloop.RLoop().close()
            for number in sorted(mine):
                os.kill(os.getpid(), number)
            assert sorted(arrived) == sorted(mine), mine.symmetric_difference(arrived)
            """,
            env={**os.environ, "RLOOP_AOT": "off"},  # the start of a training ends in a SIGCHLD
        )
    )


@pytest.mark.parametrize("name", ["SIGPIPE", "SIGXFSZ"])
def test_what_python_ignores_stays_ignored(name: str) -> None:
    assert_clean(
        run_script(
            f"""
            import os, signal, rloop
            rloop.RLoop().close()
            assert signal.getsignal(signal.{name}) == signal.SIG_IGN
            with open("/proc/self/status") as status:
                ignored = next(int(line.split()[1], 16) for line in status if "SigIgn" in line)
            assert ignored & 1 << signal.{name} - 1
            """
        )
    )


def test_a_program_that_wants_to_die_of_a_broken_pipe_does() -> None:
    result = run_script(
        """
        import os, signal, rloop
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        rloop.RLoop().close()
        read, write = os.pipe()
        os.close(read)
        os.write(write, b"x")
        """
    )
    assert result.returncode == -signal.SIGPIPE


def test_a_signal_that_python_blocks_waits_for_python() -> None:
    # A thread of Java that did not block it would take it, and die of it with all the others.
    assert_clean(
        run_script(
            """
            import os, signal, rloop
            rloop.RLoop().close()
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
            os.kill(os.getpid(), signal.SIGTERM)
            assert signal.sigpending() == {signal.SIGTERM}
            assert signal.sigwait({signal.SIGTERM}) == signal.SIGTERM
            """
        )
    )


def test_the_mask_of_the_starting_thread_is_as_before() -> None:
    assert_clean(
        run_script(
            """
            import signal, rloop
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
            rloop.RLoop().close()
            assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == {signal.SIGUSR1}
            """
        )
    )


def test_variables_for_other_java_programs_are_not_obeyed_and_not_lost() -> None:
    variables = {
        "JAVA_TOOL_OPTIONS": "-XX:NoSuchOption",
        "_JAVA_OPTIONS": "-Xmx1k",
        "_JAVA_SR_SIGNUM": "12",
    }
    result = run_script(
        """
        import os, rloop
        before = dict(os.environ)
        rloop.RLoop().close()
        assert os.environ == before
        """,
        env={**os.environ, **variables},
    )
    assert_clean(result)
    assert result.stderr == ""
