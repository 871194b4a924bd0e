"""`epochord inspect`: what a log holds, as a table or as JSON."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from epochord.pipeline.commands.arguments.logs import Column, Paths, Runs, found_runs
from epochord.pipeline.commands.arguments.results import AsJson
from epochord.pipeline.console import fail, note, result
from epochord.pipeline.inputs import Found
from epochord.pipeline.tables import aside, heading, table
from epochord.pipeline.telling import told_of
from epochord.runlog import Run
from epochord.runlog.ensemble.tables import ENSEMBLE
from epochord.runlog.errors import EpochordError
from epochord.runlog.words import plural

__all__ = ["inspect"]

COLUMNS = ("points", "min", "median", "max", "last", "null", "NaN", "inf")
MOST_FINDINGS = 20
LONGEST_REACH = 60  # characters; the ranges of many inputs are left out


def inspect(
    paths: Paths = None,
    runs: Runs = None,
    x: Column = None,
    tags: Annotated[bool, typer.Option("--tags", help="List every tag, not the layers.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show what logs hold: status, steps, layers or tags, ranges, and what happened in them."""
    from epochord.pipeline.summary import summarise

    if tags and (glob := next(filter(_is_glob, paths or ()), None)):
        raise typer.BadParameter(
            f"{glob!r} is no path, and --tags takes no pattern here: it lists all tags"
        )
    found, errors = found_runs(paths, runs, x)
    for error in errors:
        fail(error)
    summaries = []
    for one in found:
        try:
            run = one.open(x=x)
        except EpochordError as error:
            errors.append(error)
            fail(error)
            continue
        for line in run.damage:
            note(f"warning: {line}")
        for line in run.notes:
            note(f"{run.name}: {line}")
        summaries.append(summarise(run) | {"ensemble": _ensemble(run, one, errors)})
    if as_json:
        for summary in summaries:
            result(json.dumps(summary))
    else:
        _show(summaries, tags)
    if errors:
        raise typer.Exit(1)


def _is_glob(path: str) -> bool:
    """Tell whether a path is none but a pattern, as --tags takes it elsewhere."""
    return not {*"*?"}.isdisjoint(path) and "://" not in path and not Path(path).exists()


def _ensemble(run: Run, one: Found, errors: list[EpochordError]) -> dict[str, Any] | None:
    """Summarise a run's ensemble, if it has one; that it cannot be used is an error."""
    from epochord.pipeline.summary import summarise_ensemble
    from epochord.runlog.reading.ensemble import NoEnsembleError, open_ensemble

    if not any(name.startswith(ENSEMBLE) for name in run.tables):
        return None
    try:
        ensemble = open_ensemble(one.source.path, name=run.name)
    except NoEnsembleError as error:  # such as a run that has just begun
        note(f"{run.name}: {error}")
        return None
    except EpochordError as error:
        errors.append(error)
        fail(error)
        return None
    for line in ensemble.run.damage:
        if line not in run.damage:
            note(f"warning: {line}")
    return summarise_ensemble(ensemble)


def _show(summaries: list[dict[str, Any]], tags: bool) -> None:
    for place, summary in enumerate(summaries):
        if place:
            print()
        heading(summary["name"], _headline(summary))
        what = "tag" if tags else "layer (all its parameters) or tag"
        rows = summary["tags"] if tags else summary["layers"] + summary["others"]
        table((what, *COLUMNS), [_cells(row) for row in rows])
        if summary["tables"]:
            aside(f"  tables: {', '.join(summary['tables'])}")
        if summary["ensemble"]:
            aside(f"  {_told(summary['ensemble'])}")
        for line in told_of(summary["findings"], MOST_FINDINGS):
            print(f"  {line}")
        for line in _files(summary):
            aside(line)


def _cells(row: dict[str, Any]) -> list[str]:
    numbers = (row["min"], row["median"], row["max"], row["last"])
    counts = (row["null"], row["nan"], row["inf"])
    return [
        row["name"] or "(no name)",
        str(row["points"]),
        *(_number(number) for number in numbers),
        *(str(count) if count else "·" for count in counts),
    ]


def _told(ensemble: dict[str, Any]) -> str:
    """Say in one line what an ensemble is."""
    epochs, inputs = ensemble["epochs"], zip(ensemble["low"], ensemble["high"], strict=True)
    reach = " × ".join(f"{low:g}…{high:g}" for low, high in inputs)
    said = [
        f"ensemble: {ensemble['setting']}" if ensemble["setting"] else "ensemble",
        plural(ensemble["members"], "member"),
        f"{plural(epochs['count'], 'epoch')} ({epochs['first']}…{epochs['last']})",
        _grid(ensemble["grid"], reach),
        f"{ensemble['data']} training data",
        f"{ensemble['held_out']} held out",
        *_more(ensemble),
    ]
    scale, draws = ensemble["prior_scale"], ensemble["bootstrap"]
    said.append("no priors" if scale is None else f"priors × {scale:g}")
    said.append("no bootstrap" if draws is None else f"bootstrap of {plural(draws, 'draw')}")
    if ensemble["indices_changed_at"] is not None:
        said.append(f"indices changed at epoch {ensemble['indices_changed_at']}")
    if ensemble["half_overflows_at"] is not None:
        said.append(f"float16 overflows from epoch {ensemble['half_overflows_at']} on")
    return ", ".join(said)


def _grid(points: int, reach: str) -> str:
    where = f" ({reach})" if reach and len(reach) <= LONGEST_REACH else ""
    return f"grid of {plural(points, 'point')}{where}" if points else "no grid"


def _more(ensemble: dict[str, Any]) -> list[str]:
    """Say what is not so of every ensemble: classes, outputs, variances, who came and went."""
    said = [f"{ensemble['ood']} out of distribution"] if ensemble["ood"] else []
    if ensemble["task"] == "classification":
        said.append(f"{ensemble['outputs']} classes")
    elif ensemble["outputs"] > 1:
        said.append(f"{ensemble['outputs']} outputs")
    said += ["variances"] if ensemble["variances"] else []
    if (always := ensemble["always"]) < ensemble["members"]:
        said.append(f"{always} of the members in all epochs")
    return said


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
