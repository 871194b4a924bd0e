"""Samples to a sound file of any format, block by block, in bounded memory.

WAV is written here (`wav.py`, `riff.py`); FLAC, OGG and MP3 come from libsndfile
by way of soundfile.  Equal sounds give equal bytes: what libsndfile draws at
random is replaced, and no format holds a date.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import SEEK_END, SEEK_SET, FileIO
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from epochord.renderers.audio.files.id3 import id3_tag
from epochord.renderers.audio.files.ogg import fix_serial
from epochord.renderers.audio.files.riff import INFO_NAMES, Cue, cue_chunks, info_chunk, plain
from epochord.renderers.audio.files.wav import (
    ENCODINGS,
    MAX_FILE_BYTES,
    quantised,
    wav_bytes,
    write_wav,
)
from epochord.renderers.results.interrupts import deferred

__all__ = ["AUDIO_FORMATS", "TAGS", "AudioFormat", "Cue", "FileKind", "require_room", "write_audio"]

AudioFormat = Literal["wav16", "wav24", "wav32f", "flac", "ogg", "mp3"]
TAGS = tuple(INFO_NAMES)  # title, artist, album, software, comment: also their order in a file
NO_TAGS: Mapping[str, str] = MappingProxyType({})

PIECE = 1 << 14  # samples; encoders get pieces of this length, however the sound was cut

VORBIS_COMPRESSION = 0.4  # quality 6 of 10, about 190 kbit/s in stereo

# ISO/IEC 11172-3 and 13818-3 (MPEG-1 and -2), and the extension "MPEG-2.5" for the lowest three.
MP3_RATES = (8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)  # Hz
MP3_KBITS = 192  # constant: players find any place in hours of sound by its byte
# LAME's presets make everything this much softer, from 32 kHz on and below (measured).
MP3_SCALES = (0.97, 0.95)


@dataclass(frozen=True)
class FileKind:
    """What a format is to other programs.

    Parameters
    ----------
    suffix : str
        How its file names end.
    container, subtype : str
        libsndfile's names for it.
    channels : int
        The most it holds.
    sample_rates : range or tuple of int
        Those it can have, in Hz.
    """

    suffix: str
    container: str
    subtype: str
    channels: int
    sample_rates: range | tuple[int, ...]


WAV_RATES = range(1, 1 << 22)  # so that the bytes a second of 255 channels fit into 32 bits

AUDIO_FORMATS: Mapping[AudioFormat, FileKind] = {
    "wav16": FileKind(".wav", "WAV", "PCM_16", 255, WAV_RATES),
    "wav24": FileKind(".wav", "WAV", "PCM_24", 255, WAV_RATES),
    "wav32f": FileKind(".wav", "WAV", "FLOAT", 255, WAV_RATES),
    # The samples of wav16 in a quarter of its bytes; 24 bits would need more than twice that.
    "flac": FileKind(".flac", "FLAC", "PCM_16", 8, range(1, 655_351)),
    "ogg": FileKind(".ogg", "OGG", "VORBIS", 255, range(1, 200_001)),  # libvorbis' limits
    "mp3": FileKind(".mp3", "MP3", "MPEG_LAYER_III", 2, MP3_RATES),
}


def write_audio(
    path: Path,
    blocks: Iterable[npt.NDArray[np.float32]],
    *,
    samples: int,
    sample_rate: int,
    channels: int = 1,
    format: AudioFormat = "wav16",
    cues: Sequence[Cue] = (),
    tags: Mapping[str, str] = NO_TAGS,
    mp3_kbits: int = MP3_KBITS,
) -> None:
    """Write a sound file.

    Samples beyond ±1 are limited to it in every format but wav32f.  Integers are
    rounded to nearest without dither.

    ======  ============================  ==================================
    format  samples                       size of stereo at 44.1 kHz
    ======  ============================  ==================================
    wav16   16-bit integers               10.6 MB a minute
    wav24   24-bit integers               15.9 MB a minute
    wav32f  32-bit floats, as they are    21.2 MB a minute
    flac    those of wav16, lossless      a quarter to two thirds of wav16
    ogg     Vorbis, quality 6             0.3 to 1.5 MB a minute
    mp3     192 kbit/s, constant          1.4 MB a minute
    ======  ============================  ==================================

    MP3 has 160 kbit/s below 32 kHz and 64 kbit/s below 16 kHz, the most there is.

    Parameters
    ----------
    path : Path
        The file, of any name.
    blocks : iterable of np.ndarray [shape=(n,) or (n, channels), float32]
        The sound, in order, of any lengths; the file does not depend on them.
    samples : int
        How many there are in all, a channel.
    sample_rate : int
        Hz.
    channels : int
        Number of channels.
    format : {"wav16", "wav24", "wav32f", "flac", "ogg", "mp3"}
        A key of `AUDIO_FORMATS`.
    cues : sequence of Cue
        Named places and stretches.  Only WAV can hold them; for the other
        formats they are checked and left out.  libsndfile, and so Audacity,
        reads at most 2500, with labels of at most 2045 bytes.
    tags : mapping of str to str
        What the sound is, by names from `TAGS`.  FLAC and OGG add libsndfile's
        version to ``software``.
    mp3_kbits : int
        Of MP3: its constant rate in kbit/s, one that the standard has.

    Raises
    ------
    OSError
        If the file cannot be written, with the system's reason.
    ValueError
        If the format cannot hold the sound, a tag is not known, a cue lies beyond
        the end, or the blocks are not `samples` finite numbers in `channels`.
    """
    require_room(samples, sample_rate, channels, format=format, cues=cues, tags=tags)
    kind = AUDIO_FORMATS[format]
    pieces = _pieces(blocks, samples, channels)
    if kind.container == "WAV":
        write_wav(
            path,
            pieces,
            samples=samples,
            sample_rate=sample_rate,
            channels=channels,
            encoding=ENCODINGS[kind.subtype],
            trailer=cue_chunks(cues) + info_chunk(tags),
        )
        return
    _encode(path, pieces, kind, sample_rate, channels, tags, mp3_kbits)
    if kind.container == "OGG":
        fix_serial(path)


def require_room(
    samples: int,
    sample_rate: int,
    channels: int = 1,
    *,
    format: AudioFormat = "wav16",
    cues: Sequence[Cue] = (),
    tags: Mapping[str, str] = NO_TAGS,
) -> None:
    """Refuse what a format cannot hold, before any of it is made.

    Parameters
    ----------
    samples, sample_rate, channels, format, cues, tags
        As in `write_audio`, which calls this.

    Raises
    ------
    ValueError
        If there is too much sound for it or none, or a parameter that it does not have.
    """
    if format not in AUDIO_FORMATS:
        names = ", ".join(get_args(AudioFormat))
        raise ValueError(f"format is {format!r}; expected one of {names}")
    kind = AUDIO_FORMATS[format]
    _check_shape(samples, sample_rate, channels, format, kind)
    for cue in cues:
        if cue.sample + cue.length > samples:
            end = cue.sample + cue.length
            raise ValueError(f"cue {cue.label!r} ends at sample {end}; the sound has {samples}")
    if unknown := sorted(set(tags) - set(TAGS)):
        raise ValueError(f"tag {unknown[0]!r} is not known; expected {', '.join(TAGS)}")
    if kind.container == "WAV":
        trailer = cue_chunks(cues) + info_chunk(tags)
        if wav_bytes(samples, channels, ENCODINGS[kind.subtype], trailer) > MAX_FILE_BYTES:
            hours = samples / sample_rate / 3600
            raise ValueError(
                f"{hours:.1f} h of sound exceed the 4 GiB of a WAV file; "
                "make it shorter or choose flac, ogg or mp3"
            )


def _check_shape(
    samples: int, sample_rate: int, channels: int, format: AudioFormat, kind: FileKind
) -> None:
    if not 1 <= channels <= kind.channels:
        raise ValueError(f"{channels} channels; {format} holds 1 to {kind.channels}")
    if sample_rate not in kind.sample_rates:
        raise ValueError(f"sample rate is {sample_rate} Hz; {format} can have {_listed(kind)}")
    least = 1 if format in ("flac", "mp3") else 0  # libsndfile would leave an empty file
    if samples < least:
        raise ValueError(f"{samples} samples; {format} needs at least {least}")


def _listed(kind: FileKind) -> str:
    rates = kind.sample_rates
    if isinstance(rates, range):
        return f"{rates[0]} to {rates[-1]}"
    return ", ".join(map(str, rates))


def _pieces(
    blocks: Iterable[npt.NDArray[np.float32]], samples: int, channels: int
) -> Iterator[npt.NDArray[np.float32]]:
    """Cut a sound anew into arrays [shape=(`PIECE`, channels)], the last one shorter.

    Encoders may break on very long blocks, and could make their output depend on
    where these end.
    """
    rest = np.empty((0, channels), np.float32)
    done = 0
    for block in blocks:
        checked = _checked(block, channels, done)
        done += len(checked)
        if done > samples:
            raise ValueError(f"{done} samples or more came; expected {samples}")
        if len(rest):
            missing = PIECE - len(rest)
            rest, checked = np.concatenate([rest, checked[:missing]]), checked[missing:]
            if len(rest) < PIECE:
                continue
            yield rest
        whole = len(checked) - len(checked) % PIECE
        for start in range(0, whole, PIECE):
            yield checked[start : start + PIECE]
        rest = checked[whole:].copy()  # the next block may come in the same memory
    if done < samples:
        raise ValueError(f"{done} samples came; expected {samples}")
    if len(rest):
        yield rest


def _checked(block: npt.NDArray[np.float32], channels: int, first: int) -> npt.NDArray[np.float32]:
    samples = np.asarray(block, dtype=np.float32)
    if samples.ndim == 1 and channels == 1:
        samples = samples[:, np.newaxis]
    if samples.ndim != 2 or samples.shape[1] != channels:
        raise ValueError(f"block has shape {np.shape(block)}; expected (n, {channels})")
    finite = np.isfinite(samples)
    if not finite.all():
        where = np.unravel_index(int(np.argmin(finite)), finite.shape)
        value = samples[where]
        raise ValueError(f"sample {first + int(where[0])} is {value}; expected a finite number")
    return samples


class _Sink:
    """A file as libsndfile sees it: it begins where ours ended, and failures are kept.

    libsndfile calls it through C, which exceptions cannot pass; and of what the
    system said, it would tell no more than that there was an error, if that.
    """

    def __init__(self, file: FileIO) -> None:
        self._file = file
        self._start = file.seek(0, SEEK_END)
        self.error: OSError | None = None

    def write(self, data: bytes) -> int:
        if self.error is not None:
            return 0
        try:
            rest = memoryview(data)
            while rest:  # a disk that is nearly full takes a part
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            self.error = error
            return 0
        return len(data)

    def seek(self, offset: int, whence: int = SEEK_SET) -> None:
        self._file.seek(offset + (self._start if whence == SEEK_SET else 0), whence)

    def tell(self) -> int:
        return self._file.tell() - self._start

    def check(self) -> None:
        if self.error is not None:
            raise self.error


@contextmanager
def _reasons(sink: _Sink) -> Iterator[None]:
    try:
        yield
    finally:
        sink.check()  # whatever libsndfile made of it


def _encode(
    path: Path,
    pieces: Iterator[npt.NDArray[np.float32]],
    kind: FileKind,
    sample_rate: int,
    channels: int,
    tags: Mapping[str, str],
    mp3_kbits: int,
) -> None:
    import soundfile  # type: ignore[import-untyped]

    # libsndfile's own ID3 tag would be in Latin-1.
    path.write_bytes(
        id3_tag({name: tags[name] for name in _ordered(tags)}) if kind.container == "MP3" else b""
    )
    with path.open("r+b", buffering=0) as file:  # unbuffered: what fails shall fail at once
        sink = _Sink(file)
        with (
            deferred() as act_on_signals,
            _reasons(sink),
            soundfile.SoundFile(
                sink,
                "w",
                samplerate=sample_rate,
                channels=channels,
                format=kind.container,
                subtype=kind.subtype,
                **_quality(kind, sample_rate, mp3_kbits),
            ) as encoder,
        ):
            if kind.container != "MP3":
                for name in _ordered(tags):
                    setattr(encoder, name, plain(tags[name]))
            for piece in pieces:
                encoder.write(_for_encoder(piece, kind, sample_rate))
                sink.check()
                act_on_signals()


def _ordered(tags: Mapping[str, str]) -> list[str]:
    return [name for name in TAGS if name in tags]


def _for_encoder(
    piece: npt.NDArray[np.float32], kind: FileKind, sample_rate: int
) -> npt.NDArray[Any]:
    if kind.subtype == "PCM_16":
        return quantised(piece, 16).astype(np.int16)
    limited = np.clip(piece, -1, 1)
    return limited / MP3_SCALES[sample_rate < 32_000] if kind.container == "MP3" else limited


def _quality(kind: FileKind, sample_rate: int, mp3_kbits: int) -> dict[str, Any]:
    if kind.container == "OGG":
        return {"compression_level": VORBIS_COMPRESSION}
    if kind.container == "MP3":
        level = _mp3_compression(sample_rate, mp3_kbits)
        return {"compression_level": level, "bitrate_mode": "CONSTANT"}
    return {}


def _mp3_compression(sample_rate: int, kbits: int) -> float:
    """Turn kbit/s into libsndfile's scale, whose ends depend on the rate.

    They are 0 for `most` and 1 for `least` (libsndfile, ``mpeg_l3_encode.c``); it
    cuts off decimals, whence the half.
    """
    if sample_rate >= 32_000:
        least, most = 32, 320
    else:
        least, most = 8, 160 if sample_rate >= 16_000 else 64
    return max(0.0, (most - kbits - 0.5) / (most - least))
