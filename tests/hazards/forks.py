"""What tests of forks share: a script whose children must not enter Java."""

from .scripts import assert_clean, run_script

# Each child says how it ended, so that one that hangs or dies of a signal is seen.
BEGIN = """
import asyncio, ctypes, gc, os, signal, sys, warnings
import rloop
warnings.simplefilter("ignore", DeprecationWarning)  # 3.12: threads, of Java as well, and fork

PROT_NONE = 0
mprotect = ctypes.CDLL(None, use_errno=True).mprotect
mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]

def made_code():
    with open("/proc/self/maps") as maps:
        mappings = [line.split() for line in maps]
    return {
        tuple(int(address, 16) for address in place.split("-"))
        for place, permissions, _, _, inode, *_ in mappings
        if permissions == "rwxp" and inode == "0"
    }

others_code = made_code()  # libffi's

def forbid_java():
    # Who enters Java's code from here on dies of it.
    for start, end in made_code() - others_code:
        assert mprotect(start, end - start, PROT_NONE) == 0

def in_a_child(function):
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        signal.alarm(20)
        code = 70
        try:
            forbid_java()
            function()
            code = 0
        except BaseException:
            sys.excepthook(*sys.exc_info())
        finally:
            sys.stdout.flush()
            os._exit(code)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert status == 0, f"the child ended with {status}"

def assert_refused(function, *arguments):
    try:
        function(*arguments)
    except RuntimeError as error:
        assert "forked" in str(error), error
    else:
        raise AssertionError("it was not refused")
"""


def run(script: str) -> None:
    assert_clean(run_script(BEGIN + script))
