"""Answers to scores: of one person, or of all together."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from epochord.renderers.listening.answers import Answer, Key, Person, Truth
from epochord.renderers.listening.detection import Detection, Share
from epochord.renderers.listening.trainings import HEALTHY, TROUBLES

__all__ = ["KindScore", "Score", "scored", "together"]

Said = tuple[Truth, Answer]


@dataclass(frozen=True)
class KindScore:
    """How well one kind of trouble was heard.

    Parameters
    ----------
    detection : Detection
        How often it was said not to be healthy, against the clips that are.
    named : Share
        How often it was said what it is.
    who : Share
        How often the layer was said; of none, where all layers are concerned.
    """

    detection: Detection
    named: Share
    who: Share


@dataclass(frozen=True)
class Score:
    """How well somebody heard.

    Parameters
    ----------
    person : str or None
        Who; None of all together.
    right : Share
        Clips rightly said to be healthy or not to be.
    detection : Detection
        Clips that are not healthy against those that are.
    named, who : Share
        As of `KindScore`, of all clips that are not healthy.
    kinds : mapping of str to KindScore
        By kind of trouble, those that the test has.
    confusions : mapping of str to mapping of str to int
        How often a kind was said to be what.
    """

    person: str | None
    right: Share
    detection: Detection
    named: Share
    who: Share
    kinds: Mapping[str, KindScore]
    confusions: Mapping[str, Mapping[str, int]]

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        kinds = {
            kind: _detected(one.detection) | _shares(named=one.named, who=one.who)
            for kind, one in self.kinds.items()
        }
        return {
            "person": self.person,
            **_shares(right=self.right),
            **_detected(self.detection),
            **_shares(named=self.named, who=self.who),
            "kinds": kinds,
            "confusions": {kind: dict(said) for kind, said in self.confusions.items()},
        }


def scored(person: Person, key: Key) -> Score:
    """Score one person's answers."""
    return _score(person.name, _said([person], key))


def together(people: Sequence[Person], key: Key) -> Score:
    """Score the answers of all people as if they were one's.

    d' of pooled answers is a little below the mean of the people's own where some are
    quicker than others to call a training ill.
    """
    return _score(None, _said(people, key))


def _said(people: Iterable[Person], key: Key) -> list[Said]:
    return [(truth, person.answers[clip]) for person in people for clip, truth in key.clips.items()]


def _score(person: str | None, said: Sequence[Said]) -> Score:
    well = [each for each in said if each[0].kind == HEALTHY]
    ill = [each for each in said if each[0].kind != HEALTHY]
    kinds = [kind for kind in TROUBLES if any(truth.kind == kind for truth, _ in ill)]
    whole = _of_kind(ill, well)
    right = whole.detection.hits.count + len(well) - whole.detection.false_alarms.count
    confusions = {
        kind: Counter(answer.kind for truth, answer in said if truth.kind == kind)
        for kind in (HEALTHY, *kinds)
    }
    return Score(
        person,
        Share(right, len(said)),
        whole.detection,
        whole.named,
        whole.who,
        {kind: _of_kind([each for each in ill if each[0].kind == kind], well) for kind in kinds},
        confusions,
    )


def _of_kind(ill: Sequence[Said], well: Sequence[Said]) -> KindScore:
    one = [each for each in ill if each[0].layer is not None]
    return KindScore(
        Detection(_alarms(ill), _alarms(well)),
        Share(sum(answer.kind == truth.answer for truth, answer in ill), len(ill)),
        Share(sum(answer.layer == truth.layer for truth, answer in one), len(one)),
    )


def _alarms(said: Sequence[Said]) -> Share:
    return Share(sum(answer.kind != HEALTHY for _, answer in said), len(said))


def _shares(**shares: Share) -> dict[str, Any]:
    return {
        name: {"count": one.count, "of": one.of, "share": one.value, "interval": [*one.interval]}
        for name, one in shares.items()
        if one.of
    }


def _detected(detection: Detection) -> dict[str, Any]:
    return {
        **_shares(hits=detection.hits, false_alarms=detection.false_alarms),
        "d_prime": detection.d_prime,
        "criterion": detection.criterion,
        "area": detection.area,
    }
