"""Sounds are read back by their own description only."""

import numpy as np
import pytest

from epochord.renderers.audio import AudioSettings, render_audio
from epochord.renderers.audio.readback import read_back
from epochord.runlog import LogError


def test_a_sound_of_earlier_settings_is_not_read_by_the_newer_ones(make_run, tmp_path):
    """Its description is gone; reading it by another one would give wrong numbers."""
    run = make_run({"a.weight": np.geomspace(1, 50, 40)})
    render_audio(run, tmp_path, AudioSettings("lanes", format="flac"))
    render_audio(run, tmp_path, AudioSettings("lanes", range=(0.1, 100.0)))
    assert read_back(tmp_path / "audio.wav")
    with pytest.raises(LogError, match=r"audio\.flac: was made by an earlier call.*audio\.wav"):
        read_back(tmp_path / "audio.flac")
