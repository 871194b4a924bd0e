"""One owner a run: who records into a directory keeps everybody else out, until it closes or dies.

The lock is the kernel's (flock), on a file that says in JSON who holds it: so it ends with its
process, however that ends, and nobody has to judge whether it is stale.  Only where a file system
has no such locks, what the file says decides.
"""

import errno
import json
import os
import socket
import warnings
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from weakref import WeakSet

from epochord.runlog.errors import RunExistsError

try:
    import fcntl
except ImportError:  # not POSIX
    fcntl = None  # type: ignore[assignment]

__all__ = ["LOCK", "Ownership"]

LOCK = "run.lock"

_WITHOUT_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL}
_held: WeakSet["Ownership"] = WeakSet()


class Ownership:
    """The right to write into a run's directory.

    Parameters
    ----------
    directory : Path
        The run's directory; it must exist.

    Raises
    ------
    RunExistsError
        If somebody else has it; nothing has been touched then.
    OSError
        If the lock's file cannot be made.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._file = directory / LOCK
        self._descriptor: int | None = self._acquire()
        try:
            self._say()
        except BaseException:
            self.release()
            raise
        _held.add(self)

    def holds(self) -> bool:
        """Tell whether nobody else can have taken the run; a lock that somebody removed is renewed.

        Raises
        ------
        OSError
            If that cannot be told, such as when the directory has gone.
        """
        if self._descriptor is None:
            return False
        if _same(self._descriptor, self._file):
            return True
        self._directory.stat()
        before = self._descriptor
        try:
            self._descriptor = self._acquire()
        except RunExistsError:
            self._descriptor = None
        os.close(before)  # not earlier: where it cannot be renewed now, it may be later
        if self._descriptor is None:
            return False
        self._say()
        return True

    def release(self) -> None:
        """Let others in; the lock's file goes."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is None:
            return
        with suppress(OSError):
            if _same(descriptor, self._file):
                self._file.unlink()  # while it is held: whoever waits for it sees that it has gone
        os.close(descriptor)

    def abandon(self) -> None:
        """Leave it to the process that this one was forked from."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)  # the other process still has it open, so the lock stays

    def _acquire(self) -> int:
        while True:
            descriptor = os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            try:
                self._lock(descriptor)
                if _same(descriptor, self._file):
                    return descriptor
            except BaseException:
                os.close(descriptor)
                raise
            os.close(descriptor)  # its owner has removed it meanwhile: take the next one

    def _lock(self, descriptor: int) -> None:
        try:
            if fcntl is None:
                raise OSError(errno.ENOSYS, "no locks")
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            owner = _read(descriptor)
            taken = error.errno in (errno.EWOULDBLOCK, errno.EACCES)
            if not taken and error.errno not in _WITHOUT_LOCKS:
                raise
            if taken or _may_live(owner):
                raise RunExistsError(f"{self._directory}: {_told(owner)}") from None
            warnings.warn(
                f"{self._directory}: this file system has no locks; take care that nobody else "
                "records there",
                stacklevel=2,
            )

    def _say(self) -> None:
        assert self._descriptor is not None
        text = json.dumps(_myself(), indent=2).encode() + b"\n"
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, text, 0)


def _same(descriptor: int, file: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), file.stat())
    except FileNotFoundError:
        return False


def _myself() -> dict[str, Any]:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    pid = os.getpid()
    return {"host": socket.gethostname(), "boot_id": _boot(), "pid": pid, "since": now} | {
        "process_started": _started(pid)
    }


@cache
def _boot() -> str | None:
    with suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return None


def _started(pid: int) -> int | None:
    """Return when a process started, in clock ticks since the boot: pids are used again."""
    with suppress(OSError, ValueError, IndexError):
        # The name before it may hold spaces and brackets (proc(5)).
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    return None


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True  # somebody else's
    return True


def _read(descriptor: int) -> dict[str, Any]:
    with suppress(OSError, ValueError):
        owner = json.loads(os.pread(descriptor, 4096, 0))
        if isinstance(owner, dict):
            return owner
    return {}


def _may_live(owner: dict[str, Any]) -> bool:
    """Tell whether who holds a lock may be alive, by what it says."""
    if not owner:
        return False
    if owner.get("host") != socket.gethostname():
        return True  # nothing is known of other machines
    if owner.get("boot_id") != _boot():
        return False
    pid = owner.get("pid")
    if not isinstance(pid, int):
        return False
    started = owner.get("process_started")
    return _runs(pid) if started is None else _started(pid) == started


def _told(owner: dict[str, Any]) -> str:
    who = f"process {owner['pid']} on {owner.get('host')}" if "pid" in owner else "another process"
    since = f" since {owner['since']}" if "since" in owner else ""
    return f"is being recorded by {who}{since}; record into another directory"


def _in_child() -> None:
    for each in list(_held):
        each.abandon()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
