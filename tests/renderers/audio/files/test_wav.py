"""WAV files are what their header says, and equal for equal samples."""

import struct

import numpy as np
import pytest
import scipy.io.wavfile
import soundfile

from epochord.renderers.audio.files.wav import ENCODINGS, MAX_FILE_BYTES, wav_bytes, write_wav

FLOAT = ENCODINGS["FLOAT"]


def chunks(data: bytes) -> dict[bytes, bytes]:
    """Read a RIFF file's chunks, independently of every library."""
    riff, size, wave = struct.unpack("<4sI4s", data[:12])
    assert (riff, size, wave) == (b"RIFF", len(data) - 8, b"WAVE")
    found, place = {}, 12
    while place < len(data):
        name, length = struct.unpack("<4sI", data[place : place + 8])
        found[name] = data[place + 8 : place + 8 + length]
        place += 8 + length + length % 2
    return found


def test_the_format_tag_is_ieee_float(tmp_path):
    """The original wrote float samples under the integer tag, and played noise."""
    samples = np.linspace(-1, 1, 1000, dtype=np.float32)
    path = tmp_path / "a.wav"
    write_wav(
        path, [samples[:300], samples[300:]], samples=1000, sample_rate=44_100, encoding=FLOAT
    )
    found = chunks(path.read_bytes())
    tag, channels, rate, per_second, block, bits = struct.unpack("<HHIIHH", found[b"fmt "][:16])
    assert (tag, channels, rate, per_second, block, bits) == (3, 1, 44_100, 176_400, 4, 32)
    assert struct.unpack("<I", found[b"fact"]) == (1000,)
    assert found[b"data"] == samples.tobytes()


@pytest.mark.parametrize("channels", [1, 2])
def test_two_libraries_read_the_samples_back(tmp_path, channels):
    """Both libsndfile and scipy agree with what was written."""
    samples = np.random.default_rng(0).normal(size=(500, channels)).astype(np.float32)
    path = tmp_path / "a.wav"
    write_wav(path, [samples], samples=500, sample_rate=8000, channels=channels, encoding=FLOAT)
    read, rate = soundfile.read(path, dtype="float32", always_2d=True)
    assert rate == 8000
    np.testing.assert_array_equal(read, samples)
    assert soundfile.info(path).subtype == "FLOAT"
    rate, read = scipy.io.wavfile.read(path)
    np.testing.assert_array_equal(read.reshape(samples.shape), samples)


def test_the_longest_sound_still_fits_the_header(tmp_path):
    """Sizes in a WAV header are 32 bits wide."""
    path = tmp_path / "a.wav"
    longest = (MAX_FILE_BYTES - wav_bytes(0, 1, FLOAT)) // 4
    write_wav(path, [], samples=longest, sample_rate=44_100, encoding=FLOAT)
    assert struct.unpack("<I", path.read_bytes()[40 + 14 :])[0] == longest * 4
    with pytest.raises(struct.error):
        write_wav(path, [], samples=longest + 1, sample_rate=44_100, encoding=FLOAT)
