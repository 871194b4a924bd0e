"""Runs of one entry to sounds of one length, on one scale and with one gain."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from epochord.renderers.audio.files.write import write_audio
from epochord.renderers.audio.scoring.compose import scores_together
from epochord.renderers.audio.scoring.settings import AudioSettings
from epochord.renderers.page.sounds import levels, sound
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
        One MP3 file a run: the same moment is the same step.
    """
    settings = AudioSettings.of(duration=SECONDS)
    scores, _ = scores_together(runs, settings)
    measured = levels(scores, settings.lufs, _ignore)
    made = []
    with TemporaryDirectory() as folder:
        path = Path(folder, "clip.mp3")
        for score, level in zip(scores, measured, strict=True):
            write_audio(
                path,
                sound(score, level.gain, _ignore),
                samples=score.samples,
                sample_rate=score.sample_rate,
                channels=score.channels,
                format="mp3",
                mp3_kbits=MP3_KBITS,
            )
            made.append(path.read_bytes())
    return made


def _ignore(samples: int) -> None:
    """Take no notice of how many samples were made."""
