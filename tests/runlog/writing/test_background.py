"""The background writer keeps order, bounds its queue, and hands errors back."""

import subprocess
import sys
import threading
from pathlib import Path

import pyarrow as pa
import pytest

from epochord.runlog import RunMetadata
from epochord.runlog.writing.background import BackgroundWriter

ABOUT = RunMetadata("mine")


class Memory:
    """A real writer, into a list; it can be held up or made to fail."""

    def __init__(self) -> None:
        self.written: list[int] = []
        self.completed = self.closed = False
        self.go_on = threading.Event()
        self.go_on.set()
        self.fail_at: int | None = None

    def write(self, rows: pa.Table, table: str = "metrics") -> None:  # noqa: ARG002
        self.go_on.wait(10)
        step = rows["step"][0].as_py()
        if step == self.fail_at:
            raise OSError(28, "No space left on device")
        self.written.append(step)

    def complete(self, metadata: RunMetadata) -> None:
        assert metadata is ABOUT
        self.completed = True

    def close(self) -> None:
        self.closed = True


def batch(step: int):
    return lambda: pa.table({"step": [step]})


def test_batches_are_written_in_order_by_another_thread():
    """What is submitted first is written first, and flush waits for it."""
    memory = Memory()
    writer = BackgroundWriter([memory])
    threads = []
    for step in range(50):
        writer.submit(lambda s=step: (threads.append(threading.current_thread()), batch(s)())[1])
    writer.flush()
    assert memory.written == list(range(50))
    assert {thread.name for thread in threads} == {"epochord-log"}
    writer.close(ABOUT)
    assert memory.completed
    assert memory.closed


def test_a_full_queue_holds_the_training_loop_up():
    """Memory stays bounded: with two places, the fourth batch has to wait."""
    memory = Memory()
    memory.go_on.clear()
    writer = BackgroundWriter([memory], capacity=2)
    submitted: list[int] = []

    def loop() -> None:
        for step in range(6):
            writer.submit(batch(step))
            submitted.append(step)

    loop_thread = threading.Thread(target=loop)
    loop_thread.start()
    loop_thread.join(0.5)
    assert loop_thread.is_alive()
    assert len(submitted) <= 3  # one in the worker's hands, two waiting
    memory.go_on.set()
    loop_thread.join(10)
    writer.close(ABOUT)
    assert memory.written == list(range(6))


def test_an_error_comes_up_at_the_next_call_and_nothing_is_written_after_it():
    """A log must not go on with a hole in it."""
    memory = Memory()
    memory.fail_at = 1
    writer = BackgroundWriter([memory])
    for step in (0, 1):
        writer.submit(batch(step))
    with pytest.raises(OSError, match="No space left"):
        writer.flush()
    memory.fail_at = None
    with pytest.raises(OSError, match="No space left"):
        writer.submit(batch(2))
    with pytest.raises(OSError, match="No space left"):
        writer.close(ABOUT)
    assert memory.written == [0]
    assert not memory.completed
    assert memory.closed


def test_what_was_submitted_is_written_when_the_program_just_ends(tmp_path):
    """Forgetting to close loses nothing."""
    script = """
import sys, time, numpy as np, pyarrow as pa
from pathlib import Path
from epochord.runlog.arrow import arrow_array
from epochord.runlog.writing.background import BackgroundWriter
class Slow:
    def write(self, rows, table):
        time.sleep(0.05)
        with open(sys.argv[1], "a") as file:
            file.write(f"{rows['step'][0].as_py()} ")
    def complete(self, metadata): pass
    def close(self): pass
writer = BackgroundWriter([Slow()])
for step in range(8):
    writer.submit(lambda step=step: pa.table({"step": arrow_array(np.array([step]))}))
"""
    out = tmp_path / "out"
    subprocess.run([sys.executable, "-c", script, str(out)], check=True, timeout=60)
    assert out.read_text().split() == [str(step) for step in range(8)]
    assert Path(out).exists()
