"""A run as samples: block by block or all at once, levelled as its file would be."""

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Unpack

import numpy as np
import numpy.typing as npt

from epochord.renderers.audio.files.player import player
from epochord.renderers.audio.level.measure import Level
from epochord.renderers.audio.mixing import levels, mixed
from epochord.renderers.audio.scoring.compose import Scales, audio_score
from epochord.renderers.audio.scoring.legend import legend
from epochord.renderers.audio.scoring.score import Score
from epochord.renderers.audio.scoring.settings import AudioOptions, AudioSettings
from epochord.runlog import Run
from epochord.runlog.run.given import require_run
from epochord.runlog.words import short_repr

__all__ = ["Progress", "Sound", "sound"]

Progress = Callable[[int, int], None]
Samples = npt.NDArray[np.float32]


def sound(
    run: Run,
    settings: AudioSettings | None = None,
    *,
    scales: Scales | None = None,
    progress: Progress | None = None,
    **options: Unpack[AudioOptions],
) -> "Sound":
    """Make a run's sound, in memory or block by block.

    Parameters
    ----------
    run : Run
        Any run with measurements.
    settings : AudioSettings, optional
        How it is to be heard.
    scales : mapping of str to Scale, optional
        Those that several runs share; by default the run's own.
    progress : callable, optional
        Called with the samples done and the samples in all: each counts once when it is
        measured, and once whenever it is asked for.
    **options
        Single settings by name, such as ``voicing="sequence", duration=12`` (s):
        ``help(epochord.AudioSettings)`` has them all.

    Returns
    -------
    Sound
        Its samples are those of the float WAV file that `render_audio` would write.

    Raises
    ------
    LogError
        If there is nothing to hear.
    SpeechError
        If it is to speak, and no program here does, or it fails.
    TypeError
        If `run` is no run, or there is no such setting.
    ValueError
        If a setting makes no sense.
    """
    require_run(run)
    settings = AudioSettings.given(settings, **options)
    score, used = audio_score(run, settings, scales)
    return Sound(run.name, score, settings, used, progress)


class Sound:
    """A score's sound, behind its legend if it has one, levelled.

    Parameters
    ----------
    name : str
        Of the run.
    score : Score
        What sounds when.
    settings : AudioSettings
        How it was scored, and how loud it is to be.
    scales : mapping of str to Scale
        Those used, by group of voices.
    progress : callable, optional
        Called with the samples done and the samples in all.

    Attributes
    ----------
    offset : int
        Samples before the score begins: the legend's.
    """

    def __init__(
        self,
        name: str,
        score: Score,
        settings: AudioSettings,
        scales: Scales,
        progress: Progress | None = None,
    ) -> None:
        self.name = name
        self.score = score
        self.settings = settings
        self.scales = scales
        self._opening = legend(score) if settings.legend else None
        self.offset = self._opening.samples if self._opening else 0
        self._progress = progress
        self._done = 0
        self._kept: list[Samples] = []

    def __repr__(self) -> str:
        sides = "stereo" if self.channels == 2 else "mono"
        return (
            f"<Sound of {short_repr(self.name)}: {self.settings.voicing}, {self.duration:.2f} s, "
            f"{self.sample_rate} Hz, {sides}>"
        )

    def _repr_html_(self) -> str:
        return player(
            self.blocks(), len(self), sample_rate=self.sample_rate, channels=self.channels
        )

    def __len__(self) -> int:
        return self.offset + self.score.samples

    @property
    def sample_rate(self) -> int:
        """Samples a second, Hz."""
        return self.score.sample_rate

    @property
    def channels(self) -> int:
        """1, or 2 for stereo."""
        return self.score.channels

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return len(self) / self.sample_rate

    @cached_property
    def level(self) -> Level:
        """Loudness, true peak, and the gain of all samples; the voicing `original` has none."""
        return levels([self._track], self.settings.lufs, self._count, keep=self._kept)[0]

    @cached_property
    def samples(self) -> Samples:
        """The whole sound [shape=(samples, channels), float32], full scale at ±1; read-only."""
        whole = np.concatenate([*self.blocks()])
        whole.flags.writeable = False
        return whole

    def blocks(self) -> Iterator[Samples]:
        """Make the sound in bounded memory, as of hours.

        Yields
        ------
        np.ndarray [shape=(n, channels), float32]
            Together equal to `samples`; of any lengths.
        """
        level = self.level
        kept, self._kept = self._kept, []
        for block in mixed(self._track, level, kept):
            yield block.reshape(len(block), self.channels)
            self._count(len(block))

    @property
    def _track(self) -> list[Score]:
        return [*filter(None, [self._opening]), self.score]

    def _count(self, samples: int) -> None:
        # The original is written as it is, so it is made only once; others are measured before,
        # and once more with their earcons and what is said.
        marked = bool(self.score.events or self.score.speech)
        passes = 1 if self.score.voicing == "original" else 2 + marked
        total = len(self) * passes
        self._done += samples
        if self._progress:
            self._progress(min(self._done, total), total)
