"""Rendering many runs, here or in several processes; what is to be said comes back as data."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from epochord.pipeline.inputs import Found
from epochord.pipeline.telling import told
from epochord.runlog import Run
from epochord.runlog.errors import EpochordError
from epochord.runlog.run.segments import Segments, split_segments

if TYPE_CHECKING:
    from epochord.renderers.audio import AudioResult, AudioSettings
    from epochord.renderers.audio.samples import Progress
    from epochord.renderers.audio.scoring.compose import Scales
    from epochord.renderers.audio.scoring.scale import Sample

    Samples = dict[str, Sample]

__all__ = ["AudioJob", "Outcome", "on_one_scale", "render_all", "render_one", "require_layers"]

Result = TypeVar("Result")


@dataclass(frozen=True)
class AudioJob:
    """One log to render.

    Parameters
    ----------
    found : Found
        The log.
    out : Path
        The folder for its results, where parts of it go beside it, ``<out>@1``, …;
        or the sound file.
    settings : AudioSettings
        How it is to be heard.
    segments : {"auto", "all", "split", "last"}
        See `epochord.runlog.run.segments.split_segments`.
    x : str, optional
        Of tables: the column that holds the step.
    scales : mapping of str to Scale, optional
        Those that all runs share.
    is_file : bool
        Whether `out` is a file.
    midi : bool
        Whether the score is to be written as MIDI, too.
    """

    found: Found
    out: Path
    settings: "AudioSettings"
    segments: Segments = "auto"
    x: str | None = None
    scales: "Scales | None" = None
    is_file: bool = False
    midi: bool = False


@dataclass
class Outcome:
    """What became of a job.

    Parameters
    ----------
    notes, errors : list of str
        To be said, in order.
    results : list of AudioResult
        What was made, or was up to date.
    """

    notes: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    results: list["AudioResult"] = field(default_factory=list)


def render_all(jobs: Sequence[AudioJob], processes: int) -> Iterator[Outcome]:
    """Render jobs, in as many processes at once; yield what became of each, in order.

    Parameters
    ----------
    jobs : sequence of AudioJob
        What is to be done.
    processes : int
        How many at once; -1 for one a processor.
    """
    yield from _each(render_one, jobs, processes)


def on_one_scale(
    jobs: Sequence[AudioJob], scale_from: Path | None = None, processes: int = 1
) -> list[AudioJob]:
    """Give all runs one scale: that of an earlier result, or one that holds them all.

    Parameters
    ----------
    jobs : sequence of AudioJob
        What is to be done.
    scale_from : Path, optional
        The folder of that result.
    processes : int
        How many at once; -1 for one a processor.
    """
    if scale_from is not None:
        from epochord.renderers.audio.description import stored_scales

        scales: Scales = stored_scales(scale_from)
    elif len(jobs) > 1 and jobs[0].settings.has_scale_of_its_own:
        scales = _shared_scales(jobs, processes)
    else:
        return list(jobs)
    return [replace(job, scales=scales) for job in jobs]


def require_layers(run: Run, settings: "AudioSettings") -> None:
    """Refuse to take all parameters of layers from a run that has no layers.

    Parameters
    ----------
    run : Run
        What is to be heard.
    settings : AudioSettings
        How.

    Raises
    ------
    LogError
        The same that asking for layers by name raises there.
    """
    from epochord.renderers.timeline.choice import choose

    if settings.parameters == "all" and not settings.layers:
        choose(run, replace(settings.choice, layers=("*",)))


def _shared_scales(jobs: Sequence[AudioJob], processes: int) -> "Scales":
    """Find the scales on which all runs can be compared; logs that cannot be read count nothing."""
    from epochord.renderers.audio.scoring.scale import common

    return common(sample for samples in _each(_samples, jobs, processes) for sample in samples)


def _each(
    work: Callable[[AudioJob], Result], jobs: Sequence[AudioJob], processes: int
) -> Iterator[Result]:
    if processes == 1 or len(jobs) < 2:
        yield from map(work, jobs)
        return
    from joblib import Parallel, delayed

    parallel = Parallel(n_jobs=processes, return_as="generator")
    yield from parallel(delayed(work)(job) for job in jobs)


def _samples(job: AudioJob) -> list["Samples"]:
    try:
        return _of_parts(split_segments(job.found.open(x=job.x), job.segments), job.settings)
    except EpochordError:
        return []  # rendering it will say why


def _of_parts(parts: Sequence[Run], settings: "AudioSettings") -> list["Samples"]:
    """Return what stands for each part on a shared scale; one with nothing to hear is left out."""
    from epochord.renderers.audio.scoring.compose import scale_samples

    samples: list[Samples] = []
    for part in parts:
        with suppress(EpochordError):  # rendering it will say why
            samples.append(scale_samples(part, settings))
    return samples


def render_one(job: AudioJob, progress: "Progress | None" = None) -> Outcome:
    """Render one log, as one run or as several; nothing that a log can hold raises."""
    outcome = Outcome()
    try:
        run = job.found.open(x=job.x)
    except EpochordError as error:
        outcome.errors.append(str(error))
        return outcome
    outcome.notes += [f"warning: {line}" for line in run.damage]
    outcome.notes += [f"{run.name}: {line}" for line in run.notes]
    parts = split_segments(run, job.segments)
    if len(parts) > 1 and job.is_file:
        outcome.errors.append(
            f"{run.name}: its files make {len(parts)} sounds, and {job.out} is one file; name a "
            "folder, or join them with --segments all"
        )
        return outcome
    if len(parts) > 1:
        why = "overlap in steps" if job.segments == "auto" else "are taken one by one"
        outcome.notes.append(
            f"{run.name}: its files {why}, so it is heard as {parts[0].name} … {parts[-1].name} "
            "(--segments all joins them, last takes the last one)"
        )
        if job.scales is None and job.settings.has_scale_of_its_own:
            from epochord.renderers.audio.scoring.scale import common

            job = replace(job, scales=common(_of_parts(parts, job.settings)))
    for part in parts:
        place = job.out.with_name(f"{job.out.name}{part.name[len(run.name) :]}")
        _render_part(job, part, place, outcome, progress)
    return outcome


def _render_part(
    job: AudioJob, run: Run, out: Path, outcome: Outcome, progress: "Progress | None"
) -> None:
    from epochord.renderers.audio import render_audio
    from epochord.renderers.audio.description import STEM
    from epochord.renderers.results.destination import Destination
    from epochord.renderers.timeline.choice import NothingToHearError

    # A run may well be called like a file.
    place = out if job.is_file else Destination(out, STEM)
    try:
        require_layers(run, job.settings)
        made = render_audio(
            run, place, job.settings, scales=job.scales, progress=progress, midi=job.midi
        )
    except NothingToHearError as error:
        if job.found.named:
            outcome.errors.append(str(error))
        else:
            outcome.notes.append(f"passed over: {error}")
    except EpochordError as error:
        outcome.errors.append(str(error))
    else:
        outcome.notes += [f"{run.name}: {line}" for line in told(made.description)]
        outcome.results.append(made)
