"""A run has one owner: whoever holds the lock, until it lets go or dies."""

import errno
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from epochord.runlog import RunExistsError
from epochord.runlog.writing import ownership
from epochord.runlog.writing.ownership import LOCK, Ownership


def owner(directory) -> dict:
    return json.loads((directory / LOCK).read_text())


def refused(directory) -> str:
    """Assert that nobody else gets in, and that the attempt leaves no trace; return the reason."""
    before = (directory / LOCK).read_bytes(), descriptors()
    with pytest.raises(RunExistsError) as caught:
        Ownership(directory)
    assert ((directory / LOCK).read_bytes(), descriptors()) == before
    assert "\n" not in str(caught.value)
    return str(caught.value)


def descriptors() -> int:
    """Return how many files are open in this process."""
    return len([*Path("/proc/self/fd").iterdir()]) if sys.platform == "linux" else 0


def test_one_holds_it_until_it_lets_go(tmp_path):
    """The refusal says who it is, where, and since when; the file goes with the holder."""
    first = Ownership(tmp_path)
    assert first.holds()
    text = refused(tmp_path)
    assert f"is being recorded by process {os.getpid()} on {socket.gethostname()}" in text
    assert f"since {owner(tmp_path)['since']}" in text
    first.release()
    assert not first.holds()
    assert list(tmp_path.iterdir()) == []
    second = Ownership(tmp_path)
    first.release()  # once more: it is no longer its own
    assert second.holds()
    assert str(os.getpid()) in refused(tmp_path)
    second.release()


HOLDER = """
import sys
from pathlib import Path
from epochord.runlog.writing.ownership import Ownership
lock = Ownership(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.readline()
"""


def test_it_ends_with_its_process_however_that_ends(tmp_path):
    """A process that is alive holds it; the file that a kill leaves holds nobody."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, tmp_path],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with process:
        assert process.stdout.readline() == "held\n"
        assert f"process {process.pid} on" in refused(tmp_path)
        process.send_signal(signal.SIGKILL)
        process.wait(60)
    assert owner(tmp_path)["pid"] == process.pid
    lock = Ownership(tmp_path)
    assert owner(tmp_path)["pid"] == os.getpid()
    lock.release()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": 1}', "\0" * 5000])
def test_what_a_file_says_that_nobody_holds_does_not_matter(text, tmp_path):
    """The lock is the kernel's."""
    (tmp_path / LOCK).write_text(text)
    lock = Ownership(tmp_path)
    assert owner(tmp_path)["pid"] == os.getpid()
    lock.release()


def test_a_lock_that_somebody_removes_is_renewed(tmp_path):
    """Whoever tidies up does not let others in."""
    lock = Ownership(tmp_path)
    (tmp_path / LOCK).unlink()
    assert lock.holds()
    refused(tmp_path)
    lock.release()
    assert list(tmp_path.iterdir()) == []


def test_a_lock_that_was_removed_and_taken_is_lost(tmp_path):
    """The first one does not hold it any more, nor takes it away from the second."""
    first = Ownership(tmp_path)
    (tmp_path / LOCK).unlink()
    second = Ownership(tmp_path)
    assert not first.holds()
    first.release()
    assert second.holds()
    second.release()
    assert not first.holds()  # it does not come back by itself either


def test_where_the_directory_has_gone_nothing_can_be_told(tmp_path):
    """It may come back, and then it is ours again."""
    directory = tmp_path / "r"
    directory.mkdir()
    lock = Ownership(directory)
    (directory / LOCK).unlink()
    directory.rmdir()
    with pytest.raises(OSError, match="No such file"):
        lock.holds()
    directory.mkdir()
    assert lock.holds()
    refused(directory)
    lock.release()


def failing(error: int):
    """Return a function that fails as the kernel would."""

    def fail(*_):
        raise OSError(error, os.strerror(error))

    return fail


def test_a_renewal_that_fails_is_tried_again(tmp_path, monkeypatch):
    """A disk that is full for a while does not cost the lock."""
    lock = Ownership(tmp_path)
    (tmp_path / LOCK).unlink()
    with monkeypatch.context() as patch:
        patch.setattr(ownership.os, "open", failing(errno.ENOSPC))
        with pytest.raises(OSError, match="No space"):
            lock.holds()
    assert lock.holds()
    refused(tmp_path)
    lock.release()


@pytest.mark.parametrize("call", ["pwrite", "ftruncate"])
def test_a_lock_that_cannot_say_whose_it_is_is_not_kept(call, tmp_path, monkeypatch):
    """After a failure the next attempt, also in this process, gets it."""
    before = descriptors()
    with monkeypatch.context() as patch:
        patch.setattr(ownership.os, call, failing(errno.ENOSPC))
        with pytest.raises(OSError, match="No space"):
            Ownership(tmp_path)
    assert descriptors() == before
    Ownership(tmp_path).release()


def test_other_failures_are_not_taken_for_a_lock(tmp_path, monkeypatch):
    """A broken disk is no reason to say that somebody records there."""
    before = descriptors()
    monkeypatch.setattr(ownership.fcntl, "flock", failing(errno.EIO))
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        Ownership(tmp_path)
    assert descriptors() == before


class Child:
    """A forked child that does something, says how it went, and lives until it is told to end."""

    def __init__(self, do) -> None:
        (self._said, says), (hears, self._tell) = os.pipe(), os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                signal.alarm(60)  # whatever becomes of the test
                os.write(says, b"ok" if do() else b"no")
                os.read(hears, 1)
            finally:
                os._exit(0)
        os.close(says)
        os.close(hears)

    def answer(self) -> str:
        """Wait for what it has to say."""
        return os.read(self._said, 2).decode()

    def end(self) -> None:
        """Let it end."""
        os.write(self._tell, b".")  # closing would not do: other children have it open, too
        os.waitpid(self.pid, 0)
        os.close(self._tell)
        os.close(self._said)


needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


@needs_fork
def test_a_forked_child_neither_holds_nor_frees_its_parents_lock(tmp_path):
    """Letting go there changes nothing here; and it keeps nobody out when the parent has let go."""
    lock = Ownership(tmp_path)

    def do() -> bool:
        holds = lock.holds()
        lock.release()
        with suppress(RunExistsError):
            Ownership(tmp_path)
            return False
        return not holds

    child = Child(do)
    assert child.answer() == "ok"
    assert lock.holds()
    refused(tmp_path)
    lock.release()
    Ownership(tmp_path).release()  # while the child is alive
    child.end()


def compete(directory: Path, rounds: int) -> bool:
    """Take and leave the lock several times; tell whether nobody else was ever inside."""
    alone = True
    while rounds:
        try:
            lock = Ownership(directory)
        except RunExistsError:
            continue
        rounds -= 1
        try:
            os.close(os.open(directory / "inside", os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            alone = False
        else:
            (directory / "inside").unlink()
        alone = alone and lock.holds()
        lock.release()
    return alone


@needs_fork
def test_processes_and_threads_that_race_are_never_inside_together(tmp_path):
    """Each release removes the file that others are about to lock: they must notice."""
    children = [Child(lambda: compete(tmp_path, 60)) for _ in range(2)]
    results: list[bool] = []
    threads = [
        threading.Thread(target=lambda: results.append(compete(tmp_path, 60))) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    answers = [child.answer() for child in children]
    for child in children:
        child.end()
    assert (results, answers) == ([True] * 2, ["ok"] * 2)
    assert list(tmp_path.iterdir()) == []


def test_of_those_that_begin_at_once_one_wins(tmp_path):
    """All others are refused; none is kept waiting."""
    for round in range(20):
        directory = tmp_path / str(round)
        directory.mkdir()
        together, won, lost = threading.Barrier(6, timeout=60), [], []

        def begin(directory=directory, together=together, won=won, lost=lost) -> None:
            together.wait()
            try:
                won.append(Ownership(directory))
            except RunExistsError as error:
                lost.append(str(error))

        threads = [threading.Thread(target=begin) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (len(won), len(lost)) == (1, 5)
        won[0].release()


NOW = ownership._started(os.getpid())
HERE = {"host": socket.gethostname(), "boot_id": ownership._boot(), "pid": os.getpid()}


@pytest.fixture
def without_locks(monkeypatch):
    """Work on a file system that has no locks."""
    monkeypatch.setattr(ownership.fcntl, "flock", failing(errno.ENOTSUP))


@pytest.mark.usefixtures("without_locks")
@pytest.mark.skipif(NOW is None, reason="needs /proc")
@pytest.mark.parametrize(
    "says",
    [
        {**HERE, "process_started": NOW},
        {**HERE, "process_started": NOW, "host": "another"},
        {**HERE, "process_started": NOW + 1, "host": "another", "boot_id": "another"},
    ],
    ids=["this process", "another machine", "nothing known of it"],
)
def test_without_locks_the_file_keeps_others_out_whose_owner_may_live(says, tmp_path):
    """It is left as it is; the refusal says whose it is."""
    (tmp_path / LOCK).write_text(json.dumps({**says, "since": "2026-11-28T10:00:00+00:00"}))
    text = refused(tmp_path)
    assert f"process {os.getpid()} on {says['host']} since 2026-11-28T10" in text


@pytest.mark.usefixtures("without_locks")
@pytest.mark.skipif(NOW is None, reason="needs /proc")
@pytest.mark.parametrize(
    "says",
    [
        "",
        "{",
        "[]",
        {**HERE, "process_started": NOW, "boot_id": "an earlier one"},
        {**HERE, "process_started": NOW - 1},
        {**HERE, "process_started": NOW, "pid": 2**22 + 1},
        {**HERE, "process_started": NOW, "pid": "1"},
    ],
    ids=["empty", "cut", "no owner", "earlier boot", "pid used again", "dead", "no number"],
)
def test_without_locks_the_file_of_one_that_is_dead_is_taken_over(says, tmp_path):
    """With a warning, since two that begin at once could not be kept apart."""
    (tmp_path / LOCK).write_text(says if isinstance(says, str) else json.dumps(says))
    with pytest.warns(UserWarning, match="has no locks"):
        lock = Ownership(tmp_path)
    assert owner(tmp_path)["process_started"] == NOW
    assert lock.holds()
    refused(tmp_path)
    lock.release()
    assert list(tmp_path.iterdir()) == []
