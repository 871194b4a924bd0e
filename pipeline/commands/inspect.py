"""`earshot inspect`: what a log holds, as a table or as JSON."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from pipeline.commands.arguments import Column, Paths, Runs
from pipeline.console import fail, note, plural, result, stdout
from pipeline.inputs import RUNS, find
from runlog.errors import EarshotError

__all__ = ["inspect"]


def inspect(
    paths: Paths = None,
    runs: Runs = None,
    x: Column = None,
    tags: Annotated[bool, typer.Option("--tags", help="List every tag, not the layers.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, one run a line.")] = False,
) -> None:
    """Show what logs hold: status, steps, layers or tags, ranges, what is not a number."""
    from pipeline.summary import summarise

    found, errors = find(paths or [str(RUNS)], runs)
    for error in errors:
        fail(error)
    summaries = []
    for one in found:
        try:
            run = one.open(x=x)
        except EarshotError as error:
            errors.append(error)
            fail(error)
            continue
        for line in run.damage:
            note(f"warning: {line}")
        for line in run.notes:
            note(f"{run.name}: {line}")
        summaries.append(summarise(run))
    if as_json:
        for summary in summaries:
            result(json.dumps(summary))
    else:
        _show(summaries, tags)
    if errors:
        raise typer.Exit(1)


def _show(summaries: list[dict[str, Any]], tags: bool) -> None:
    from rich.table import Table
    from rich.text import Text

    for place, summary in enumerate(summaries):
        if place:
            stdout.print()
        stdout.print(Text(summary["name"], style="bold"), Text(_headline(summary)), soft_wrap=True)
        table = Table(box=None, pad_edge=False, header_style="dim")
        heading = "tag" if tags else "layer (all its parameters) or tag"
        table.add_column(heading, overflow="fold", min_width=16)
        for heading in ("points", "min", "median", "max", "last", "null", "NaN", "inf"):
            table.add_column(heading, justify="right", no_wrap=True)
        for row in summary["tags"] if tags else summary["layers"] + summary["others"]:
            numbers = (row["min"], row["median"], row["max"], row["last"])
            counts = (row["null"], row["nan"], row["inf"])
            table.add_row(
                Text(row["name"] or "(no name)"),
                str(row["points"]),
                *(_number(number) for number in numbers),
                *(str(count) if count else "·" for count in counts),
            )
        stdout.print(table)
        if summary["tables"]:
            names = ", ".join(summary["tables"])
            stdout.print(Text(f"  tables: {names}", style="dim"), soft_wrap=True)
        for line in _files(summary):
            stdout.print(Text(line, style="dim"), soft_wrap=True)


def _files(summary: dict[str, Any]) -> list[str]:
    """Say what was read of a log that others wrote, and what each file has beside numbers."""
    lines = []
    for file in summary["files"]:
        said = [f"{plural(file['records'], 'record')}, {plural(file['points'], 'point')}"]
        said += [f"{count} × {kind}" for kind, count in file["others"].items()]
        said += [f"left out: {count} × {reason}" for reason, count in file["skipped"].items()]
        if file["skipped_bytes"]:
            said.append(f"{file['skipped_bytes']} bytes between records")
        if file["tail_bytes"]:
            said.append(f"{file['tail_bytes']} bytes behind the last record")
        if file["purged_steps"]:
            said.append(f"{plural(file['purged_steps'], 'step')} superseded by a restart")
        lines.append(f"  {Path(file['file']).name}: {file['problem'] or ', '.join(said)}")
    return lines


def _number(value: float | str | None) -> str:
    if value is None:
        return "–"
    return value if isinstance(value, str) else f"{value:.4g}"


def _headline(summary: dict[str, Any]) -> str:
    steps = summary["steps"]
    span = (
        f"{plural(steps['count'], 'step')} ({steps['first']}…{steps['last']})"
        if steps["count"]
        else "no steps"
    )
    parts = [_status(summary), span]
    if summary["dataset"]:
        parts.append(str(summary["dataset"].get("name", "")))
    if summary["seed"] is not None:
        parts.append(f"seed {summary['seed']}")
    if summary["layers"]:
        parts.append(
            f"{plural(summary['parameters'], 'parameter')} in "
            f"{plural(len(summary['layers']), 'layer')}"
        )
    return ", ".join(part for part in parts if part)


def _status(summary: dict[str, Any]) -> str:
    status = summary["status"]
    if status == "running":
        return "did not finish (still running, or stopped before it was closed)"
    if status == "failed":
        return f"failed ({summary['error']})"
    return "" if status == "unknown" else str(status)
