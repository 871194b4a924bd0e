"""How recorders end: with the program, by a signal, or not at all in a forked child."""

import atexit
import multiprocessing
import multiprocessing.util
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any, Protocol

__all__ = ["Endable", "error_on_its_way", "forget", "last_error", "open_at", "remember"]

SIGNALS = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]

Handler = Callable[[int, FrameType | None], Any] | int | None


class Endable(Protocol):
    """A recorder, as far as its end is concerned."""

    path: Path
    signals: bool

    @property
    def busy(self) -> bool:
        """Whether this thread is in the middle of something, or any in closing it."""

    def wait(self) -> None:
        """Wait until nobody is."""

    @property
    def orphaned(self) -> bool:
        """Whether nothing is left that could be recorded."""

    def close(self, *, error: str | None = None) -> None:
        """Complete the log."""

    def flush(self) -> bool:
        """Wait until all is on disk."""

    def end_with_program(self) -> None:
        """Complete the log as the program ends: well, or by an exception."""

    def abandon(self) -> None:
        """Leave the log to the process that this one was forked from."""


_open: list[Endable] = []
_earlier: dict[int, Handler] = {}  # what handled our signals before


def remember(recorder: Endable) -> None:
    """See to a recorder's end from now on."""
    for orphan in [each for each in _open if each.orphaned]:
        orphan.close()  # what it recorded has gone, and so has its training
    _open.append(recorder)
    if multiprocessing.parent_process() is not None:
        # Such a process ends without atexit; the registry of its parent's was emptied.
        multiprocessing.util.Finalize(None, _at_exit, exitpriority=0)
    if recorder.signals and threading.current_thread() is threading.main_thread():
        _take_signals()


def forget(recorder: Endable) -> None:
    """Let a recorder go that has ended."""
    with suppress(ValueError):
        _open.remove(recorder)
    if not _open:
        _give_signals_back()


def open_at(path: Path) -> Endable | None:
    """Return the recorder that this process has open at a path, whatever links lead there."""
    return next((each for each in _open if each.path.resolve() == path.resolve()), None)


def last_error() -> BaseException | None:
    """Return the exception that nobody has caught, if there was one: the last one, if several."""
    error = getattr(sys, "last_value", None)
    return error if isinstance(error, BaseException) else None


def error_on_its_way() -> BaseException | None:
    """Return the exception by which a process of multiprocessing's ends right now."""
    return sys.exc_info()[1] if multiprocessing.parent_process() else None


def _take_signals() -> None:
    for number in SIGNALS:
        earlier = signal.getsignal(number)
        # Whoever ignores a signal (nohup) means it; what is not Python's own cannot be chained.
        if number in _earlier or earlier in (signal.SIG_IGN, None):
            continue
        _earlier[number] = earlier
        signal.signal(number, _on_signal)


def _give_signals_back() -> None:
    if threading.current_thread() is not threading.main_thread():
        return
    for number in list(_earlier):
        earlier = _earlier.pop(number)
        if signal.getsignal(number) is _on_signal:  # else somebody has put theirs over ours
            signal.signal(number, earlier)


def _on_signal(number: int, frame: FrameType | None) -> None:
    """Bring everything to the disk, then do what would have been done without us."""
    if any(each.busy for each in _open):
        # The frame that was interrupted holds a lock that closing needs, or closes already.
        threading.Thread(target=_signal_again, args=(number,), daemon=True).start()
        return
    earlier = _earlier.get(number, signal.SIG_DFL)
    concerned = [each for each in _open if each.signals]
    theirs = signal.getsignal(number) is not _on_signal  # put over ours, and calling it
    if callable(earlier) or theirs:
        for recorder in concerned:
            with suppress(Exception):
                recorder.flush()  # whoever handles the signal may train on
        if callable(earlier):
            earlier(number, frame)
        return
    for recorder in concerned:
        with suppress(Exception):
            recorder.close(error=f"ended by {signal.Signals(number).name}")
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def _signal_again(number: int) -> None:
    for recorder in list(_open):
        recorder.wait()
    os.kill(os.getpid(), number)


def _at_exit() -> None:
    for recorder in list(_open):
        with suppress(Exception):  # each of them, whatever becomes of the others
            recorder.end_with_program()


def _in_child() -> None:
    for recorder in _open:
        recorder.abandon()
    _open.clear()


atexit.register(_at_exit)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
