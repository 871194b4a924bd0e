"""What was found to what is told of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from epochord.renderers.comparison.listening import Framing, Heard
from epochord.renderers.comparison.matrix import Matrix, distances
from epochord.renderers.comparison.names import listed
from epochord.renderers.comparison.pairs import Pair
from epochord.renderers.comparison.runs import Sounding
from epochord.renderers.comparison.sentences import (
    happened_sentences,
    pair_sentences,
    silence_sentences,
)
from epochord.renderers.comparison.settings import ComparisonSettings
from epochord.renderers.comparison.spans import overlap_sentences, span_sentences

__all__ = ["Report", "audio_report", "run_report"]

MOST_FINDINGS = 2  # sentences of a run before those about pairs: pictures show seven in all


@dataclass(frozen=True)
class Report:
    """What is told of a comparison.

    Parameters
    ----------
    general : list of str
        What was found of all.
    notes : list of str
        What has to be known to understand it.
    caption : str
        How the sounds were made, for pictures.
    matrix : Matrix
        All distances.
    sounds : list of dict
        Of each sound: plain JSON values.
    of_pairs : dict of (int, int) to list of str
        The sentences about each pair alone.
    more : list of str
        Further sentences, for the text alone.
    """

    general: list[str]
    notes: list[str]
    caption: str
    matrix: Matrix
    sounds: list[dict[str, Any]] = field(default_factory=list)
    of_pairs: dict[tuple[int, int], list[str]] = field(default_factory=dict)
    more: list[str] = field(default_factory=list)

    @property
    def sentences(self) -> list[str]:
        """What was found, of all and then pair by pair."""
        return [*self.general, *(line for lines in self.of_pairs.values() for line in lines)]

    @property
    def lines(self) -> list[str]:
        """All that is told, as text."""
        return [*self.sentences, *(f"Note: {note}" for note in self.notes), *self.more]

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "sentences": self.general,
            "notes": self.notes,
            "caption": self.caption,
            "sounds": self.sounds,
            "matrix": self.matrix.to_dict(),
        }


def run_report(sounding: Sounding, pairs: Sequence[Pair], settings: ComparisonSettings) -> Report:
    """Tell of runs.

    Parameters
    ----------
    sounding : Sounding
        The runs.
    pairs : sequence of Pair
        All pairs.
    settings : ComparisonSettings
        What counts as a difference.
    """
    happened = [
        happened_sentences(log.run.name, found)
        for log, found in zip(sounding.logs, sounding.findings, strict=True)
    ]
    scale = "; ".join(
        f"{group or 'values'} {one.low:.3g} to {one.high:.3g}"
        for group, one in sounding.scales.items()
    )
    caption = (
        f"All on one scale ({scale}) and with one gain "
        f"({_decibels(sounding.levels[0].to_dict()['gain_db'])}). {_framed(sounding.framing)}"
    )
    sounds = [
        {
            **_sound(heard),
            **level.to_dict(),
            "findings": [each.to_dict() for each in found],
        }
        for heard, level, found in zip(
            sounding.heard, sounding.levels, sounding.findings, strict=True
        )
    ]
    names = [each.name for each in sounding.heard]
    matrix = distances(names, pairs, logged=True)
    told, of_pairs = _told(sounding.heard, pairs, settings)
    first = [line for lines in happened for line in lines[:MOST_FINDINGS]]
    spans = span_sentences(sounding.logs, sounding.heard)
    notes = [*spans, *_held(pairs), *sounding.notes, *_unsaid(names, happened)]
    more = [line for lines in happened for line in lines[MOST_FINDINGS:]]
    general = [*overlap_sentences(sounding.logs), *first, *told]
    return Report(general, notes, caption, matrix, sounds, of_pairs, more)


def audio_report(
    heard: Sequence[Heard],
    pairs: Sequence[Pair],
    settings: ComparisonSettings,
    framing: Framing,
    notes: Sequence[str],
) -> Report:
    """Tell of audio files.

    Parameters
    ----------
    heard : sequence of Heard
        All files.
    pairs : sequence of Pair
        All pairs.
    settings : ComparisonSettings
        What counts as a difference.
    framing : Framing
        How they were cut.
    notes : sequence of str
        What was done to them.
    """
    matrix = distances([each.name for each in heard], pairs, logged=False)
    caption = f"Audio files as they are, without any gain. {_framed(framing)}"
    end = max(each.duration for each in heard)
    short = [
        f"{each.name} ends at {each.duration:.2f} s; what follows is not compared"
        for each in heard
        if each.duration < end - framing.hop_seconds
    ]
    told, of_pairs = _told(heard, pairs, settings)
    sounds = [_sound(each) for each in heard]
    return Report(told, [*short, *notes], caption, matrix, sounds, of_pairs)


def _told(
    heard: Sequence[Heard], pairs: Sequence[Pair], settings: ComparisonSettings
) -> tuple[list[str], dict[tuple[int, int], list[str]]]:
    """Return the sentences about all, and those about each pair."""
    said = silence_sentences(heard)
    if len(pairs) > 1:
        near, far = (pick(pairs, key=lambda pair: pair.sound.rms) for pick in (min, max))
        alike = f"of {len(heard)}, {near.a} and {near.b} sound most alike"
        said.append(
            f"all {len(heard)} sound alike"
            if near.sound.rms == far.sound.rms == 0
            else f"{alike} ({near.sound.rms:.1f} dB apart), {far.a} and {far.b} least "
            f"({far.sound.rms:.1f} dB)"
        )
    of_pairs = {(pair.one, pair.other): pair_sentences(pair, settings) for pair in pairs}
    return said, of_pairs


def _unsaid(names: Sequence[str], happened: Sequence[Sequence[str]]) -> list[str]:
    """Say of which runs there are more findings than are told."""
    count = [len(lines) - MOST_FINDINGS for lines in happened]
    return [
        f"{more} more {'finding' if more == 1 else 'findings'} of {name}, at the end of "
        "the text (.txt)"
        for name, more in zip(names, count, strict=True)
        if more > 0
    ]


def _held(pairs: Sequence[Pair]) -> list[str]:
    found = [pair for pair in pairs if any(each.held for each in pair.series)]
    if not found:
        return []
    tags = listed([each.tag for each in found[0].series if each.held])
    more = f" (so have {len(found) - 1} more pairs)" if len(found) > 1 else ""
    return [
        f"{found[0].a} and {found[0].b} have no step in common of {tags}{more}: each value is "
        "held until the next one"
    ]


def _sound(heard: Heard) -> dict[str, Any]:
    return {
        "name": heard.name,
        "duration": heard.duration,
        "level_dbfs": None if heard.level == float("-inf") else heard.level,
        "samples_hash": heard.digest,
    }


def _framed(framing: Framing) -> str:
    window, hop = (1000 * n / framing.sample_rate for n in (framing.window, framing.hop))
    return (
        f"Mel spectrograms in absolute dB at {framing.sample_rate:,} Hz, "
        f"frames of {window:.0f} ms every {hop:.1f} ms."
    )


def _decibels(value: float) -> str:
    return f"{value:+.1f} dB"
