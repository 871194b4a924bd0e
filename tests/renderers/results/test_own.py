"""Beside a file that was named, nothing of anybody else's is replaced."""

import json

import pytest

from epochord.renderers.audio import render_audio
from epochord.renderers.results.destination import Destination
from epochord.renderers.results.own import require_own
from epochord.runlog import OutputError, open_run


@pytest.mark.parametrize("name", ["cfg.json", "cfg.score.parquet"])
def test_a_file_of_the_users_beside_the_named_one_stays(write_run, tmp_path, name):
    """And no sound is written either."""
    run = open_run(write_run(tmp_path / "run", {"loss": [3.0, 2.0, 1.0]}))
    (tmp_path / name).write_text('{"lr": 0.1}')
    with pytest.raises(OutputError, match=rf"{name}: would be replaced by .* beside cfg.wav, and"):
        render_audio(run, tmp_path / "cfg.wav")
    assert (tmp_path / name).read_text() == '{"lr": 0.1}'
    assert {path.name for path in tmp_path.iterdir()} == {"run", name}


def test_our_own_results_are_replaced(write_run, tmp_path):
    """With other settings, and in another format."""
    run = open_run(write_run(tmp_path / "run", {"loss": [3.0, 2.0, 1.0]}))
    for out, pace in (("cfg.wav", 1), ("cfg.wav", 2), ("cfg.flac", 2)):
        assert render_audio(run, tmp_path / out, duration=pace).made


@pytest.mark.parametrize("about", ["[]", "{", '{"files": {}}', '{"schema_version": 1}'])
def test_other_json_is_not_ours(tmp_path, about):
    """Ours says its version, and what it describes."""
    (tmp_path / "a.json").write_text(about)
    with pytest.raises(OutputError, match=r"a\.json: would be replaced"):
        require_own(Destination(tmp_path, "a", ".png"), [])
    require_own(Destination(tmp_path, "a"), [])  # a folder


def test_what_a_description_of_ours_names_is_ours(tmp_path):
    """And what it does not is not; the file that was named is meant."""
    described = {"schema_version": 2, "files": {"a.svg": 3}}
    (tmp_path / "a.json").write_text(json.dumps(described))
    for name in ("a.png", "a.svg", "a.txt"):
        (tmp_path / name).touch()
    require_own(Destination(tmp_path, "a", ".png"), [".png", ".svg"])
    with pytest.raises(OutputError, match=r"a\.txt: would be replaced"):
        require_own(Destination(tmp_path, "a", ".png"), [".txt"])
