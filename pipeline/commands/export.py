"""`epochord export`: logs as one long table."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from epochord.pipeline.commands.arguments.logs import (
    Column,
    Paths,
    Runs,
    SegmentMode,
    Tags,
    found_runs,
)
from epochord.pipeline.commands.arguments.results import chosen, out_option
from epochord.pipeline.console import bar, fail, note, result
from epochord.pipeline.inputs import Found
from epochord.runlog import EpochordError, OutputError, Run
from epochord.runlog.export import TableFormat
from epochord.runlog.export import export as write_table
from epochord.runlog.reading.sources import log_files
from epochord.runlog.run.segments import Segments, split_segments
from epochord.runlog.words import plural

__all__ = ["export"]

FORMATS: dict[str, TableFormat] = {
    ".parquet": "parquet", ".csv": "csv", ".tsv": "tsv", ".jsonl": "jsonl",
}  # fmt: skip


def export(
    paths: Paths = None,
    tags: Tags = None,
    runs: Runs = None,
    segments: SegmentMode = "all",
    x: Column = None,
    out: Annotated[Path | None, out_option("renders/measurements.parquet", *FORMATS)] = None,
) -> None:
    """Write one long table: run, tag, segment, step, wall_time, value, in write order."""
    from epochord.renderers.results.output import writing

    place = chosen(out, *FORMATS, stem="measurements")
    suffix = place.suffix or ".parquet"
    path = place.path(suffix)
    found, errors = found_runs(paths, runs, x)
    _refuse_inputs(path, found)
    parts = _opened(found, tags or [], segments, x, errors)
    with writing(path) as temporary:
        rows = write_table(parts, temporary, FORMATS[suffix])
        for error in errors:
            fail(error)
        if errors and not rows:
            raise typer.Exit(1)
        if not rows:
            raise EpochordError(f"{path}: not written, since there is no measurement to export")
    note(f"{plural(rows, 'measurement')} of {plural(len(found), 'run')}")
    result(path)
    if errors:
        raise typer.Exit(1)


def _refuse_inputs(path: Path, found: Sequence[Found]) -> None:
    """Refuse to put the table in the place of a log, or a part of one, that goes into it."""
    for one in found:
        source = one.source.path
        files = log_files(source) if source.is_dir() else [source]
        if path.exists() and path.resolve() in [file.resolve() for file in files]:
            raise OutputError(f"{path}: is read for this very table; choose another --out")


def _opened(
    found: Sequence[Found],
    tags: Sequence[str],
    segments: Segments,
    x: str | None,
    errors: list[EpochordError],
) -> Iterator[Run]:
    """Open runs one by one; what cannot be used is added to the errors."""
    with bar("export", total=len(found)) as progress:
        for done, one in enumerate(found, start=1):
            try:
                run = one.open(x=x)
                for line in run.damage:
                    note(f"warning: {line}")
                for part in split_segments(run, segments):
                    yield replace(part, series={tag: part[tag] for tag in part.matching(tags)})
            except EpochordError as error:
                errors.append(error)
            progress.update(done, len(found))
