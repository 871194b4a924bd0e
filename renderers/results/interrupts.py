"""Ctrl-C and SIGTERM where they must not come in between, or would get lost."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import current_thread, main_thread
from types import FrameType

__all__ = ["deferred"]


@contextmanager
def deferred() -> Iterator[Callable[[], None]]:
    """Let Ctrl-C and SIGTERM wait until the block is done.

    An exception that they raise in a function which a C library calls would be
    printed and forgotten, or leave things half-moved.

    Yields
    ------
    callable
        Acts on what has come so far: to be called where it does no harm.
    """
    if current_thread() is not main_thread():  # signals do not reach the others
        yield lambda: None
        return
    came: list[int] = []

    def later(number: int, _frame: FrameType | None) -> None:
        came.append(number)

    known = [each for each in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(each) is not None]
    before = {each: signal.signal(each, later) for each in known}

    def act() -> None:
        while came:
            number = signal.Signals(came.pop())
            handler = before[number]
            if callable(handler):
                handler(number, None)

    try:
        yield act
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
        for number in came:
            signal.raise_signal(number)
