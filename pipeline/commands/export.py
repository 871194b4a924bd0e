"""`epochord export`: logs as one long table."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from epochord.pipeline.commands.arguments import Column, Paths, Runs, SegmentMode, Tags
from epochord.pipeline.console import bar, fail, note, plural, result
from epochord.pipeline.inputs import RUNS, Found, find
from epochord.runlog import EpochordError, Run
from epochord.runlog.export import TableFormat, export
from epochord.runlog.run.segments import Segments, split_segments

__all__ = ["export_command"]

FORMATS: dict[str, TableFormat] = {
    ".parquet": "parquet",
    ".csv": "csv",
    ".jsonl": "jsonl",
}
Output = Annotated[
    Path, typer.Option("--out", "-o", metavar="FILE", help="A .parquet, .csv or .jsonl file.")
]


def export_command(
    out: Output,
    paths: Paths = None,
    tags: Tags = None,
    runs: Runs = None,
    segments: SegmentMode = "all",
    x: Column = None,
) -> None:
    """Write one long table: run, tag, segment, step, wall_time, value, in write order."""
    from epochord.renderers.results.output import writing

    if out.suffix not in FORMATS:
        raise typer.BadParameter(f"{out} does not end in {', '.join(FORMATS)}")
    found, errors = find(paths or [str(RUNS)], runs)
    parts = _opened(found, tags or [], segments, x, errors)
    with writing(out) as temporary:
        rows = export(parts, temporary, FORMATS[out.suffix])
        for error in errors:
            fail(error)
        if not rows:
            raise EpochordError(f"{out}: not written, since there is no measurement to export")
    note(f"{plural(rows, 'measurement')} of {plural(len(found), 'run')}")
    result(out)
    if errors:
        raise typer.Exit(1)


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
