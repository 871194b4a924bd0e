"""Runs of one entry to sounds of one length, on one scale and with one gain."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from epochord.renderers.audio.files.write import write_audio
from epochord.renderers.audio.mixing import levels, mixed
from epochord.renderers.audio.scoring.compose import audio_score, scale_samples
from epochord.renderers.audio.scoring.scale import common
from epochord.renderers.audio.scoring.settings import AudioSettings
from epochord.runlog import Run

__all__ = ["clips"]

SECONDS = 7.0  # of a clip; a voicing that calls may take longer
MP3_KBITS = 40  # stereo of few partials; a page of seventy clips shall stay small


def clips(runs: Sequence[Run]) -> list[bytes]:
    """Render runs in the default voicing, so that they can be heard beside each other.

    Parameters
    ----------
    runs : sequence of Run
        With voices in common.

    Returns
    -------
    list of bytes
        One MP3 file a run, each with its own calls.
    """
    settings = AudioSettings.of(duration=SECONDS)
    scales = common(scale_samples(run, settings) for run in runs)
    scores = [audio_score(run, settings, scales)[0] for run in runs]
    measured = levels([[score] for score in scores], settings.lufs)
    made = []
    with TemporaryDirectory() as folder:
        path = Path(folder, "clip.mp3")
        for score, level in zip(scores, measured, strict=True):
            write_audio(
                path,
                mixed([score], level),
                samples=score.samples,
                sample_rate=score.sample_rate,
                channels=score.channels,
                format="mp3",
                mp3_kbits=MP3_KBITS,
            )
            made.append(path.read_bytes())
    return made
