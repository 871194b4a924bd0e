"""`epochord describe`: how runs went and what happened in them, for people, readers and CI."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from epochord.pipeline.commands.arguments.logs import (
    Column,
    Paths,
    Runs,
    SegmentMode,
    Steps,
    Tags,
    found_runs,
)
from epochord.pipeline.commands.arguments.parsing import listed, parse_steps
from epochord.pipeline.commands.arguments.results import AsJson
from epochord.pipeline.commands.arguments.sound import Layers, Parameters
from epochord.pipeline.console import fail, note, result
from epochord.pipeline.together import opened_parts
from epochord.runlog.errors import EpochordError
from epochord.runlog.words import did_you_mean

if TYPE_CHECKING:
    from epochord.renderers.findings import Account

__all__ = ["describe"]

FOUND = 3  # exit code
TROUBLE = "trouble"


def describe(
    paths: Paths = None,
    tags: Tags = None,
    runs: Runs = None,
    steps: Steps = "",
    segments: SegmentMode = "auto",
    x: Column = None,
    layers: Layers = "",
    parameters: Parameters = "weight",
    fail_on: Annotated[
        str,
        typer.Option(
            "--fail-on",
            metavar="A,B,…",
            help="Exit with 3 if a run has one of these: nan, explosion, dead, spike, departure, "
            "trouble (any that has a name).",
        ),
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Say in sentences how runs went, and what happened in them.

    What is said is found in the log, not in the sound: how each voice went, with its
    extremes, then spikes, explosions, dead gradients, layers that leave the others, NaN
    and infinities, in the order of steps; and which troubles that have a name the run
    looks like, such as a learning rate that is too high, with what was measured.
    """
    from epochord.renderers.findings import describe as account_of
    from epochord.renderers.timeline.choice import Choice

    unwanted = _kinds(fail_on)
    choice = Choice(tuple(tags or ()), listed(layers), parameters)
    found, errors = found_runs(paths, runs, x)
    accounts = []
    for part in opened_parts(found, segments, x, errors):
        try:
            account = account_of(part.run, choice, steps=parse_steps(steps))
        except EpochordError as error:
            errors.append(error)
            continue
        accounts.append(account)
        _say(account, as_json)
    for problem in errors:
        fail(problem)
    if errors:
        raise typer.Exit(1)
    if any(unwanted & _kinds_in(one) for one in accounts):
        raise typer.Exit(FOUND)


def _kinds(text: str) -> frozenset[str]:
    """Understand ``A,B,…`` as kinds of findings.

    Raises
    ------
    typer.BadParameter
        If one of them is unknown.
    """
    from epochord.renderers.findings import What

    kinds: dict[str, set[str]] = {
        "nan": {What.NAN, What.POSITIVE_INFINITY, What.NEGATIVE_INFINITY},
        "explosion": {What.EXPLOSION},
        "dead": {What.DEAD},
        "stuck": {What.STUCK},
        "spike": {What.SPIKE},
        "departure": {What.RISE, What.FALL},
        TROUBLE: {TROUBLE},
    }
    for name in listed(text):
        if name not in kinds:
            raise typer.BadParameter(
                f"--fail-on has {name!r}; expected {', '.join(kinds)}{did_you_mean(name, kinds)}"
            )
    return frozenset().union(*(kinds[name] for name in listed(text)))


def _kinds_in(account: "Account") -> set[str]:
    found: set[str] = {finding.what for finding in account.findings}
    return found | ({TROUBLE} if account.diagnoses else set())


def _say(account: "Account", as_json: bool) -> None:
    for line in account.notes:
        note(f"{account.name}: {line}")
    if as_json:
        result(json.dumps(account.to_dict()))
        return
    first, *others = account.sentences
    result(first)
    for line in others:
        result(f"  {line}")
