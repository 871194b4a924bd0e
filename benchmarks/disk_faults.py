"""Ways in which a disk fails: put on a folder, begun in the middle of a training, and ended.

Real ones where this system lets us: limits of the process, a file system that is full, one that
is frozen (its writers hang in the kernel).  Elsewhere, what the writer calls is replaced.
"""

import errno
import fcntl
import os
import random
import resource
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

__all__ = ["FAULTS", "EveryNow", "Fault", "Frozen", "Full", "Hanging", "NoDescriptors", "TooLarge"]

FIFREEZE, FITHAW = 0xC0045877, 0xC0045878  # ioctl_fifreeze(2)
MIB = 1 << 20


class Fault(Protocol):
    """A disk that can fail.

    Attributes
    ----------
    name : str
        What a table calls it.
    steady : bool
        Whether all that needs the disk fails meanwhile, and says so.
    """

    name: str
    steady: bool

    def begin(self) -> None:
        """Let it fail from now on."""

    def end(self) -> None:
        """Let it be as before."""


class NoDescriptors:
    """EMFILE: no further file can be opened."""

    name, steady = "EMFILE", True

    def begin(self) -> None:
        """Lower the limit so far that only what is open can be used."""
        self._before = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, self._before[1]))

    def end(self) -> None:
        """Raise it again."""
        resource.setrlimit(resource.RLIMIT_NOFILE, self._before)


class TooLarge:
    """EFBIG: no file may grow beyond a size."""

    name, steady = "EFBIG", True

    def begin(self) -> None:
        """Lower the limit."""
        self._before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, self._before[1]))

    def end(self) -> None:
        """Raise it again."""
        resource.setrlimit(resource.RLIMIT_FSIZE, self._before)


class Full:
    """ENOSPC: something else has filled the file system of a folder."""

    name, steady = "ENOSPC", True

    def __init__(self, folder: Path) -> None:
        self._ballast = folder / "ballast"

    def begin(self) -> None:
        """Write until nothing more fits."""
        with self._ballast.open("wb", buffering=0) as file:
            for size in (MIB, 4096):
                with suppress(OSError):
                    while file.write(b"\0" * size) == size:
                        pass

    def end(self) -> None:
        """Make room."""
        self._ballast.unlink()


class EveryNow:
    """EIO: some of the calls that put things on disk fail, by chance.

    Parameters
    ----------
    share : float
        How many do.
    """

    def __init__(self, share: float = 1.0) -> None:
        self.name = "EIO" if share == 1 else f"EIO, {100 * share:.0f} %"
        self.steady = share == 1
        self._share = share
        self._chance = random.Random(15)

    def begin(self) -> None:
        """Replace `os.fsync`, `os.replace` and `os.rename`."""
        self._before = {name: getattr(os, name) for name in ("fsync", "replace", "rename")}
        for name, call in self._before.items():
            setattr(os, name, self._failing(call))

    def end(self) -> None:
        """Put them back."""
        for name, call in self._before.items():
            setattr(os, name, call)

    def _failing(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def failing(*arguments: Any, **named: Any) -> Any:
            if self._chance.random() < self._share:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            return call(*arguments, **named)

        return failing


class Hanging:
    """A disk that answers nothing: `os.fsync` waits for the end.

    Attributes
    ----------
    waits : threading.Event
        Set when somebody waits.
    """

    name, steady = "hang", False

    def __init__(self) -> None:
        self.waits = threading.Event()
        self._answers = threading.Event()

    def begin(self) -> None:
        """Replace `os.fsync`."""
        self._before = os.fsync
        os.fsync = self._sync

    def end(self) -> None:
        """Let all who wait go on."""
        os.fsync = self._before
        self._answers.set()

    def _sync(self, descriptor: Any) -> None:
        self.waits.set()
        self._answers.wait()
        self._before(descriptor)


class Frozen:
    """A file system that is frozen: whoever writes hangs in the kernel.

    Parameters
    ----------
    folder : Path
        Where it is mounted.
    """

    name, steady = "hang", False

    def __init__(self, folder: Path) -> None:
        self._folder = os.open(folder, os.O_RDONLY)

    def begin(self) -> None:
        """Freeze it."""
        fcntl.ioctl(self._folder, FIFREEZE, 0)

    def end(self) -> None:
        """Let it go on."""
        fcntl.ioctl(self._folder, FITHAW, 0)


@contextmanager
def _anywhere(folder: Path, make: Callable[[], Fault]) -> Iterator[tuple[Path, Fault]]:
    yield folder, make()


@contextmanager
def _full(folder: Path) -> Iterator[tuple[Path, Fault]]:
    try:
        _command("mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", folder)
    except (OSError, subprocess.CalledProcessError):
        yield folder, TooLarge()
        return
    try:
        yield folder, Full(folder)
    finally:
        _command("umount", "--lazy", folder)


@contextmanager
def _frozen(folder: Path) -> Iterator[tuple[Path, Fault]]:
    image, mounted = folder / "image", folder / "mounted"
    mounted.mkdir()
    try:
        with image.open("wb") as file:
            file.truncate(64 * MIB)
        _command("mkfs.ext4", "-q", image)
        _command("mount", "-o", "loop", image, mounted)
    except (OSError, subprocess.CalledProcessError):
        yield folder, Hanging()
        return
    fault = Frozen(mounted)
    try:
        yield mounted, fault
    finally:
        with suppress(OSError):  # it is not frozen any more, unless something went wrong
            fault.end()
        _command("umount", "--lazy", mounted)


def _command(*words: object) -> None:
    subprocess.run([*map(str, words)], check=True, capture_output=True)


FAULTS: dict[str, Callable[[Path], Any]] = {
    "EMFILE": lambda folder: _anywhere(folder, NoDescriptors),
    "ENOSPC": _full,
    "EIO": lambda folder: _anywhere(folder, EveryNow),
    "EIO now and then": lambda folder: _anywhere(folder, lambda: EveryNow(0.3)),
    "hang": _frozen,
}
"""By name: puts a fault on an empty folder; gives, in a ``with``, where to record and the fault."""
