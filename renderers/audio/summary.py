"""A rendered sound as an audio summary, so that it plays in TensorBoard's Audio tab."""

import os
import socket
import tempfile
import time
from pathlib import Path

import soundfile  # type: ignore[import-untyped]

from epochord.renderers.audio.result import AudioResult
from epochord.renderers.results.destination import StrPath
from epochord.renderers.results.output import writing
from epochord.runlog.tensorboard.headers import frame
from epochord.runlog.tensorboard.messages import Event

__all__ = ["write_audio_summary"]


def write_audio_summary(made: AudioResult, logdir: StrPath) -> Path:
    """Write an event file with one sound.

    Parameters
    ----------
    made : AudioResult
        The sound, in any format; TensorBoard gets 16-bit WAV.
    logdir : str or PathLike
        TensorBoard's folder; the sound goes into the run's folder in it.

    Returns
    -------
    Path
        The event file.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    now = time.time()
    run, last = made.description["run"], made.description["last_step"]
    name = f"events.out.tfevents.{int(now):010d}.{socket.gethostname()}.{os.getpid()}.audio"
    path = Path(logdir, run, name)
    event = Event(wall_time=now, step=last)
    value = event.summary.value.add(tag=f"epochord/{made.description['settings']['voicing']}")
    value.audio.sample_rate = made.description["sample_rate"]
    value.audio.num_channels = made.description["channels"]
    value.audio.content_type = "audio/wav"
    value.audio.encoded_audio_string = _wav(made.path)
    value.audio.length_frames = soundfile.info(made.path).frames
    with writing(path) as temporary:
        version = Event(wall_time=now, file_version="brain.Event:2")
        records = [frame(each.SerializeToString()) for each in (version, event)]
        temporary.write_bytes(b"".join(records))
    return path


def _wav(path: Path) -> bytes:
    """Return a sound file as 16-bit WAV."""
    if path.suffix == ".wav" and soundfile.info(path).subtype == "PCM_16":
        return path.read_bytes()
    samples, rate = soundfile.read(path, dtype="float32")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "audio.wav")
        soundfile.write(file, samples, rate, subtype="PCM_16")
        return file.read_bytes()
