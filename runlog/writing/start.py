"""Starting a log: the run's directory, its writers, and where its steps begin."""

import json
import shutil
import threading
from contextlib import suppress
from datetime import UTC, datetime
from operator import index
from pathlib import Path
from typing import Any, get_args

from epochord.runlog.arrow import arrow_array, numbers
from epochord.runlog.atomic import leftovers, make_folder, remove_folder
from epochord.runlog.errors import LogError, OutputError, RunExistsError, described, one_line
from epochord.runlog.parquet import ParquetWriter, is_parquet_log, read_parquet
from epochord.runlog.reading.opening import open_run
from epochord.runlog.reading.sources import SEGMENTS, holds_run, log_files
from epochord.runlog.run.metadata import Format, Hole, RunMetadata
from epochord.runlog.run.rows import LogWriter
from epochord.runlog.run.run import STEP, Run
from epochord.runlog.writing.background import BackgroundWriter, Steps
from epochord.runlog.writing.ownership import Ownership
from epochord.runlog.writing.rewinding import rewind

__all__ = ["RunLog", "checked_resume", "next_step", "not_writable", "remove_log"]


class RunLog:
    """A run that is being written.

    Parameters
    ----------
    directory : Path
        The run's directory; it is created.
    metadata : RunMetadata
        What is known at the start.
    format : {"parquet", "tensorboard", "both"}
        How the rows are written.
    resume : bool or int
        Go on with the run that is there, if there is one: after its last step, or with
        the step given.
    overwrite : bool
        Remove the run that is there, if there is one.
    resumable : bool
        Whether `resume` is a remedy that may be offered.
    raises : bool
        Raise what goes wrong while writing, instead of warning and trying again.

    Attributes
    ----------
    next_step : int
        0, or the step with which a resumed run goes on.

    Raises
    ------
    ValueError
        If `format` is none of these, or `resume` is no step.
    RunExistsError
        If there is a run already and neither `resume` nor `overwrite`, if it is of another
        model or was written in another format, or if somebody records it now.
    OutputError
        If the directory cannot be written to.
    """

    def __init__(
        self,
        directory: Path,
        metadata: RunMetadata,
        *,
        format: Format,
        resume: bool | int = False,
        overwrite: bool = False,
        resumable: bool = True,
        raises: bool = True,
    ) -> None:
        if format not in get_args(Format):
            raise ValueError(f"format is {format!r}; expected one of {', '.join(get_args(Format))}")
        self._directory = directory
        self._resume = checked_resume(resume, overwrite)
        self._resumable = resumable
        self._touched = False
        self._noting = threading.RLock()  # a signal may come while it is held
        self.next_step = 0
        self._metadata = metadata.replace(status="running", started=_now(), format=format)
        _require_json(self._metadata)
        if not overwrite:
            self._refuse_another()  # before anything is touched
        try:
            created = make_folder(directory)
            self._ownership = Ownership(directory)
            try:
                self._prepare(format, overwrite)
                self.writer = BackgroundWriter(
                    self._writers(format), self, where=str(directory), raises=raises
                )
            except BaseException as error:
                if self._touched:  # nobody is there yet to close the log
                    with suppress(OSError):
                        failed = self._metadata.replace(status="failed", error=described(error))
                        failed.save(directory)
                self._ownership.release()
                if created:
                    with suppress(OSError):
                        directory.rmdir()
                raise
        except OSError as error:
            raise not_writable(directory, error) from error

    def note(self, **changes: Any) -> None:
        """Change what is known of the run; `run.json` has it soon.

        Parameters
        ----------
        **changes
            Fields of `RunMetadata`; `hyperparameters` are added to those that are there.
        """
        with self._noting:
            if "hyperparameters" in changes:
                changes["hyperparameters"] = {
                    **self._metadata.hyperparameters,
                    **changes["hyperparameters"],
                }
            before, self._metadata = self._metadata, self._metadata.replace(**changes)
        if self._metadata != before:
            self.writer.note()

    def holds(self) -> bool:
        """Tell whether the run is still ours to write."""
        return self._ownership.holds()

    def lost(self, steps: Steps, reason: str) -> None:
        """Note that rows could not be written."""
        with self._noting:
            self._metadata = self._metadata.with_hole(Hole(*steps, reason))

    def save(self) -> None:
        """Bring to the disk what is known of the run."""
        self._metadata.save(self._directory)

    def close(self, steps: int, *, error: str | None = None) -> None:
        """Write what is left, merge, and note how the run ended.

        Parameters
        ----------
        steps : int
            How many steps were done, measured or not.
        error : str, optional
            Why it failed; by default it finished.

        Raises
        ------
        Exception
            What went wrong while writing, if errors are to be raised; the run is then
            noted as failed.
        """
        with self._noting:
            self._metadata = self._metadata.replace(
                status="failed" if error else "finished", error=error, finished=_now(), steps=steps
            )
        try:
            if not self.writer.close(self._complete):
                self._ownership.abandon()  # nothing that could wait for the disk
        except BaseException as problem:
            self._fail(described(problem))
            raise

    def _complete(self) -> None:
        try:
            for writer in self._open:
                writer.complete(self._metadata)
        except LogError as problem:  # to try again would not help
            self._fail(described(problem))
            raise
        self._end()

    def _fail(self, reason: str) -> None:
        error = self._metadata.error or reason
        self._metadata = self._metadata.replace(status="failed", error=error)
        self._end()

    def _end(self) -> None:
        for writer in self._open:
            writer.close()
        self.save()
        self._ownership.release()

    def _refuse_another(self, *, locked: bool = False) -> None:
        """Refuse a directory that holds a run, unless it is to be gone on with or is empty."""
        if self._resume is not False or not _occupied(self._directory):
            return
        try:
            earlier = open_run(self._directory)
        except LogError:
            if locked:
                raise
            return  # somebody may be at work there
        if not _failed_empty(earlier):
            running = earlier.metadata.status == "running"
            unless = ", or if nobody is recording it any more," if running else ", or"
            remedy = f"{unless} pass resume=True to go on with it or overwrite=True to begin anew"
            raise RunExistsError(
                f"{self._directory}: already holds a run ({earlier.metadata.status}, "
                f"{_after(earlier)} steps); record into another directory"
                f"{remedy if self._resumable else f'{unless} pass overwrite=True to begin anew'}"
            )

    def _prepare(self, format: Format, overwrite: bool) -> None:
        if overwrite:
            remove_log(self._directory)
        else:
            self._refuse_another(locked=True)  # once more: somebody may have recorded meanwhile
            if _occupied(self._directory):
                self._continue(format)
            elif not isinstance(self._resume, bool):
                self._rewind(None, self._resume)
        for stale in leftovers(self._directory):
            shutil.rmtree(stale) if stale.is_dir() else stale.unlink()
        self.save()
        self._touched = True

    def _continue(self, format: Format) -> None:
        earlier = open_run(self._directory)
        if self._resume is False:
            # It failed before its first step, so nothing is lost but what may lie in segments.
            remove_log(self._directory, segments=False)
            return
        written = earlier.metadata.format or (
            "parquet" if is_parquet_log(self._directory) else "tensorboard"
        )
        if format != written:
            raise RunExistsError(
                f"{self._directory}: was recorded as {written}, not as {format}; resume it with "
                f"format={written!r}"
            )
        if _other_model(earlier.metadata, self._metadata):
            raise RunExistsError(
                f"{self._directory}: holds a run of another model (its parameters have other names "
                "or shapes); record this one into another directory"
            )
        self.next_step = _after(earlier)
        before = earlier.metadata
        self._metadata = self._metadata.replace(
            started=before.started or self._metadata.started,
            layers=self._metadata.layers or before.layers,
            hyperparameters={**before.hyperparameters, **self._metadata.hyperparameters},
            dataset=self._metadata.dataset or before.dataset,
            seed=before.seed if self._metadata.seed is None else self._metadata.seed,
            holes=before.holes,
            unknown=before.unknown,
        )
        if self._resume is not True:
            self._rewind(earlier, self._resume)
        self._metadata = self._metadata.replace(steps=self.next_step)

    def _rewind(self, earlier: Run | None, step: int) -> None:
        """Go on with a step, whether the log ends before or behind it."""
        if step > self.next_step and self._metadata.every == 1:
            missing = Hole(self.next_step, step - 1, "the run was resumed after them")
            self._metadata = self._metadata.with_hole(missing)
        elif earlier and step < self.next_step:
            rewind(self._directory, earlier, step)
            kept = (hole.before(step) for hole in self._metadata.holes)
            self._metadata = self._metadata.replace(holes=tuple(filter(None, kept)))
        self.next_step = step

    def _writers(self, format: Format) -> list[LogWriter]:
        writers: list[LogWriter] = []
        if format != "tensorboard":
            writers.append(ParquetWriter(self._directory, self._metadata))
        if format != "parquet":
            from epochord.runlog.tensorboard import TensorBoardWriter, last_step

            written = last_step(self._directory)
            # What is behind it was left by somebody who was killed while rewinding.
            restart_at = self.next_step if written >= self.next_step else None
            writers.append(TensorBoardWriter(self._directory, restart_at=restart_at))
            if format == "both" and self.next_step:
                # A kill between the two formats leaves the events behind.
                rows, _ = read_parquet(self._directory)
                writers[-1].write(rows.filter(arrow_array(numbers(rows[STEP]) > written)))
        self._open = writers
        return writers


def not_writable(directory: Path, error: OSError) -> OutputError:
    """Say that nothing can be recorded in a directory, and why."""
    return OutputError(
        f"{directory}: cannot record there ({error.strerror or error}); "
        "choose a folder that can be written to"
    )


def _require_json(metadata: RunMetadata) -> None:
    try:
        json.dumps([metadata.hyperparameters, metadata.dataset], default=str)
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"hyperparameters or dataset are no plain JSON values ({one_line(error)})"
        ) from None


def checked_resume(resume: bool | int, overwrite: bool) -> bool | int:
    """Return whether and where to go on with a run.

    Raises
    ------
    ValueError
        If it is no step, or the run is to be removed as well.
    """
    given = resume
    if not isinstance(resume, bool):
        try:
            resume = index(resume)
        except TypeError:
            resume = -1 if resume is not None else False
        if resume < 0:
            raise ValueError(
                f"resume is {given!r}; expected True, False, or the step to go on with"
            )
    if overwrite and resume is not False:
        raise ValueError("resume and overwrite exclude each other; pass one of them")
    return resume


def next_step(directory: Path) -> int:
    """Return the step after the last one that a run holds; 0 if there is no run.

    Parameters
    ----------
    directory : Path
        The run's directory.
    """
    return _after(open_run(directory)) if holds_run(directory) else 0


def remove_log(directory: Path, *, segments: bool = True) -> None:
    """Remove a run's log from its directory; other files there stay.

    Parameters
    ----------
    directory : Path
        The run's directory.
    segments : bool
        Remove also what it held before it was rewound.
    """
    for path in log_files(directory):
        if path.is_dir():
            if segments or not path.match(SEGMENTS):
                remove_folder(path)
        else:
            path.unlink()


def _occupied(directory: Path) -> bool:
    return directory.is_dir() and holds_run(directory)


def _failed_empty(run: Run) -> bool:
    return not run.series and not run.tables and run.metadata.status == "failed"


def _other_model(one: RunMetadata, other: RunMetadata) -> bool:
    known, now = _shapes(one), _shapes(other)
    # A lazy module's parameters have no shape before its first input.
    return bool(known) and (
        known.keys() != now.keys()
        or any(shape != now[name] and shape and now[name] for name, shape in known.items())
    )


def _shapes(metadata: RunMetadata) -> dict[str, tuple[int, ...]]:
    return {p.name: p.shape for layer in metadata.layers for p in layer.parameters}


def _after(run: Run) -> int:
    measured = int(run.steps[-1]) + 1 if run.steps.size else 0
    return max(measured, run.metadata.steps or 0)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
