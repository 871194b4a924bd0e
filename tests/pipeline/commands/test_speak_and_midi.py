"""`render audio --speak` and `--midi`: refused in a line before anything is made, or made whole."""

import json
import sys
from pathlib import Path

import mido
import pytest

NORMS = {
    f"grad_norm/l{n}.weight": [1.0 + 0.01 * (n + step) for step in range(60)] for n in range(4)
}


@pytest.fixture
def run(write_run, tmp_path):
    norms = {tag: list(row) for tag, row in NORMS.items()}
    norms["grad_norm/l1.weight"][30] *= 50
    return write_run(tmp_path / "runs" / "one", norms)


@pytest.mark.usefixtures("run")
def test_what_happens_is_said(epochord, speaks):
    """By the program there is."""
    heard = speaks()
    code, (path,), err = epochord("render", "audio", "one", "--speak")
    assert code == 0, err
    assert "l 1 spikes" in heard.read_text()
    about = json.loads(Path(path).with_name("audio.json").read_text())
    assert about["settings"]["speak"] is True
    assert "up to date" in epochord("render", "audio", "one", "--speak")[2]
    Path("m.toml").write_text("speak = true\n")
    assert "up to date" in epochord("render", "audio", "one", "--mapping", "m.toml")[2]


@pytest.mark.usefixtures("run")
@pytest.mark.parametrize("how", ["fails", "writes nothing", "writes text", "is silent"])
def test_a_program_that_fails_leaves_what_was_there(epochord, speaks, how):
    """One line, exit code 1, nothing is written."""
    speaks(how)
    code, out, err = epochord("render", "audio", "one", "--speak")
    assert (code, out) == (1, [])
    assert [line for line in err.splitlines() if "error" in line] == err.splitlines()
    assert err.count("espeak-ng: ") == err.count("\n") == 1
    assert not Path("renders").exists()


@pytest.mark.usefixtures("run", "mute")
def test_without_a_program_one_line_says_what_to_install(epochord, write_run):
    """Once for all runs, before anything is written."""
    write_run(Path("runs", "two"), NORMS)
    code, out, err = epochord("render", "audio", "--speak")
    assert (code, out) == (1, [])
    assert err.count("\n") == 1
    assert "--speak needs espeak-ng, which is not installed: " in err
    assert not Path("renders").exists()


@pytest.mark.usefixtures("run")
@pytest.mark.parametrize("voicing", ["lanes", "sequence", "original"])
def test_a_voicing_that_calls_nothing_says_nothing(epochord, voicing):
    """It is refused as an option that could not act."""
    code, out, err = epochord("render", "audio", "one", "--speak", "--voicing", voicing)
    assert (code, out) == (2, [])
    assert err.count("\n") == 1
    assert f"speak is true and the voicing is {voicing}" in err
    assert not Path("renders").exists()


@pytest.mark.usefixtures("run")
@pytest.mark.parametrize(
    ("out", "expected"),
    [
        ((), "renders/one/audio.mid"),
        (("-o", "x.flac"), "x.mid"),
        (("-o", "there"), "there/one/audio.mid"),
    ],
)
def test_the_score_goes_beside_the_sound(epochord, out, expected):
    """As audio.mid, or with the stem of what was named; its path is said, too."""
    code, (path, midi), err = epochord("render", "audio", "one", "--midi", *out)
    assert code == 0, err
    assert midi == expected
    about = json.loads(Path(path).with_suffix(".json").read_text())
    assert about["files"][Path(midi).name] == Path(midi).stat().st_size
    assert mido.MidiFile(midi).length == pytest.approx(about["duration"], abs=0.01)
    *_, said = epochord("render", "audio", "one", "--midi", "--json", *out)[1]
    assert json.loads(said)["midi"] == midi


@pytest.mark.usefixtures("run")
def test_it_is_made_where_it_is_asked_for_and_missing(epochord):
    """Asked for later, or lost since; what is there is not made twice, nor taken away."""
    assert len(epochord("render", "audio", "one")[1]) == 1
    midi = Path("renders/one/audio.mid")
    assert not midi.exists()
    assert "up to date" not in epochord("render", "audio", "one", "--midi")[2]
    made = midi.read_bytes()
    assert "up to date" in epochord("render", "audio", "one", "--midi")[2]
    assert "up to date" in epochord("render", "audio", "one")[2]
    midi.unlink()
    assert "up to date" not in epochord("render", "audio", "one", "--midi")[2]
    assert midi.read_bytes() == made


@pytest.mark.usefixtures("run")
def test_no_file_of_an_earlier_score_stays(epochord):
    """What is ours goes with its sound; what is somebody else's is not touched."""
    epochord("render", "audio", "one", "--midi")
    epochord("render", "audio", "one", "--duration", "5")
    assert not Path("renders/one/audio.mid").exists()
    Path("x.mid").write_bytes(b"a song")
    assert epochord("render", "audio", "one", "-o", "x.wav")[0] == 0
    assert Path("x.mid").read_bytes() == b"a song"
    code, _, err = epochord("render", "audio", "one", "--midi", "-o", "x.wav")
    assert code == 1
    assert "x.mid: would be replaced by what goes beside x.wav" in err
    assert Path("x.mid").read_bytes() == b"a song"


@pytest.mark.usefixtures("run")
def test_without_mido_one_line_says_what_to_install(epochord, monkeypatch):
    """Before anything is written."""
    monkeypatch.setitem(sys.modules, "mido", None)
    code, out, err = epochord("render", "audio", "one", "--midi")
    assert (code, out) == (1, [])
    assert err.count("\n") == 1
    assert "MIDI needs mido, which is not installed: pip install " in err
    assert not Path("renders").exists()
