"""Sound files of every format hold what was written, and are equal for equal sounds."""

import struct
import time
import tracemalloc
import wave
from pathlib import Path

import numpy as np
import pytest
import scipy.io.wavfile
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from epochord.renderers.audio.files.write import AUDIO_FORMATS, TAGS, Cue, require_room, write_audio

WAV = ("wav16", "wav24", "wav32f")
LOSSY = ("ogg", "mp3")
RATE = 8000  # Hz; every format has it
TEXTS = {"title": "Grüße 你好 🎵", "artist": "sgd", "album": "runs/a", "comment": "lr = 0.1"}

FULL = Path("/dev/full")


def sound(samples, channels=1, *, seed=0):
    """Sines with a little noise, which every encoder has something to do with."""
    rng = np.random.default_rng(seed)
    seconds = np.arange(samples)[:, np.newaxis] / RATE
    pitch = 300 + 100 * np.arange(channels)
    noise = rng.normal(scale=0.01, size=(samples, channels))
    return (0.5 * np.sin(2 * np.pi * pitch * seconds) + noise).astype(np.float32)


def written(folder, samples, format="wav16", *, blocks=None, sample_rate=RATE, **about):
    """Write a sound and return the path."""
    path = folder / f"sound{AUDIO_FORMATS[format].suffix}"
    write_audio(
        path,
        [samples] if blocks is None else blocks,
        samples=len(samples),
        sample_rate=sample_rate,
        channels=samples.shape[1] if samples.ndim == 2 else 1,
        format=format,
        **about,
    )
    return path


def chunks(data):
    """Take a sequence of RIFF chunks apart: four letters, 32-bit size, data, padding."""
    found, place = [], 0
    while place < len(data):
        name, size = struct.unpack_from("<4sI", data, place)
        body = data[place + 8 : place + 8 + size]
        assert len(body) == size
        assert not any(data[place + 8 + size : place + 8 + size + size % 2])
        found.append((name, body))
        place += 8 + size + size % 2
    assert place == len(data), "a chunk lacks its padding"
    return found


def wav_chunks(path):
    """Return the chunks of a WAV file; a LIST is called by its kind."""
    ((riff, body),) = chunks(path.read_bytes())
    assert (riff, body[:4]) == (b"RIFF", b"WAVE")
    return {
        data[:4] if name == b"LIST" else name: data[4:] if name == b"LIST" else data
        for name, data in chunks(body[4:])
    }


def text(data):
    assert data.endswith(b"\0")
    return data[:-1].decode()


def read_cues(path):
    """Return the cues of a WAV file, in its order."""
    found = wav_chunks(path)
    (count,) = struct.unpack_from("<I", found[b"cue "])
    points = list(struct.iter_unpack("<II4sIII", found[b"cue "][4:]))
    assert len(points) == count
    labels, lengths = {}, {}
    for name, data in chunks(found[b"adtl"]):
        (number,) = struct.unpack_from("<I", data)
        if name == b"labl":
            labels[number] = text(data[4:])
        else:
            assert name == b"ltxt"
            lengths[number], purpose = struct.unpack_from("<I4s", data, 4)
            assert purpose == b"rgn "
            assert len(data) == 20
    assert sorted(labels) == [number for number, *_ in points]
    for _, position, where, *starts, offset in points:
        assert (where, starts, offset) == (b"data", [0, 0], position)
    return [Cue(at, labels[number], lengths.get(number, 0)) for number, at, *_ in points]


def read_tags(path):
    names = {b"INAM": "title", b"IART": "artist", b"IPRD": "album"}
    names |= {b"ISFT": "software", b"ICMT": "comment"}
    return {names[name]: text(data) for name, data in chunks(wav_chunks(path)[b"INFO"])}


def id3_frames(data):
    """Take an ID3v2.3 tag apart; return its texts and its length."""
    assert data[:6] == b"ID3\x03\0\0"
    size = sum(byte << shift for byte, shift in zip(data[6:10], (21, 14, 7, 0), strict=True))
    found, place = {}, 10
    while place < 10 + size:
        name, length, flags = struct.unpack_from(">4sIH", data, place)
        body = data[place + 10 : place + 10 + length]
        assert (flags, body[0]) == (0, 1)  # 1: UTF-16
        skipped = len(b"\x01und\xff\xfe\0\0") if name == b"COMM" else 1
        found[name.decode()] = body[skipped:].decode("utf-16")
        place += 10 + length
    return found, place


def ogg_pages(data):
    """Take an Ogg file apart; return (serial number, page number, checksum, computed) each."""
    found, place = [], 0
    while place < len(data):
        capture, *_, serial, number, crc, segments = struct.unpack_from("<4sBBqIIIB", data, place)
        assert capture == b"OggS"
        length = 27 + segments + sum(data[place + 27 : place + 27 + segments])
        page = data[place : place + length]
        found.append((serial, number, crc, bitwise_crc(page[:22] + bytes(4) + page[26:])))
        place += length
    return found


def bitwise_crc(data):
    """Divide by the polynomial of RFC 3533, bit by bit."""
    crc = 0
    for byte in data:
        crc ^= byte << 24
        for _ in range(8):
            crc = crc << 1 ^ (0x104C11DB7 if crc & 1 << 31 else 0)
    return crc


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize(("format", "quantum"), [("wav16", 2**-15), ("wav24", 2**-23)])
@pytest.mark.parametrize("samples", [1, 1001, 40_000])
def test_integers_are_the_nearest(tmp_path, format, quantum, channels, samples):
    """What libsndfile and Python's own reader find is half a quantum off at most."""
    original = sound(samples, channels)
    path = written(tmp_path, original, format)
    read, rate = soundfile.read(path, always_2d=True)
    assert rate == RATE
    assert np.abs(read - original).max() <= quantum / 2
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getframerate(), file.getnframes()) == (
            *(channels, RATE, samples),
        )
        width, data = file.getsampwidth(), file.readframes(samples)
    parts = [data[place : place + width] for place in range(0, len(data), width)]
    integers = np.array([int.from_bytes(part, "little", signed=True) for part in parts])
    np.testing.assert_array_equal(integers.reshape(read.shape) * quantum, read)


@pytest.mark.parametrize("channels", [1, 2])
def test_floats_are_exact(tmp_path, channels):
    """Also those beyond full scale, the smallest, and the sign of zero."""
    original = sound(20_000, channels)
    original[:6, 0] = [1, -1, 3.7, -1e30, 1e-45, -0.0]
    path = written(tmp_path, original, "wav32f")
    read, _ = soundfile.read(path, dtype="float32", always_2d=True)
    assert read.tobytes() == original.tobytes()


@pytest.mark.filterwarnings("ignore:Chunk .non-data. not understood")
@pytest.mark.parametrize("format", WAV)
def test_scipy_agrees_with_libsndfile(tmp_path, format):
    """It passes over the chunks behind an odd number of bytes."""
    path = written(tmp_path, sound(1001), format, cues=[Cue(3, "here")], tags=TEXTS)
    rate, read = scipy.io.wavfile.read(path)
    assert rate == RATE
    full_scale = 1 if format == "wav32f" else -float(np.iinfo(read.dtype).min)
    np.testing.assert_array_equal(read / full_scale, soundfile.read(path)[0])


@pytest.mark.parametrize(("format", "bits"), [("wav16", 16), ("wav24", 24), ("flac", 16)])
def test_integers_saturate(tmp_path, format, bits):
    """Full scale and what is beyond never wrap; halves go to the even integer."""
    quantum = 2.0 ** (1 - bits)
    given = [1, -1, 1 - quantum / 4, 1e30, -1e30, 1.5, -1.5, 0.5 * quantum, 1.5 * quantum]
    expected = [1 - quantum, -1, 1 - quantum, 1 - quantum, -1, 1 - quantum, -1, 0, 2 * quantum]
    path = written(tmp_path, np.array(given, dtype=np.float32), format)
    np.testing.assert_array_equal(soundfile.read(path)[0], expected)


def test_flac_holds_the_samples_of_wav16(tmp_path):
    """Whoever wants a smaller file loses nothing."""
    original = sound(50_000, 2)
    wav, flac = (written(tmp_path, original, format) for format in ("wav16", "flac"))
    np.testing.assert_array_equal(soundfile.read(wav)[0], soundfile.read(flac)[0])
    assert soundfile.info(flac).subtype == "PCM_16"
    assert flac.stat().st_size < wav.stat().st_size


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("format", LOSSY)
def test_lossy_formats_keep_length_and_sound(tmp_path, format, channels):
    """Neither the encoder's delay nor its padding are heard."""
    original = sound(5 * RATE + 123, channels)
    read, rate = soundfile.read(written(tmp_path, original, format), always_2d=True)
    assert (rate, read.shape) == (RATE, original.shape)
    for channel in range(channels):
        assert np.corrcoef(read[:, channel], original[:, channel])[0, 1] > 0.99


@pytest.mark.parametrize("format", LOSSY)
def test_lossy_formats_are_limited_too(tmp_path, format):
    """What would be cut off on playing is cut off before."""
    loud = 3 * sound(RATE)
    paths = [tmp_path / "a", tmp_path / "b"]
    for path, samples in zip(paths, (loud, np.clip(loud, -1, 1)), strict=True):
        write_audio(path, [samples], samples=RATE, sample_rate=RATE, format=format)
    assert paths[0].read_bytes() == paths[1].read_bytes()


@pytest.mark.parametrize(
    ("rate", "kbits"), [(8000, 64), (12_000, 64), (16_000, 160), (32_000, 192), (48_000, 192)]
)
def test_mp3_has_a_constant_bit_rate(tmp_path, rate, kbits):
    """It is 192 kbit/s, or the most there is."""
    path = written(tmp_path, sound(10 * rate, 2), "mp3", sample_rate=rate)
    assert path.stat().st_size * 8 / 10 == pytest.approx(kbits * 1000, rel=0.03)
    assert soundfile.info(path).frames == 10 * rate


@pytest.mark.parametrize(
    ("format", "expected"),
    [
        ("wav16", (1, 2, RATE, 4 * RATE, 4, 16)),
        ("wav24", (1, 2, RATE, 6 * RATE, 6, 24)),
        ("wav32f", (3, 2, RATE, 8 * RATE, 8, 32)),
    ],
)
def test_the_header_says_what_follows(tmp_path, format, expected):
    """Tag, channels, rate, bytes a second, bytes a frame, bits a sample."""
    found = wav_chunks(written(tmp_path, sound(500, 2), format))
    assert struct.unpack("<HHIIHH", found[b"fmt "][:16]) == expected
    assert len(found[b"data"]) == 500 * expected[4]
    if format == "wav32f":
        assert struct.unpack("<I", found[b"fact"]) == (500,)
    else:
        assert list(found) == [b"fmt ", b"data"]


@pytest.mark.parametrize("format", WAV)
def test_cues_and_tags_are_read_back(tmp_path, format):
    """In the order of the sound, whatever order they came in."""
    cues = [Cue(1001, "the end"), Cue(0, ""), Cue(10, "layer1.0.conv – 你好", 991), Cue(10, "odd")]
    path = written(tmp_path, sound(1001), format, cues=cues, tags=TEXTS | {"software": "Epochord"})
    assert read_cues(path) == [cues[1], cues[2], cues[3], cues[0]]
    assert read_tags(path) == TEXTS | {"software": "Epochord"}
    assert list(wav_chunks(path))[-4:] == [b"data", b"cue ", b"adtl", b"INFO"]


@settings(deadline=None)
@given(
    labels=st.lists(st.tuples(st.integers(0, 50), st.text(), st.integers(0, 50)), max_size=5),
    tags=st.dictionaries(st.sampled_from(TAGS), st.text()),
    channels=st.integers(1, 3),
    samples=st.integers(100, 103),
)
def test_any_text_stays(tmp_path_factory, labels, tags, channels, samples):
    """Of whatever length and script; NUL alone, which would end it, is replaced."""
    cues = [Cue(at, label, length) for at, label, length in labels]
    original = sound(samples, channels)
    path = written(tmp_path_factory.getbasetemp(), original, "wav24", cues=cues, tags=tags)
    if cues:
        expected = sorted(cues, key=lambda cue: cue.sample)
        whole = [Cue(cue.sample, cue.label.replace("\0", "�"), cue.length) for cue in expected]
        assert read_cues(path) == whole
    if tags:
        assert read_tags(path) == {name: value.replace("\0", "�") for name, value in tags.items()}
    assert soundfile.info(path).frames == samples


def test_names_that_are_not_utf_8_do_no_harm(tmp_path):
    """Python reads such file names as halves of surrogate pairs."""
    path = written(tmp_path, sound(10), tags={"title": "run \udcff"})
    assert read_tags(path) == {"title": "run ?"}


def test_libsndfile_reads_the_tags_of_every_format(tmp_path):
    """In every script; libsndfile adds its version to the software of FLAC and OGG."""
    for format in AUDIO_FORMATS:
        path = written(tmp_path, sound(RATE), format, tags=TEXTS | {"software": "Epochord 1"})
        with soundfile.SoundFile(path) as file:
            assert {name: getattr(file, name) for name in TEXTS} == TEXTS
            assert file.software.startswith("Epochord 1")


def test_mp3_tags_are_unicode(tmp_path):
    """The first frame follows the tag at once."""
    path = written(tmp_path, sound(RATE), "mp3", tags=TEXTS | {"software": "x" * 300})
    frames, length = id3_frames(path.read_bytes())
    assert frames == {
        "TIT2": TEXTS["title"],
        "TPE1": TEXTS["artist"],
        "TALB": TEXTS["album"],
        "TSSE": "x" * 300,
        "COMM": TEXTS["comment"],
    }
    assert path.read_bytes()[length : length + 1] == b"\xff"


def test_ogg_pages_are_sound(tmp_path):
    """Numbered from 0, of one stream that is always called the same, with right checksums."""
    pages = ogg_pages(written(tmp_path, sound(20 * RATE), "ogg").read_bytes())
    assert [number for _, number, *_ in pages] == list(range(len(pages)))
    assert len(pages) > 5
    assert {serial for serial, *_ in pages} == {int.from_bytes(b"Ears", "little")}
    assert [crc for *_, crc, _ in pages] == [computed for *_, computed in pages]


@pytest.mark.parametrize("format", AUDIO_FORMATS)
@settings(deadline=None, max_examples=15)
@given(ends=st.lists(st.integers(0, 40_001), max_size=6), channels=st.integers(1, 2))
def test_the_file_does_not_depend_on_the_blocks(tmp_path_factory, format, ends, channels):
    """However a sound is cut, empty blocks included, the bytes are equal."""
    original = sound(40_001, channels)
    folder = tmp_path_factory.getbasetemp()
    whole = written(folder, original, format).read_bytes()
    blocks = np.split(original, sorted(ends))
    assert written(folder, original, format, blocks=blocks).read_bytes() == whole
    if channels == 1:
        flat = (block[:, 0] for block in blocks)
        assert written(folder, original, format, blocks=flat).read_bytes() == whole


def test_equal_sounds_give_equal_bytes_at_any_time(tmp_path):
    """No format holds a date or a random number, and tags have an order of their own."""
    original = sound(20_000, 2)
    turned = dict(reversed(TEXTS.items()))
    first = [written(tmp_path, original, f, tags=TEXTS).read_bytes() for f in AUDIO_FORMATS]
    time.sleep(1.1)  # the clock that libsndfile asks counts seconds
    again = [written(tmp_path, original, f, tags=turned).read_bytes() for f in AUDIO_FORMATS]
    assert first == again


@pytest.mark.parametrize("format", AUDIO_FORMATS)
def test_memory_does_not_grow_with_the_sound(tmp_path, format):
    """Ten minutes are written in a small part of their size."""
    second = sound(RATE, 2)
    tracemalloc.start()
    try:
        write_audio(
            tmp_path / "long",
            (second for _ in range(600)),
            samples=600 * RATE,
            sample_rate=RATE,
            channels=2,
            format=format,
        )
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4e6  # 38 MB of float32
    assert soundfile.info(tmp_path / "long").frames == 600 * RATE


@pytest.mark.parametrize("format", [*WAV, "ogg"])
def test_no_sound_is_a_sound_too(tmp_path, format):
    """A file without samples is whole."""
    path = written(tmp_path, np.empty((0, 2), np.float32), format, tags={"title": "nothing"})
    read, rate = soundfile.read(path)
    assert (read.shape, rate) == ((0, 2), RATE)


@pytest.mark.parametrize(
    ("about", "message"),
    [
        ({"format": "aiff"}, "'aiff'; expected one of wav16, wav24"),
        ({"format": "flac", "samples": 0}, "0 samples; flac needs at least 1"),
        ({"format": "mp3", "samples": 0}, "0 samples; mp3 needs at least 1"),
        ({"samples": -1}, "-1 samples; wav16 needs at least 0"),
        ({"format": "mp3", "channels": 3}, "3 channels; mp3 holds 1 to 2"),
        ({"channels": 0}, "0 channels"),
        ({"format": "mp3", "sample_rate": 96_000}, "96000 Hz; mp3 can have 8000, .* 48000"),
        ({"format": "ogg", "sample_rate": 300_000}, "300000 Hz; ogg can have 1 to 200000"),
        ({"sample_rate": 0}, "0 Hz"),
        ({"cues": [Cue(90, "a", 11)]}, "cue 'a' ends at sample 101; the sound has 100"),
        ({"format": "ogg", "cues": [Cue(101, "a")]}, "cue 'a' ends at sample 101"),
        ({"tags": {"mood": "x"}}, "tag 'mood' is not known; expected title"),
        ({"samples": 2**31}, "13.5 h of sound exceed the 4 GiB of a WAV file; .* flac"),
        ({"samples": 2**31 - 23, "tags": {"title": "x"}}, "exceed the 4 GiB"),
    ],
)
def test_what_a_format_cannot_hold_is_refused(tmp_path, about, message):
    """Before the file is opened or any sound is made."""

    def blocks():
        raise AssertionError("asked for sound")
        yield

    given = {"samples": 100, "sample_rate": 44_100} | about
    with pytest.raises(ValueError, match=message):
        write_audio(tmp_path / "a", blocks(), **given)
    assert not list(tmp_path.iterdir())


def test_the_longest_wav_fits_exactly():
    """44 bytes of header leave 2**32 + 8 - 1 - 44 for the samples."""
    longest = (2**32 + 7 - 44) // 2
    require_room(longest, RATE)
    with pytest.raises(ValueError, match="exceed"):
        require_room(longest + 1, RATE)
    require_room(longest + 1, RATE, format="flac")


@pytest.mark.parametrize(
    ("blocks", "message"),
    [
        ([np.zeros((60, 2)), np.zeros((39, 2))], "99 samples came; expected 100"),
        ([np.zeros((60, 2)), np.zeros((41, 2))], "101 samples or more came; expected 100"),
        ([np.zeros(100)], r"shape \(100,\); expected \(n, 2\)"),
        ([np.zeros((100, 1))], r"shape \(100, 1\); expected \(n, 2\)"),
        ([np.zeros((60, 2)), np.full((40, 2), np.nan)], "sample 60 is nan"),
        ([np.zeros((99, 2)), np.array([[0, -np.inf]])], "sample 99 is -inf"),
    ],
)
@pytest.mark.parametrize("format", AUDIO_FORMATS)
def test_blocks_that_are_not_the_sound_are_refused(tmp_path, format, blocks, message):
    """A file never says less or more than its header."""
    with pytest.raises(ValueError, match=message):
        write_audio(
            *(tmp_path / "a", blocks), samples=100, sample_rate=RATE, channels=2, format=format
        )


@pytest.mark.parametrize(("name", "value"), [("sample", -1), ("length", -5)])
def test_cues_lie_in_the_sound(name, value):
    """Nothing is named before the beginning."""
    with pytest.raises(ValueError, match=f"{name} of cue 'x' is {value}; expected 0 or more"):
        Cue(**{"sample": 0, "label": "x", name: value})


@pytest.mark.parametrize("format", AUDIO_FORMATS)
def test_what_makes_the_sound_may_fail(tmp_path, format):
    """Its own error comes through."""

    def blocks():
        yield sound(20_000)
        raise RuntimeError("no more")

    with pytest.raises(RuntimeError, match="no more"):
        write_audio(tmp_path / "a", blocks(), samples=100_000, sample_rate=RATE, format=format)


@pytest.mark.skipif(not FULL.exists(), reason="a full device is found on Linux only")
@pytest.mark.parametrize("samples", [100, 300_000])
@pytest.mark.parametrize("format", AUDIO_FORMATS)
def test_a_full_disk_is_told_as_such(capfd, format, samples):
    """With the system's own reason, when it shows at once and when it shows at the end."""
    with pytest.raises(OSError, match="No space left on device"):
        write_audio(FULL, [sound(samples)], samples=samples, sample_rate=RATE, format=format)
    assert capfd.readouterr() == ("", "")


@pytest.mark.skipif(not FULL.exists(), reason="a full device is found on Linux only")
@pytest.mark.parametrize("format", AUDIO_FORMATS)
def test_a_full_disk_ends_the_work(format):
    """No hours of sound are made for it."""
    seconds = iter([sound(RATE)] * 3600)
    with pytest.raises(OSError, match="No space left on device"):
        write_audio(FULL, seconds, samples=3600 * RATE, sample_rate=RATE, format=format)
    assert len(list(seconds)) > 3500


@pytest.mark.parametrize("format", AUDIO_FORMATS)
def test_a_missing_folder_is_told_as_such(tmp_path, format):
    """By the system's own error."""
    with pytest.raises(FileNotFoundError):
        write_audio(
            *(tmp_path / "no" / "a", [sound(9)]), samples=9, sample_rate=RATE, format=format
        )
