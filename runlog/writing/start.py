"""Starting a log: the run's directory, its writers, and where its steps begin."""

import shutil
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

from epochord.runlog.arrow import arrow_array, numbers
from epochord.runlog.atomic import leftovers
from epochord.runlog.errors import OutputError, RunExistsError, described
from epochord.runlog.parquet import ParquetWriter, is_parquet_log, read_parquet
from epochord.runlog.reading.opening import open_run
from epochord.runlog.reading.sources import holds_run, log_files
from epochord.runlog.run.metadata import Format, RunMetadata
from epochord.runlog.run.rows import LogWriter
from epochord.runlog.run.run import STEP, Run
from epochord.runlog.writing.background import BackgroundWriter

__all__ = ["RunLog", "next_step", "remove_log"]


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
    resume : bool
        Go on with the run that is there, if there is one.
    resumable : bool
        Whether `resume` is a remedy that may be offered.

    Attributes
    ----------
    next_step : int
        0, or the step after the last one that a resumed run holds.

    Raises
    ------
    ValueError
        If `format` is none of these.
    RunExistsError
        If there is a run already and `resume` is false, or if it is of another
        model or was written in another format.
    OutputError
        If the directory cannot be written to.
    """

    def __init__(
        self,
        directory: Path,
        metadata: RunMetadata,
        *,
        format: Format,
        resume: bool = False,
        resumable: bool = True,
    ) -> None:
        if format not in get_args(Format):
            raise ValueError(f"format is {format!r}; expected one of {', '.join(get_args(Format))}")
        self._directory = directory
        self.next_step = 0
        self._metadata = metadata.replace(status="running", started=_now(), format=format)
        if directory.is_dir() and holds_run(directory):
            self._continue(format, resume, resumable)
        try:
            directory.mkdir(parents=True, exist_ok=True)
            for stale in leftovers(directory):
                stale.unlink()
            self._metadata.save(directory)
            writers = self._writers(format)
            self.writer = BackgroundWriter(writers)
        except OSError as error:
            raise OutputError(
                f"{directory}: cannot record there ({error.strerror or error}); "
                "choose a folder that can be written to"
            ) from error
        except BaseException as error:  # Ctrl-C: nobody is there yet to close the log
            with suppress(OSError):
                self._metadata.replace(status="failed", error=described(error)).save(directory)
            raise

    def note(self, **hyperparameters: Any) -> None:
        """Add to the run's hyperparameters; `run.json` has them at once.

        Parameters
        ----------
        **hyperparameters
            Plain JSON values.
        """
        known = {**self._metadata.hyperparameters, **hyperparameters}
        self._metadata = self._metadata.replace(hyperparameters=known)
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
            What went wrong while writing; the run is then noted as failed.
        """
        ended = self._metadata.replace(
            status="failed" if error else "finished", error=error, finished=_now(), steps=steps
        )
        try:
            self.writer.close(ended)
        except BaseException as problem:
            ended = ended.replace(status="failed", error=error or described(problem))
            raise
        finally:
            ended.save(self._directory)

    def _continue(self, format: Format, resume: bool, resumable: bool) -> None:
        earlier = open_run(self._directory)
        empty = not earlier.series and not earlier.tables
        if not resume and empty and earlier.metadata.status == "failed":
            remove_log(self._directory)  # it failed before its first step: nothing is lost
            return
        if not resume:
            remedy = ", remove this one, or pass resume=True to go on with it"
            raise RunExistsError(
                f"{self._directory}: already holds a run ({earlier.metadata.status}, "
                f"{_after(earlier)} steps); record into another directory"
                f"{remedy if resumable else ' or remove this one'}"
            )
        written = earlier.metadata.format or (
            "parquet" if is_parquet_log(self._directory) else "tensorboard"
        )
        if format != written:
            raise RunExistsError(
                f"{self._directory}: was recorded as {written}, not as {format}; resume it with "
                f"format={written!r}"
            )
        known = _shapes(earlier.metadata)
        if known and known != _shapes(self._metadata):
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
            steps=self.next_step,
            unknown=before.unknown,
        )

    def _writers(self, format: Format) -> list[LogWriter]:
        writers: list[LogWriter] = []
        if format != "tensorboard":
            writers.append(ParquetWriter(self._directory, self._metadata))
        if format != "parquet":
            from epochord.runlog.tensorboard import TensorBoardWriter, last_step

            written = last_step(self._directory)
            writers.append(TensorBoardWriter(self._directory))
            if format == "both" and self.next_step:
                # A kill between the two formats leaves the events behind.
                rows, _ = read_parquet(self._directory)
                writers[-1].write(rows.filter(arrow_array(numbers(rows[STEP]) > written)))
        return writers


def next_step(directory: Path) -> int:
    """Return the step after the last one that a run holds; 0 if there is no run.

    Parameters
    ----------
    directory : Path
        The run's directory.
    """
    return _after(open_run(directory)) if holds_run(directory) else 0


def remove_log(directory: Path) -> None:
    """Remove a run's log from its directory; other files there stay.

    Parameters
    ----------
    directory : Path
        The run's directory.
    """
    for path in log_files(directory):
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def _shapes(metadata: RunMetadata) -> dict[str, tuple[int, ...]]:
    return {p.name: p.shape for layer in metadata.layers for p in layer.parameters}


def _after(run: Run) -> int:
    measured = int(run.steps[-1]) + 1 if run.steps.size else 0
    return max(measured, run.metadata.steps or 0)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
