"""The background writer keeps order, never holds the training up, and loses nothing unsaid."""

import threading
import time

import pyarrow as pa
import pytest

from epochord.runlog import RecordingWarning
from epochord.runlog.writing import background
from epochord.runlog.writing.background import BackgroundWriter


class Memory:
    """A real writer, into a list, and its desk; it can be held up or made to fail."""

    def __init__(self) -> None:
        self.written: list[int] = []
        self.holes: list[tuple[tuple[int, int], str]] = []
        self.ended = 0
        self.go_on = threading.Event()
        self.go_on.set()
        self.fail_at: int | None = None
        self.ours = True
        self.tried = 0

    def write(self, rows: pa.Table, table: str = "metrics") -> None:  # noqa: ARG002
        self.go_on.wait(30)
        step = rows["step"][0].as_py()
        if step == self.fail_at:
            self.tried += 1
            raise OSError(28, "No space left on device")
        self.written.append(step)

    def complete(self) -> None:
        self.ended += 1

    def holds(self) -> bool:
        return self.ours

    def lost(self, steps: tuple[int, int], reason: str) -> None:
        self.holes.append((steps, reason))

    def save(self) -> None:
        pass


@pytest.fixture
def memory():
    return Memory()


def writing(memory: Memory, *, raises: bool = False) -> BackgroundWriter:
    return BackgroundWriter([memory], memory, where="mine", raises=raises)


def submit(writer: BackgroundWriter, step: int, size: int = 1) -> bool:
    return writer.submit(lambda: pa.table({"step": [step]}), steps=(step, step), size=size)


def until(condition) -> None:
    """Wait for what another thread does."""
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_batches_are_written_in_order_by_another_thread(memory):
    """What is submitted first is written first, and flush waits for it."""
    writer = writing(memory)
    threads = []

    def batch(step: int) -> pa.Table:
        threads.append(threading.current_thread().name)
        return pa.table({"step": [step]})

    for step in range(50):
        writer.submit(lambda step=step: batch(step), steps=(step, step))
    assert writer.flush()
    assert memory.written == list(range(50))
    assert set(threads) == {"epochord-log"}
    assert writer.close(memory.complete)
    assert memory.ended == 1


def test_a_disk_that_hangs_holds_nobody_up_and_memory_is_bounded(memory, monkeypatch):
    """What finds no room is named as lost; all else is written once the disk answers."""
    monkeypatch.setattr(background, "WAITING_BYTES", 10)
    memory.go_on.clear()
    writer = writing(memory)
    taken = [step for step in range(100) if submit(writer, step, size=3)]
    assert taken[:2] == [0, 1]
    assert len(taken) <= 4  # 10 bytes waiting, and one in the worker's hands
    memory.go_on.set()
    assert not writer.flush()  # something was lost before
    assert memory.written == taken
    assert [steps[0] for steps, _ in memory.holes] == [s for s in range(100) if s not in taken]
    assert {reason for _, reason in memory.holes} == {"the disk does not answer"}
    assert submit(writer, 100)
    assert writer.flush()
    assert writer.close(memory.complete)


def test_a_batch_that_comes_again_is_not_named_as_lost(memory, monkeypatch):
    """An open row that finds no room comes again when it is complete."""
    monkeypatch.setattr(background, "WAITING_BYTES", 1)
    memory.go_on.clear()
    writer = writing(memory)
    submit(writer, 0)
    again = writer.submit(lambda: pa.table({"step": [1]}), steps=(1, 1), size=1, again=True)
    assert not again
    memory.go_on.set()
    assert writer.flush()
    assert not memory.holes
    writer.close(memory.complete)


def test_what_the_disk_refuses_is_tried_again_with_one_warning(memory):
    """After the outage everything is there, in order, and nothing counts as lost."""
    memory.fail_at = 1
    writer = writing(memory)
    with pytest.warns(RecordingWarning, match=r"mine: cannot be written.*No space left") as warned:
        for step in range(5):
            submit(writer, step)
        assert not writer.flush()
        until(lambda: memory.tried >= 3)
    assert len(warned) == 1
    assert memory.written == [0]
    memory.fail_at = None
    assert writer.flush()
    assert memory.written == list(range(5))
    assert not memory.holes
    assert writer.close(memory.complete)


def test_at_the_end_what_still_cannot_be_written_is_lost_and_said(memory, monkeypatch):
    """Closing tries for a while, gives up, and still ends the log."""
    monkeypatch.setattr(background, "LAST_ATTEMPTS", 0.5)
    memory.fail_at = 2
    writer = writing(memory)
    for step in range(5):
        submit(writer, step)
    with pytest.warns(RecordingWarning, match="cannot be written"):
        writer.close(memory.complete)
    assert memory.written == [0, 1]
    assert [steps for steps, _ in memory.holes] == [(2, 2), (3, 3), (4, 4)]
    assert memory.ended == 1


def test_a_batch_that_cannot_be_had_is_left_out(memory):
    """To ask again would not help; the next ones are written."""
    writer = writing(memory)

    def broken() -> pa.Table:
        raise ValueError("no rows")

    with pytest.warns(RecordingWarning, match=r"something could not be recorded.*no rows"):
        submit(writer, 0)
        writer.submit(broken, steps=(1, 3))
        submit(writer, 4)
        assert not writer.flush()
        until(lambda: memory.written == [0, 4])
    assert memory.holes == [((1, 3), "ValueError: no rows")]
    writer.close(memory.complete)


def test_where_errors_are_to_be_raised_nothing_is_written_after_one(memory):
    """The next call raises it: a log must not go on with a hole that nobody knows of."""
    memory.fail_at = 1
    writer = writing(memory, raises=True)
    for step in (0, 1):
        submit(writer, step)
    with pytest.raises(OSError, match="No space left"):
        writer.flush()
    memory.fail_at = None
    with pytest.raises(OSError, match="No space left"):
        submit(writer, 2)
    with pytest.raises(OSError, match="No space left"):
        writer.close(memory.complete)
    assert memory.written == [0]
    assert not memory.ended


def test_what_somebody_else_has_taken_is_left_to_them(memory):
    """Not a row is written into a log that is no longer ours, nor how it ended."""
    writer = writing(memory)
    submit(writer, 0)
    assert writer.flush()
    memory.ours = False
    with pytest.warns(RecordingWarning, match="somebody else records there"):
        submit(writer, 1)
        assert not writer.flush()
    assert not submit(writer, 2)
    assert not writer.close(memory.complete)
    assert memory.written == [0]
    assert not memory.ended


def test_something_is_called_every_now_and_then(memory):
    """Between two batches, in the worker's thread."""
    writer = writing(memory)
    called = []
    writer.every(0.01, lambda: called.append(threading.current_thread().name))
    until(lambda: len(called) >= 5)
    assert set(called) == {"epochord-log"}
    writer.close(memory.complete)
