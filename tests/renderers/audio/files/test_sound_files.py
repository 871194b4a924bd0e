"""Sound files in blocks: no sample lost, whatever the format."""

import numpy as np
import pytest
import soundfile

from epochord.renderers.audio.files.sound_files import sound_blocks


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize(
    ("format", "subtype", "rate"),
    [
        ("WAV", "PCM_16", 44_100),
        ("WAV", "FLOAT", 44_100),
        ("FLAC", "PCM_24", 44_100),
        ("OGG", "VORBIS", 44_100),
        ("OGG", "OPUS", 48_000),
        ("MP3", "MPEG_LAYER_III", 44_100),
        ("MP3", "MPEG_LAYER_III", 22_050),
        ("AIFF", "PCM_16", 44_100),
    ],
)
def test_blocks_are_the_sound_as_read_at_once(tmp_path, format, subtype, rate, channels) -> None:
    """Of every format that can be written here; MP3 files are read without a seek."""
    time = np.arange(5 * rate) / rate
    sound = 0.3 * np.sin(2 * np.pi * 440 * time) + np.random.default_rng(0).normal(
        0, 0.01, 5 * rate
    )
    path = tmp_path / "sound"
    both = np.stack([sound, -sound / 2], axis=1)[:, :channels]
    soundfile.write(path, both, rate, format=format, subtype=subtype)
    whole, _ = soundfile.read(path, dtype="float32", always_2d=True)
    blocks = list(sound_blocks(path, 10_000))
    np.testing.assert_allclose(np.concatenate(blocks), whole, atol=2e-7)
    assert {len(block) for block in blocks[:-1]} == {10_000}
    assert len(np.concatenate(list(sound_blocks(path)))) == len(whole)
