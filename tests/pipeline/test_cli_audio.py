"""The command line of the sound: pace, scale, mapping, formats, and the way back."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

STEPS = np.arange(40)


@pytest.fixture
def runs(write_run, tmp_path, monkeypatch):
    """Two runs of two layers, one of them a hundred times the other."""
    monkeypatch.chdir(tmp_path)
    for name, factor in (("small", 1.0), ("large", 100.0)):
        norms = {
            f"grad_norm/{layer}.weight": (factor * 2 ** np.sin(STEPS / speed)).tolist()
            for layer, speed in (("a", 3), ("b", 7))
        }
        write_run(Path("runs", name), norms)


def about(path: str) -> dict:
    return json.loads(Path(path).with_name("audio.json").read_text())


@pytest.mark.usefixtures("runs")
def test_the_sound_can_be_read_back(epochord):
    """From the sound and the layout alone, to a small part of a per cent."""
    assert epochord("render", "audio", "small", "--voicing", "lanes")[0] == 0
    code, out, _ = epochord("decode", "renders/small/audio.wav", "--json")
    assert code == 0
    for row in map(json.loads, out):
        assert row["frames"] == 40
        assert row["missed"] == 0
        assert row["p95_percent"] < 0.01
    code, out, _ = epochord("decode", "renders/small/audio.wav")
    assert out[0].split()[:2] == ["voice", "frames"]
    assert len(out) == 3


@pytest.mark.usefixtures("runs")
def test_polarity_and_legend_do_not_hinder_reading_back(epochord):
    """The description says what the decoder has to know."""
    lanes = ("--voicing", "lanes", "--polarity", "-", "--legend", "--format", "flac")
    epochord("render", "audio", "small", *lanes)
    _, out, _ = epochord("decode", "renders/small/audio.flac", "--json")
    assert all(json.loads(line)["p95_percent"] < 0.01 for line in out)


@pytest.mark.usefixtures("runs")
def test_what_cannot_be_read_back_is_refused_with_the_reason(epochord, tmp_path):
    """Another voicing, a file without its description, none at all."""
    epochord("render", "audio", "small", "--voicing", "original")
    code, _, err = epochord("decode", "renders/small/audio.wav")
    assert code == 1
    assert "the voicing is 'original'; only lanes can be read back" in err
    epochord("render", "audio", "small", "--voicing", "lanes", "--timbre", "warm")
    code, _, err = epochord("decode", "renders/small/audio.wav")
    assert code == 1
    assert "the timbre is 'warm'" in err
    assert "--timbre sine" in err
    (tmp_path / "lonely.wav").write_bytes(Path("renders/small/audio.wav").read_bytes())
    for name, message in (
        ("lonely.wav", "lonely.wav: cannot be read back without lonely.json beside it; expected"),
        ("nothing.wav", "nothing.wav: no such file; expected a sound that 'epochord render audio'"),
        ("renders/small", "renders/small: is a folder; expected a sound that"),
    ):
        code, _, err = epochord("decode", name)
        assert code == 1
        assert message in err
        assert err.count("\n") == 1
    assert epochord("decode", "lonely.wav", "--method", "guess")[0] == 2


@pytest.mark.usefixtures("runs")
def test_runs_of_one_command_share_a_scale_and_it_can_be_used_again(epochord):
    """So they can be compared by ear, now and later."""
    _, out, _ = epochord("render", "audio")
    scales = [about(path)["scale"] for path in out]
    assert scales[0] == scales[1]
    assert scales[0]["gradient norm"]["low"] == pytest.approx(0.5, rel=0.1)
    assert scales[0]["gradient norm"]["high"] == pytest.approx(200, rel=0.1)
    _, (alone,), _ = epochord("render", "audio", "small", "--out", "alone")
    assert about(alone)["scale"] != scales[0]
    _, (again,), _ = epochord(
        "render", "audio", "small", "--out", "again", "--scale-from", "renders/large"
    )
    assert about(again)["scale"] == scales[0]
    assert Path(again).read_bytes() == Path("renders/small/audio.wav").read_bytes()
    code, _, err = epochord("render", "audio", "small", "--scale-from", "nowhere")
    assert code == 1
    assert "no result with a scale" in err


@pytest.mark.usefixtures("runs")
def test_a_changed_shared_scale_renders_all_again(epochord, write_run):
    """A new run that widens the range changes how the others sound."""
    epochord("render", "audio")
    assert "up to date" in epochord("render", "audio")[2]
    norms = {"grad_norm/a.weight": (1e-3 * 2 ** np.sin(STEPS)).tolist()}
    write_run(Path("runs/tiny"), norms)
    assert "up to date" not in epochord("render", "audio")[2]


@pytest.mark.usefixtures("runs")
def test_range_pace_and_format_are_chosen(epochord):
    """Each shows in the file or in its description."""
    _, (path,), _ = epochord(
        "render", "audio", "small", "--range", "0.1:10", "--duration", "3", "--format", "mp3"
    )
    assert path == "renders/small/audio.mp3"
    assert about(path)["scale"]["gradient norm"] == {"low": 0.1, "high": 10.0, "kind": "log"}
    assert soundfile.info(path).duration == pytest.approx(3, abs=0.1)
    _, (path,), _ = epochord("render", "audio", "small", "--steps-per-second", "20")
    assert about(path)["duration"] == pytest.approx(2, rel=0.01)


@pytest.mark.usefixtures("runs")
@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--range", "5"), "--range is '5'; expected LO:HI"),
        (("--range", "5:1"), "range is 5.0:1.0; expected LO:HI with LO < HI"),
        (("--polarity", "x"), "polarity is 'x'; expected one of +, -"),
        (("--timbre", "x"), "timbre is 'x'; expected one of sine, warm"),
        (("--lufs", "3"), "lufs is 3.0 LUFS; expected -70 to 0 LUFS"),
        (("--duration", "0"), "duration is 0.0 s"),
        (("--duration", "1", "--steps-per-second", "1"), "choose one of them"),
        (("--format", "aac"), "format is 'aac'; expected one of wav16"),
    ],
)
def test_wrong_settings_are_wrong_usage(epochord, options, message):
    """One line with what was given and what it may be, and exit code 2."""
    code, _, err = epochord("render", "audio", "small", *options)
    assert code == 2
    assert message in err
    assert err.count("\n") == 1


@pytest.mark.usefixtures("runs")
def test_options_win_over_a_mapping_file_and_that_over_the_voicings_own(epochord):
    """Each level overrides the one below it."""
    Path("m.toml").write_text(
        'timbre = "warm"\nlufs = -30.0\n[[voice]]\npitch = "grad_norm/a.weight"\n'
    )
    _, (path,), _ = epochord("render", "audio", "small", "--mapping", "m.toml", "--lufs", "-20")
    made = about(path)
    assert (made["settings"]["timbre"], made["settings"]["lufs"]) == ("warm", -20.0)
    assert made["voices"] == ["grad_norm/a.weight"]
    assert made["loudness"]["lufs"] == pytest.approx(-20)
    Path("bad.toml").write_text('timbr = "warm"\n')
    code, _, err = epochord("render", "audio", "small", "--mapping", "bad.toml")
    assert code == 1
    assert "bad.toml: 'timbr' is no key of a mapping" in err


def test_the_voicings_are_explained(epochord):
    """In one line each, without any run."""
    code, out, _ = epochord("render", "audio", "--list-voicings")
    assert code == 0
    assert [line.split()[0] for line in out] == ["roll", "lanes", "sequence", "original"]


@pytest.mark.usefixtures("runs")
def test_the_sound_can_be_put_into_a_logdir(epochord):
    """Beside the file, an event file whose path is printed too."""
    code, out, _ = epochord("render", "audio", "small", "--to-tensorboard", "logs")
    assert code == 0
    assert out[0] == "renders/small/audio.wav"
    assert out[1].startswith("logs/small/events.out.tfevents.")
    assert Path(out[1]).is_file()


@pytest.mark.parametrize("name", ["exp.csv", "v1.json", "model.mp3"])
def test_a_run_may_be_called_like_a_file(epochord, write_run, name):
    """Its results lie in a folder of that name all the same."""
    write_run(Path("runs", name), {"grad_norm/a.weight": [1.0, 2.0, 3.0]})
    code, out, _ = epochord("render", "audio")
    assert (code, out) == (0, [f"renders/{name}/audio.wav"])
    assert Path(out[0]).is_file()
