"""What a WAV file says about its sound: cue points with their labels, and tags.

Every function turns plain data into the bytes of whole RIFF chunks, which stand
behind the samples: a program that only plays them never has to pass over these.

Sources: Microsoft and IBM, "Multimedia Programming Interface and Data
Specifications 1.0" (1991), chapters 2 (LIST, INFO) and 3 (WAVE: cue, adtl, labl,
ltxt).  It names no encoding for text; this is UTF-8, as ffmpeg, Audacity and
REAPER write and read it.
"""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

__all__ = ["INFO_NAMES", "Cue", "chunk", "cue_chunks", "info_chunk", "plain"]

INFO_NAMES = {
    "title": b"INAM",
    "artist": b"IART",
    "album": b"IPRD",
    "software": b"ISFT",
    "comment": b"ICMT",  # last: libsndfile reads nothing behind a text of more than 2 kB
}
REGION = b"rgn "  # the purpose that REAPER, Sound Forge and Audition give a stretch of sound


@dataclass(frozen=True)
class Cue:
    """A named place in a sound, or a named stretch of it.

    Parameters
    ----------
    sample : int
        Where, in samples from the beginning.
    label : str
        Its name.
    length : int
        Samples; 0 for a place.

    Raises
    ------
    ValueError
        If it begins before the sound, or ends before it begins.
    """

    sample: int
    label: str
    length: int = 0

    def __post_init__(self) -> None:
        for name in ("sample", "length"):
            if getattr(self, name) < 0:
                raise ValueError(
                    f"{name} of cue {self.label!r} is {getattr(self, name)}; expected 0 or more"
                )


def plain(text: str) -> str:
    """Replace what no file can hold: NUL, which ends a text, and halves of surrogate pairs.

    Halves are what Python makes of file names that are not UTF-8.
    """
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()


def chunk(name: bytes, data: bytes) -> bytes:
    """Frame data as a RIFF chunk, padded to an even length that its size does not count."""
    return struct.pack("<4sI", name, len(data)) + data + bytes(len(data) % 2)


def cue_chunks(cues: Sequence[Cue]) -> bytes:
    """Turn cues into a ``cue`` chunk and the ``LIST adtl`` with their labels and lengths.

    Parameters
    ----------
    cues : sequence of Cue
        In any order; they are numbered from 1 in the order of the sound.

    Returns
    -------
    bytes
        Both chunks, or nothing if there are no cues.
    """
    if not cues:
        return b""
    ordered = list(enumerate(sorted(cues, key=lambda cue: cue.sample), start=1))
    points = b"".join(_point(number, cue) for number, cue in ordered)
    # Labels first: ffmpeg and libsndfile find none behind an ltxt chunk.
    texts = b"".join(_label(number, cue) for number, cue in ordered)
    texts += b"".join(_region(number, cue) for number, cue in ordered)
    places = struct.pack("<I", len(ordered)) + points
    return chunk(b"cue ", places) + chunk(b"LIST", b"adtl" + texts)


def info_chunk(tags: Mapping[str, str]) -> bytes:
    """Turn tags into a ``LIST INFO`` chunk.

    Parameters
    ----------
    tags : mapping of str to str
        Keys of `INFO_NAMES`.

    Returns
    -------
    bytes
        The chunk, or nothing if there are no tags.
    """
    if not tags:
        return b""
    fields = [chunk(INFO_NAMES[name], _text(tags[name])) for name in INFO_NAMES if name in tags]
    return chunk(b"LIST", b"INFO" + b"".join(fields))


def _point(number: int, cue: Cue) -> bytes:
    # Some programs read dwPosition, others dwSampleOffset: with one data chunk they are equal.
    return struct.pack("<II4sIII", number, cue.sample, b"data", 0, 0, cue.sample)


def _label(number: int, cue: Cue) -> bytes:
    return chunk(b"labl", struct.pack("<I", number) + _text(cue.label))


def _region(number: int, cue: Cue) -> bytes:
    if not cue.length:
        return b""
    # Country, language, dialect and code page are not given: there is no text in it.
    return chunk(b"ltxt", struct.pack("<II4s4H", number, cue.length, REGION, 0, 0, 0, 0))


def _text(text: str) -> bytes:
    return plain(text).encode() + b"\0"
