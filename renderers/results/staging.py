"""Results that belong together: they appear in their folder all at once, or not at all."""

import os
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from epochord.renderers.results.interrupts import deferred
from epochord.renderers.results.output import output_error
from epochord.runlog import OutputError

__all__ = ["staging"]


@contextmanager
def staging(folder: Path, *, replacing: Collection[str] = ()) -> Iterator[Path]:
    """Yield an empty folder whose files move to `folder` when the block succeeds.

    Parameters
    ----------
    folder : Path
        Where the results go; it is made.  What else is in it stays.
    replacing : collection of str
        Names of files in `folder` that the new ones replace, whether or not there is one of
        the same name among them.

    Raises
    ------
    OutputError
        If a file cannot be written or moved.  Then, and whatever else the block raises,
        `folder` is as it was.
    """
    missing: list[Path] = []
    stage = folder / f".results.{os.getpid()}.tmp"
    try:
        with _explained(folder):
            missing += [each for each in (folder, *folder.parents) if not each.exists()]
            stage.mkdir(parents=True)
        yield stage
        with deferred(), _explained(folder):
            _exchange(stage, folder, replacing)
    except OutputError as error:  # the user knows only the folder
        raise OutputError(str(error).replace(str(stage), str(folder))) from error
    finally:
        shutil.rmtree(stage, ignore_errors=True)
        for each in missing:
            with suppress(OSError):  # it holds something now
                each.rmdir()


@contextmanager
def _explained(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise output_error(folder, error) from error


def _exchange(stage: Path, folder: Path, replacing: Collection[str]) -> None:
    """Put the files of `stage` in the place of those of their names, and of what they replace."""
    fresh = sorted(path.name for path in stage.iterdir())
    before = stage / "before"
    before.mkdir()
    moved: list[tuple[Path, Path]] = []
    try:
        for name in sorted({*replacing, *fresh}):
            if (folder / name).exists():
                _move(folder / name, before / name, moved)
        for name in fresh:
            _move(stage / name, folder / name, moved)
    except BaseException:
        for source, target in reversed(moved):
            target.replace(source)
        raise


def _move(source: Path, target: Path, moved: list[tuple[Path, Path]]) -> None:
    source.replace(target)
    moved.append((source, target))
