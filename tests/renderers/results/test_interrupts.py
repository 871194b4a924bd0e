"""Ctrl-C is neither lost nor in the way."""

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from epochord.renderers.results.interrupts import deferred


@pytest.fixture
def heeded() -> Iterator[None]:
    """Let Ctrl-C raise KeyboardInterrupt, also where these tests run in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def interrupted(*, asked: bool) -> list[str]:
    """Be interrupted in a block, and ask for it or not; returns how far it went."""
    reached: list[str] = []
    try:
        with deferred() as act:
            act()
            os.kill(os.getpid(), signal.SIGINT)
            reached.append("interrupted")
            if asked:
                act()
            reached.append("end of the block")
        reached.append("behind it")
    except KeyboardInterrupt:
        reached.append("stopped")
    return reached


@pytest.mark.usefixtures("heeded")
def test_it_waits_until_it_does_no_harm() -> None:
    """Inside of the block nothing happens before it is asked for, and at its end it does."""
    assert interrupted(asked=True) == ["interrupted", "stopped"]
    assert interrupted(asked=False) == ["interrupted", "end of the block", "stopped"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize("format", ["mp3", "flac", "ogg"])
def test_encoding_can_be_interrupted(tmp_path: Path, format: str) -> None:
    """Ctrl-C while libsndfile encodes, which calls back into Python, ends it."""
    script = textwrap.dedent(
        f"""
        import sys
        from pathlib import Path
        import numpy as np
        from epochord.renderers.audio.files.write import write_audio

        noise = np.random.default_rng(0).normal(0, 0.1, (1 << 20, 2)).astype(np.float32)

        def blocks():
            print("encoding", flush=True)
            for _ in range(1000):
                yield noise

        shape = dict(samples=1000 << 20, sample_rate=44100, channels=2, format={format!r})
        write_audio(Path({str(tmp_path / "sound")!r}), blocks(), **shape)
        """
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "encoding\n"
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.7)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert "KeyboardInterrupt" in said.splitlines()[-1]
    assert process.returncode != 0
