"""How many frames, and how long each: the pace of the sound."""

from typing import NamedTuple

from epochord.renderers.audio.scoring.settings import AudioSettings
from epochord.runlog import LogError

__all__ = ["Pace", "pace"]

LONGEST = 60.0  # s; longer runs are reduced, if nothing else is asked for
SHORTEST = 4.0  # s; shorter runs are heard more slowly, so that there is something to hear
SLOWEST_FRAME = 2.0  # s; of very few steps each is no longer than this
LANES_FRAME = 0.06  # s: the original's step of four layers
MOST = 86_400.0  # s
SHORTEST_FRAME = 0.01  # s
IN_TURN = ("sequence", "original")  # whose frames grow with the number of voices


class Pace(NamedTuple):
    """Number of frames, and lengths in seconds: of a frame, a tone and a pause."""

    frames: int
    frame: float
    tone: float
    silence: float


def pace(settings: AudioSettings, steps: int, voices: int, extent: float | None = None) -> Pace:
    """Decide the pace.

    Parameters
    ----------
    settings : AudioSettings
        With a duration, steps a second, or neither.
    steps : int
        How many there are.
    voices : int
        How many sound in turn, where they do.
    extent : float, optional
        How much time is proportional to; by default that number of steps.
    """
    in_turn = settings.voicing in IN_TURN
    usual = voices * settings.tone + settings.silence if in_turn else LANES_FRAME
    frames, frame = steps, usual
    if settings.steps_per_second is not None:
        frame = 1 / settings.steps_per_second
        frames = max(1, min(steps, round(steps * frame / SHORTEST_FRAME)))
        frame *= (extent or steps) / frames
    elif settings.duration is not None:
        frames = max(1, min(steps, round(settings.duration / min(usual, settings.duration))))
        frame = settings.duration / frames
    elif settings.voicing != "original" and steps * usual > LONGEST:
        frames = max(1, round(LONGEST / usual))
        frame = LONGEST / frames
    elif settings.voicing != "original":
        frame = max(usual, min(SHORTEST / steps, SLOWEST_FRAME))
    if settings.time != "logged":  # as fine as usual, however many steps there are
        whole = frames * frame
        if whole > MOST:
            raise LogError(
                f"{whole / 3600:.3g} h of sound; expected at most {MOST / 3600:g} h: choose more "
                "steps a second, or a duration"
            )
        frames = max(1, round(whole / usual))
        frame = whole / frames
    stretch = frame / usual
    return Pace(frames, frame, settings.tone * stretch, settings.silence * stretch)
