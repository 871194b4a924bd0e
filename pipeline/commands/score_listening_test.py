"""`epochord score-listening-test`: what people heard, from the files that they sent."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from epochord.pipeline.commands.arguments.results import AsJson
from epochord.pipeline.console import note, result
from epochord.pipeline.tables import aside, table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from epochord.renderers.listening.detection import Share
    from epochord.renderers.listening.model import Ear
    from epochord.renderers.listening.scoring import Score

__all__ = ["score_listening_test"]

PEOPLE, RIGHT = 8, 0.8  # what docs/listening-test.md asks for, at least
NOTHING = "–"


def score_listening_test(
    answers: Annotated[
        list[Path], typer.Argument(metavar="ANSWERS…", help="Files that the page stored.")
    ],
    key: Annotated[
        Path, typer.Option("--key", metavar="FILE", help="The key that was made with the page.")
    ],
    model_ear: Annotated[
        Path | None,
        typer.Option(
            "--model-ear",
            metavar="FILE",
            help="The model ear's figures to compare with, such as tests/listening/reference.json.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Score what people answered: each of them, and all together.

    How many clips were rightly said to be healthy or not, with 95 % confidence; d'; what
    was taken for what; how often the layer was said.
    """
    from epochord.renderers.listening.answers import read_answers, read_key
    from epochord.renderers.listening.model import read_model
    from epochord.renderers.listening.scoring import scored, together

    right = read_key(key)
    people = read_answers(answers, right)
    ears = read_model(model_ear, right) if model_ear else {}
    each, whole = [scored(person, right) for person in people], together(people, right)
    if as_json:
        for score in (*each, whole):
            result(json.dumps(score.to_dict() | _of_model(score, ears)))
        return
    _people((*each, whole))
    _kinds(whole, ears)
    _confusions(whole)
    note(_against_protocol(len(people), whole))


def _of_model(score: "Score", ears: "Mapping[str, Ear]") -> dict[str, object]:
    if score.person is not None or not ears:
        return {}
    return {"model": {kind: ear._asdict() for kind, ear in ears.items()}}


def _people(scores: "Sequence[Score]") -> None:
    rows = [
        [
            score.person or "all together",
            *_with_interval(score.right),
            _percent(score.detection.hits),
            _percent(score.detection.false_alarms),
            f"{score.detection.d_prime:.2f}",
            f"{score.detection.criterion:+.2f}",
            _percent(score.named),
            _percent(score.who),
        ]
        for score in scores
    ]
    table(
        ("person", "right", "95 %", "hits", "false alarms", "d'", "bias", "what", "which layer"),
        rows,
    )


def _kinds(score: "Score", ears: "Mapping[str, Ear]") -> None:
    aside("")
    headings = ["trouble", "clips", "heard", "95 %", "d'", "area", "what", "which layer"]
    rows = []
    for kind, one in score.kinds.items():
        heard = one.detection.hits
        values = f"{one.detection.d_prime:.2f}", f"{one.detection.area:.2f}"
        shares = _percent(one.named), _percent(one.who)
        rows.append([kind, str(heard.of), *_with_interval(heard), *values, *shares])
        if ears:
            ear = ears.get(kind)
            rows[-1] += [_figure(each) for each in (ear or (None, None, None))]
    more = ["model, trained", "model, novice", "model, which layer"] if ears else []
    table((*headings, *more), rows)


def _confusions(score: "Score") -> None:
    from epochord.renderers.listening.trainings import ANSWERS, HEALTHY

    aside("")
    said = (HEALTHY, *ANSWERS)
    rows = [[kind, *(str(row[name]) for name in said)] for kind, row in score.confusions.items()]
    table(("was, and was said to be", *said), rows)


def _against_protocol(people: int, score: "Score") -> str:
    """Say how far this is from what the protocol asks for."""
    share = score.right.value or 0.0
    if people < PEOPLE:
        return f"{people} of at least {PEOPLE} people: nothing is to be claimed yet"
    met = "reached" if share >= RIGHT else "not reached"
    return f"{people} people, {share:.0%} right: the {RIGHT:.0%} of the protocol are {met}"


def _with_interval(share: "Share") -> tuple[str, str]:
    low, high = share.interval
    return _percent(share), f"{low:.0%} … {high:.0%}"


def _percent(share: "Share") -> str:
    return NOTHING if share.value is None else f"{share.value:.0%}"


def _figure(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.2f}"
