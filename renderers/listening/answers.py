"""Keys and answers as files: read, checked against each other, told in one line if they are not."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from epochord.renderers.listening.trainings import ANSWERS, HEALTHY, TROUBLES
from epochord.runlog.errors import EpochordError

__all__ = ["SCHEMA_VERSION", "Answer", "AnswersError", "Key", "Person", "Truth", "read_answers",
           "read_key"]  # fmt: skip

SCHEMA_VERSION = 1
KEY, ANSWERS_FILE = "key of a listening test", "answers to a listening test"


class AnswersError(EpochordError):
    """A key, a file of answers, or a table of the model ear could not be used."""


class Truth(NamedTuple):
    """What is right of a clip: its kind, and the layer concerned, None if it is not one."""

    kind: str
    layer: int | None

    @property
    def answer(self) -> str:
        """What a listener has to say: `HEALTHY` or a key of `ANSWERS`."""
        return HEALTHY if self.kind == HEALTHY else TROUBLES[self.kind].answer


class Answer(NamedTuple):
    """What was said of a clip: `HEALTHY` or a key of `ANSWERS`, and which layer, if one."""

    kind: str
    layer: int | None


@dataclass(frozen=True)
class Key:
    """What is right.

    Parameters
    ----------
    test : str
        Which test it belongs to.
    voicing : str
        How the clips sound.
    voices : int
        Layers of each training.
    clips : mapping of str to Truth
        By the clips' names.
    """

    test: str
    voicing: str
    voices: int
    clips: Mapping[str, Truth]

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "schema_version": SCHEMA_VERSION,
            "what": KEY,
            "test": self.test,
            "voicing": self.voicing,
            "voices": self.voices,
            "clips": {name: truth._asdict() for name, truth in self.clips.items()},
        }


@dataclass(frozen=True)
class Person:
    """What one person answered.

    Parameters
    ----------
    name : str
        A code.
    answers : mapping of str to Answer
        By the clips' names: all that the key has.
    """

    name: str
    answers: Mapping[str, Answer]


def read_key(path: Path) -> Key:
    """Read a key.

    Raises
    ------
    AnswersError
        If it is none.
    """
    about = _read(path, KEY)
    try:
        clips = {
            str(name): Truth(_one_of(each["kind"], (HEALTHY, *TROUBLES)), each["layer"])
            for name, each in about["clips"].items()
        }
        return Key(str(about["test"]), str(about["voicing"]), int(about["voices"]), clips)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise _unusable(path, KEY, error) from error


def read_answers(paths: Sequence[Path], key: Key) -> list[Person]:
    """Read what people answered.

    Parameters
    ----------
    paths : sequence of Path
        One file a person.
    key : Key
        Of the test that they took.

    Raises
    ------
    AnswersError
        If a file holds no answers, or to another test, or not to all its clips, or if
        there are two of one person.
    """
    found: dict[str, Path] = {}
    people = []
    for path in paths:
        person = _person(path, key)
        if person.name in found:
            raise AnswersError(
                f"{path}: answers of {person.name!r}, as {found[person.name]} has; each person "
                "counts once: leave one out"
            )
        found[person.name] = path
        people.append(person)
    return people


def _person(path: Path, key: Key) -> Person:
    about = _read(path, ANSWERS_FILE)
    if about.get("test") != key.test:
        raise AnswersError(
            f"{path}: answers to test {about.get('test')!r}; the key is of {key.test!r}: name "
            "the key that was made with their page"
        )
    try:
        said = {str(each["clip"]): _answer(each, key.voices) for each in about["answers"]}
        name = str(about["person"])
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise _unusable(path, ANSWERS_FILE, error) from error
    if missing := sorted(set(key.clips) - set(said)):
        raise AnswersError(
            f"{path}: no answer to clip {missing[0]} ({len(missing)} of {len(key.clips)} are "
            "missing); expected the file that the page stores at its end"
        )
    return Person(name, {clip: said[clip] for clip in key.clips})


def _answer(said: Mapping[str, Any], voices: int) -> Answer:
    layer = said["layer"]
    if layer not in ("none", "all", *range(1, voices + 1)) or isinstance(layer, bool):
        raise ValueError(f"layer is {layer!r}; expected none, all, or 1 to {voices}")
    kind = _one_of(said["kind"], (HEALTHY, *ANSWERS))
    return Answer(kind, layer if isinstance(layer, int) else None)


def _one_of(kind: object, known: Sequence[str]) -> str:
    if kind not in known:
        raise ValueError(f"kind is {kind!r}; expected one of {', '.join(known)}")
    return str(kind)


def _read(path: Path, what: str) -> dict[str, Any]:
    """Read a JSON file that says of itself what it is."""
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise AnswersError(f"{path}: cannot read ({error.strerror or error})") from error
    except ValueError as error:
        raise AnswersError(f"{path}: no JSON ({error}); expected {what}") from error
    found = about.get("what") if isinstance(about, dict) else None
    if found != what:
        said = f"says it is {found!r}" if found else "does not say what it is"
        raise AnswersError(f"{path}: {said}; expected {what}")
    if about.get("schema_version") != SCHEMA_VERSION:
        raise AnswersError(
            f"{path}: schema_version is {about.get('schema_version')!r}; expected {SCHEMA_VERSION}"
        )
    return dict(about)


def _unusable(path: Path, what: str, error: Exception) -> AnswersError:
    said = f"no entry {error}" if isinstance(error, KeyError) else str(error)
    return AnswersError(f"{path}: {said}; expected {what} as Epochord writes them")
