"""Sound files are read block by block without losing anything."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from renderers.sound_files import BLOCK, sound_blocks

FORMATS = {".wav": "PCM_16", ".flac": "PCM_16", ".ogg": "VORBIS", ".mp3": "MPEG_LAYER_III"}


@pytest.mark.parametrize("suffix", FORMATS)
def test_blocks_are_the_whole(tmp_path: Path, suffix: str) -> None:
    """In every format, all blocks together are what is read at once."""
    path = tmp_path / f"sound{suffix}"
    noise = np.random.default_rng(0).normal(0, 0.1, (3 * BLOCK + 123, 2))
    soundfile.write(path, noise, 44_100, subtype=FORMATS[suffix])
    with soundfile.SoundFile(path) as file:
        found = np.concatenate([*sound_blocks(file)])
    expected, _ = soundfile.read(path, dtype="float32")
    np.testing.assert_array_equal(found, expected)
