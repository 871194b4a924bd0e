"""Epochord: hear your training runs.

>>> import epochord as ep
>>> run = ep.open_run("runs/sgd")
>>> ep.sound(run)

`dir(epochord)` lists all there is; a name is imported when it is first used.
"""

from pathlib import Path
from typing import TYPE_CHECKING

__version__ = "0.1.0"

_HERE = Path(__file__).parent
# The rooms are folders at the root of the repository, and links to them lie here. Where a file
# system has no links, git writes a small file in place of each: then the rooms are taken from
# the root of the checkout itself.
if not (_HERE / "runlog").is_dir():
    if not (_HERE.parent / "pyproject.toml").is_file():
        raise ImportError(
            f"{_HERE} was installed from a checkout without symbolic links and holds no code; "
            "install it from a wheel, or in place with: pip install --editable CHECKOUT",
            name="epochord",  # so that `python -m epochord` says it in one line
        )
    __path__.append(str(_HERE.parent))

__all__ = [
    "Account",
    "AudioResult",
    "AudioSettings",
    "BenfordResult",
    "Comparison",
    "ComparisonResult",
    "ComparisonSettings",
    "EnsembleRecorder",
    "EnsembleResult",
    "EnsembleSettings",
    "EpochordError",
    "Finding",
    "GradientRecorder",
    "LogError",
    "MCDropout",
    "OutputError",
    "PageResult",
    "ReadBack",
    "RecordingWarning",
    "Run",
    "RunExistsError",
    "RunSource",
    "Series",
    "Sound",
    "Spectrogram",
    "VoiceMapping",
    "__version__",
    "compare",
    "compare_runs",
    "describe",
    "find_runs",
    "findings",
    "open_ensemble",
    "open_run",
    "read_back",
    "register_voicing",
    "render_audio",
    "render_benford",
    "render_ensemble",
    "render_page",
    "sound",
    "spectrogram",
    "watch",
]

if TYPE_CHECKING:
    from epochord.recorders import EnsembleRecorder, GradientRecorder, MCDropout, watch
    from epochord.renderers.audio.readback import ReadBack, read_back
    from epochord.renderers.audio.render import render_audio
    from epochord.renderers.audio.result import AudioResult
    from epochord.renderers.audio.samples import Sound, sound
    from epochord.renderers.audio.scoring.mapping import VoiceMapping
    from epochord.renderers.audio.scoring.settings import AudioSettings
    from epochord.renderers.audio.scoring.voicings import register_voicing
    from epochord.renderers.audio.spectrogram import spectrogram
    from epochord.renderers.benford import BenfordResult, render_benford
    from epochord.renderers.comparison import (
        Comparison,
        ComparisonResult,
        ComparisonSettings,
        compare,
        compare_runs,
    )
    from epochord.renderers.ensemble import EnsembleResult, EnsembleSettings, render_ensemble
    from epochord.renderers.findings import Account, Finding, describe, findings
    from epochord.renderers.page import PageResult, render_page
    from epochord.renderers.pictures.spectrogram import Spectrogram
    from epochord.runlog import (
        EpochordError,
        LogError,
        OutputError,
        RecordingWarning,
        Run,
        RunExistsError,
        RunSource,
        Series,
        find_runs,
        open_run,
    )
    from epochord.runlog.reading.ensemble import open_ensemble
else:
    # The same once more, for Python, which imports nothing until it is used (PEP 562); of static
    # tools, a function that answers for any name would hide every slip of the pen.
    _NAMES = {
        "epochord.recorders": "EnsembleRecorder GradientRecorder MCDropout watch",
        "epochord.renderers.audio.readback": "ReadBack read_back",
        "epochord.renderers.audio.render": "render_audio",
        "epochord.renderers.audio.result": "AudioResult",
        "epochord.renderers.audio.samples": "Sound sound",
        "epochord.renderers.audio.scoring.mapping": "VoiceMapping",
        "epochord.renderers.audio.scoring.settings": "AudioSettings",
        "epochord.renderers.audio.scoring.voicings": "register_voicing",
        "epochord.renderers.audio.spectrogram": "spectrogram",
        "epochord.renderers.benford": "BenfordResult render_benford",
        "epochord.renderers.comparison": (
            "Comparison ComparisonResult ComparisonSettings compare compare_runs"
        ),
        "epochord.renderers.ensemble": "EnsembleResult EnsembleSettings render_ensemble",
        "epochord.renderers.findings": "Account Finding describe findings",
        "epochord.renderers.page": "PageResult render_page",
        "epochord.renderers.pictures.spectrogram": "Spectrogram",
        "epochord.runlog": (
            "EpochordError LogError OutputError RecordingWarning Run RunExistsError RunSource "
            "Series find_runs open_run"
        ),
        "epochord.runlog.reading.ensemble": "open_ensemble",
    }
    _HOMES = {name: home for home, names in _NAMES.items() for name in names.split()}

    def __getattr__(name):
        """Import what is used for the first time."""
        if name not in _HOMES:
            raise AttributeError(f"module 'epochord' has no attribute {name!r}")
        from importlib import import_module

        from epochord.runlog.extras import MissingPackageError

        try:
            value = globals()[name] = getattr(import_module(_HOMES[name]), name)
        except MissingPackageError as error:
            return _stand_in(name, error)  # kept nowhere: the package may come in a moment
        return value

    def _stand_in(name, error):
        """Return what can be listed and looked at, and says when it is used what it lacks."""

        def lack(*_, **__):
            raise error.with_traceback(None)

        return type(name, (), {"__new__": lack, "__init_subclass__": lack, "__doc__": str(error)})

    def __dir__():
        """List all there is, imported yet or not."""
        return [*__all__]
