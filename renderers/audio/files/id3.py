"""Tags of an MP3 file, which libsndfile writes in an encoding that players do not expect."""

import codecs
import struct
from collections.abc import Mapping

from epochord.renderers.audio.files.riff import plain

__all__ = ["id3_tag"]

ID3_FRAMES = {"title": b"TIT2", "artist": b"TPE1", "album": b"TALB", "software": b"TSSE"}


def id3_tag(tags: Mapping[str, str]) -> bytes:
    """Turn tags into an ID3 tag, version 2.3 in UTF-16, which the oldest players know too.

    Source: M. Nilsson, "ID3 tag version 2.3.0" (1999), id3.org.
    """
    frames = b"".join(_id3_frame(name, tags[name]) for name in tags)
    if not frames:
        return b""
    size = [len(frames) >> shift & 127 for shift in (21, 14, 7, 0)]  # seven bits a byte
    return b"ID3" + bytes([3, 0, 0, *size]) + frames


def _id3_frame(name: str, text: str) -> bytes:
    utf_16 = b"\x01"
    words = codecs.BOM_UTF16_LE + plain(text).encode("utf-16-le")
    if name == "comment":
        no_description = codecs.BOM_UTF16_LE + bytes(2)
        frame, data = b"COMM", utf_16 + b"und" + no_description + words
    else:
        frame, data = ID3_FRAMES[name], utf_16 + words
    return struct.pack(">4sIH", frame, len(data), 0) + data
