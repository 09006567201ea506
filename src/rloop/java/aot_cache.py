"""The AOT cache: Java's classes as they are in memory after a start, mapped instead of loaded.

It more than halves the time that Java takes to start. It is made by itself, by a detached process
that a first start leaves behind, and it is never needed: where it cannot be made or is not to be
trusted, Java starts without it.

What makes a cache dangerous, and what is done about it:

* Java maps the file and believes it, so a damaged one is a crash at start. It is written under
  another name, tried by another process, synced, then renamed. Beside it stands its *seal*: size,
  inode and times of the file, by which any later change shows at the price of a system call
  (nobody can set ctime). Where they differ because the file was copied, as into a container image,
  its content must have the seal's checksum.
* Whoever can write the file runs code in this process. So nobody else may write it, its seal and
  its folder, but root, who can do so anyway: an image's cache may be root's.
* A cache made from another jar would run that jar's code. Its name has a digest of all it depends
  on.

To train one, a process claims it by creating a file, which only one process can. A claim that
stays, because the training failed or was killed, keeps others from trying for a while. Where memory
is short nobody tries: the training would get somebody killed for a start that is shorter next time.
"""

from __future__ import annotations

import os
import stat
import sys
import time
import zlib
from collections.abc import Sequence
from contextlib import suppress

# As they are now: tests of programs put mocks in their place, and count the calls.
from subprocess import DEVNULL, PIPE, Popen
from typing import Any

from . import cgroups, paths, settings
from .java_home import JavaHome
from .unheard_child import unheard

_SUFFIX = ".aot"
_SEAL_SUFFIX = ".seal"
_PRIVATE_FOLDER = 0o700
_PRIVATE_FILE = 0o600
_PUBLISHED_FOLDER = 0o755  # root builds an image, and another user runs it
_PUBLISHED_FILE = 0o644
_ROOT = 0
_WRITTEN_BY_OTHERS = 0o022
_CHUNK_BYTES = 1 << 20

# Twice what a training has needed, for the program will grow meanwhile.
_TRAINING_BYTES = 400 << 20
_BYTES_PER_MIB = 1 << 20

_RETRY_AFTER_SECONDS = 3600
_CACHES_KEPT = 4  # for several versions or options in turn; each has about 12 MB

_TRAINER = "from rloop.aot_training import main; main()"

# Java makes text of names of files: UTF-8, whatever the program's own locale.
_LOCALE = {"LC_ALL": "C.UTF-8"}

# The shell starts the trainer and is gone, so that the trainer is no child of this process.
_DETACHED = ("/bin/sh", "-c", '"$@" &', "sh")


class AotCache:
    """The file that fits one Java, one jar and one set of options."""

    def __init__(self, home: JavaHome, jar: str, options: Sequence[str]) -> None:
        self._home = home
        self._folder = folder()
        self._obstacle = _obstacle(self._folder, jar)
        digest = "" if self._obstacle else _digest(home, jar, options)
        self.path = os.path.join(self._folder, f"rloop-{digest}{_SUFFIX}")
        self._seal = self.path + _SEAL_SUFFIX
        self._claim = self.path + ".claim"

    def refusal(self) -> str:
        """Why the cache is not used, or an empty string."""
        if self._obstacle:
            return self._obstacle
        try:
            for path in (self._folder, self.path, self._seal):
                if not _is_safe(path):
                    return f"{path} belongs to or can be written by other users"
            if not self._is_sealed():
                return f"{self.path} is not as it was written"
        except FileNotFoundError:
            return "it is being made" if os.path.exists(self._claim) else "it is not made yet"
        except (OSError, ValueError) as error:
            return f"it cannot be read: {error}"
        return ""

    def hindrance(self) -> str:
        """Why a first start doesn't make the cache, or an empty string."""
        if self._obstacle:
            return self._obstacle
        if not _can_run_python():
            return f"it is not made by a process whose sys.executable is {sys.executable!r}"
        try:
            os.makedirs(self._folder, mode=_PRIVATE_FOLDER, exist_ok=True)
        except OSError as error:
            return f"{self._folder} cannot be made ({error.strerror}): set RLOOP_CACHE_DIR"
        if not _is_safe(self._folder) or not os.access(self._folder, os.W_OK):
            return f"{self._folder} is not this user's to write, or others' as well"
        room = cgroups.memory_room()
        if room is not None and room < _TRAINING_BYTES:
            return (
                f"making it takes {_TRAINING_BYTES // _BYTES_PER_MIB} MiB of memory, and "
                f"{room // _BYTES_PER_MIB} are left here: run 'python -m rloop cache' where there "
                "is more, as while an image is built"
            )
        return ""

    def train_in_background(self) -> None:
        """Leaves behind a process that makes the cache; returns at once, whatever comes of it."""
        if self.hindrance():
            return
        with suppress(OSError):
            if self._try_claim():
                with unheard():
                    self._run(*_DETACHED, start_new_session=True, stderr=DEVNULL)

    def train(self) -> str:
        """Makes the cache, for other users of an image as well; what there was to say of it.

        How it went is told by ``refusal``.
        """
        if self._obstacle:
            return ""
        os.makedirs(self._folder, mode=_PUBLISHED_FOLDER, exist_ok=True)
        return self._run(stderr=PIPE).decode(errors="replace")

    def _run(self, *launcher: str, **how: Any) -> bytes:
        """Returns what there was on stderr, if that is a pipe."""
        command = [*launcher, *paths.command(_TRAINER)]
        environment = {**os.environ, **_LOCALE, "RLOOP_JAVA_HOME": self._home.path}
        with Popen(
            command, stdin=DEVNULL, stdout=DEVNULL, cwd="/", env=environment, **how
        ) as process:
            return process.communicate()[1] or b""

    def temporary(self) -> str:
        """Where this process may write a cache."""
        return f"{self.path}.{os.getpid()}"

    def publish(self) -> None:
        """Makes what this process wrote the cache."""
        temporary = self.temporary()
        os.chmod(temporary, _PUBLISHED_FILE)
        _sync(temporary)
        checksum = _checksum(temporary)
        os.replace(temporary, self.path)
        self._put_seal(checksum)
        _sync(self._folder)
        with suppress(FileNotFoundError):
            os.unlink(self._claim)
        self._remove_old()

    def _is_sealed(self) -> bool:
        with open(self._seal, encoding="ascii") as file:
            *identity, checksum = map(int, file.read().split())
        if identity == _identity(self.path):
            return True
        if _checksum(self.path) != checksum:
            return False
        with suppress(OSError):  # where the folder is read-only, the checksum is taken each time
            self._put_seal(checksum)
        return True

    def _put_seal(self, checksum: int) -> None:
        temporary = f"{self._seal}.{os.getpid()}"
        with open(temporary, "w", encoding="ascii", opener=_opener) as file:
            print(*_identity(self.path), checksum, file=file)
        _sync(temporary)
        os.replace(temporary, self._seal)

    def _try_claim(self) -> bool:
        with suppress(FileNotFoundError):
            if time.time() - os.stat(self._claim).st_mtime > _RETRY_AFTER_SECONDS:
                os.unlink(self._claim)
        try:
            os.close(os.open(self._claim, os.O_CREAT | os.O_EXCL, _PRIVATE_FILE))
        except FileExistsError:
            return False
        return True

    def _remove_old(self) -> None:
        """Removes all but the newest caches, and what trainings that were killed have left."""
        with os.scandir(self._folder) as entries:
            ages = {entry.name: time.time() - entry.stat().st_mtime for entry in entries}
        caches = sorted((name for name in ages if name.endswith(_SUFFIX)), key=ages.__getitem__)
        kept = {name + suffix for name in caches[:_CACHES_KEPT] for suffix in ("", _SEAL_SUFFIX)}
        for name, age in ages.items():
            if name not in kept and age > _RETRY_AFTER_SECONDS:
                with suppress(FileNotFoundError):
                    os.unlink(os.path.join(self._folder, name))


def folder() -> str:
    """Where the caches of this user are; empty if there are to be none."""
    if settings.aot() == "off":
        return ""
    if chosen := os.environ.get("RLOOP_CACHE_DIR", ""):
        return os.path.abspath(chosen)
    default = "~/Library/Caches" if sys.platform == "darwin" else "~/.cache"
    base = os.environ.get("XDG_CACHE_HOME", "") or os.path.expanduser(default)
    return os.path.join(base, "rloop") if os.path.isabs(base) else ""


def _obstacle(folder: str, jar: str) -> str:
    """Why there can be no cache in the folder, or an empty string."""
    if settings.aot() == "off":
        return "it is switched off (RLOOP_AOT)"
    if not folder:
        return "there is no home directory to keep it in: set RLOOP_CACHE_DIR"
    if os.pathsep in folder:
        return f"Java takes the {os.pathsep!r} in {folder} for the beginning of another path"
    if any("\udc80" <= character <= "\udcff" for character in jar):
        return f"Java makes none of files whose path is not UTF-8, as that of {jar!r}"
    return ""


def _digest(home: JavaHome, jar: str, options: Sequence[str]) -> str:
    from hashlib import blake2b  # noqa: PLC0415  # rloop is imported more often than Java is started

    digest = blake2b(digest_size=16)
    for path in (jar, home.release_file):
        with open(path, "rb") as file:
            digest.update(file.read())
    library = os.stat(home.libjvm)
    # Times in whole seconds, as Java looks at them and as images keep them.
    times = int(library.st_mtime), int(os.stat(jar).st_mtime)
    facts = (home.libjvm, library.st_size, *times, *options)
    digest.update(os.fsencode("\0".join(map(str, facts))))
    return digest.hexdigest()


def _is_safe(path: str) -> bool:
    status = os.stat(path, follow_symlinks=False)
    is_plain = stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)
    is_ours = status.st_uid in {os.geteuid(), _ROOT}
    return is_plain and is_ours and not status.st_mode & _WRITTEN_BY_OTHERS


def _identity(path: str) -> list[int]:
    status = os.stat(path)
    return [status.st_size, status.st_ino, status.st_mtime_ns, status.st_ctime_ns]


def _checksum(path: str) -> int:
    checksum = 0
    with open(path, "rb", buffering=0) as file:
        while chunk := file.read(_CHUNK_BYTES):
            checksum = zlib.crc32(chunk, checksum)
    return checksum


def _sync(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _opener(path: str, flags: int) -> int:
    return os.open(path, flags, _PUBLISHED_FILE)


def _can_run_python() -> bool:
    """Whether sys.executable is Python, and not a frozen program or a server with Python inside."""
    name = os.path.basename(sys.executable or "")
    return name.startswith("python") and not getattr(sys, "frozen", False)
