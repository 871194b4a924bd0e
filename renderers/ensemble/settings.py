"""How an ensemble is to be seen and heard."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from epochord.runlog.words import did_you_mean

__all__ = [
    "LAYERS",
    "SHOWN",
    "SIZES",
    "Animation",
    "ClockKind",
    "EnsembleSettings",
    "Layer",
    "SizeName",
    "ThemeName",
]

Layer = Literal["members", "mean", "sd", "predictive", "quantiles", "f", "p", "data", "hop"]
LAYERS: tuple[Layer, ...] = get_args(Layer)
SHOWN: tuple[Layer, ...] = (
    "members",
    "mean",
    "sd",
    "predictive",
    "data",
)  # what is seen by default

MOST = 1e100  # predictions are float32; beyond this, float64 would overflow on the way

Animation = Literal["webp", "gif", "none"]
ThemeName = Literal["light", "dark"]
ClockKind = Literal["movement", "linear"]
SizeName = Literal["1280x720", "1920x1080", "3840x2160", "square", "vertical"]
SIZES: dict[str, tuple[int, int]] = {  # pixels
    "1280x720": (1280, 720),
    "1920x1080": (1920, 1080),
    "3840x2160": (3840, 2160),
    "square": (1080, 1080),
    "vertical": (1080, 1920),
}


@dataclass(frozen=True, kw_only=True)
class EnsembleSettings:
    """How an ensemble is to be seen and heard.

    Parameters
    ----------
    layers : tuple of str
        What is drawn: `members` (a density if there are more than 200), their
        `mean`, bands of ±1 and ±2 standard deviations (`sd`), a band of ±2 of
        what will be observed, noise included (`predictive`), bands of
        `quantiles` (5 to 95 % and 25 to 75 %), the trained part `f` and the
        scaled prior `p` of each member, the `data`, and members one at a time
        (`hop`: hypothetical outcome plots, Hullman et al. 2015).
    member : int, optional
        One member that is drawn apart from the others.
    clock : {"movement", "linear"}
        What time is given to in the video: to movement, so that no member moves more
        than 1 % of the picture's height a frame, or to each epoch alike.
    duration : float, optional
        Of the training in the video, s; by default as long as its clock needs (see
        `epochord.renderers.ensemble.pacing`).
    size : {"1280x720", "1920x1080", "3840x2160", "square", "vertical"}
        Of the video and of the still of the uncertainty; square is 1080 × 1080 pixels,
        vertical 1080 × 1920.
    theme : {"light", "dark"}
        Of all pictures.
    animation : {"webp", "gif", "none"}
        The small animation beside the video.
    video, sound : bool
        Whether to make the video at all, and whether with sound.
    svg : bool
        Whether the stills are there as SVG too.
    limits : (float, float), optional
        Lowest and highest prediction that is shown.
    noise : float, optional
        Standard deviation of the observations' noise; by default what the log
        says, else each member's own, else the most likely one at the last epoch,
        out of bag, at held-out points, or at the training data.

    Raises
    ------
    ValueError
        If a setting makes no sense.
    """

    layers: tuple[str, ...] = SHOWN
    member: int | None = None
    clock: ClockKind = "movement"
    duration: float | None = None
    size: SizeName = "1280x720"
    theme: ThemeName = "light"
    animation: Animation = "webp"
    video: bool = True
    sound: bool = True
    svg: bool = False
    limits: tuple[float, float] | None = None
    noise: float | None = None

    def __post_init__(self) -> None:
        unknown = [layer for layer in self.layers if layer not in LAYERS]
        if unknown or not self.layers:
            near = next(filter(None, (did_you_mean(layer, LAYERS) for layer in unknown)), ";")
            raise ValueError(
                f"layers is {','.join(self.layers)!r}{near} expected some of {', '.join(LAYERS)}"
            )
        if self.member is not None and self.member < 0:
            raise ValueError(f"member is {self.member}; expected a number from 0")
        if self.duration is not None and not 0 < self.duration <= 3600:
            raise ValueError(f"duration is {self.duration:g} s; expected more than 0, up to 3600")
        if self.limits is not None and not -MOST < self.limits[0] < self.limits[1] < MOST:
            raise ValueError(
                f"limits are {self.limits}; expected the lower one first, both within ±{MOST:g}"
            )
        if self.noise is not None and not 0 < self.noise < MOST:
            raise ValueError(f"noise is {self.noise:g}; expected more than 0, below {MOST:g}")
        choices = {"animation": Animation, "size": SizeName, "theme": ThemeName, "clock": ClockKind}
        for name, kind in choices.items():
            if (value := getattr(self, name)) not in get_args(kind):
                expected = ", ".join(get_args(kind))
                raise ValueError(f"{name} is {value!r}; expected one of {expected}")

    def to_dict(self) -> Mapping[str, Any]:
        """Return the settings as plain JSON values."""
        plain = asdict(self)
        plain["layers"] = list(self.layers)
        plain["limits"] = list(self.limits) if self.limits else None
        return plain
