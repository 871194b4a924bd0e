"""Voicings of others: registered or installed, checked, and never taken for what they were."""

import sys
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from epochord.renderers.audio import AudioSettings, render_audio, sound
from epochord.renderers.audio.scoring import Event, Glide, Kind, Tones
from epochord.renderers.audio.scoring.voicings import (
    SHIPPED,
    VoicingError,
    explain,
    identity,
    lanes,
    register_voicing,
    registry,
    voiced,
    voicing_names,
)
from epochord.renderers.audio.scoring.voicings.code import code_hash


@pytest.fixture(autouse=True)
def _forgetting(monkeypatch):
    """Let what a test registers end with it."""
    monkeypatch.setattr(registry, "_registered", {})


@pytest.fixture
def run(make_run):
    return make_run({"a.weight": np.geomspace(1, 50, 40), "b.weight": np.ones(40)})


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Put a package with an entry point for voicings where Python finds packages."""

    def put(name: str, code: str, package: str = "their_voicings") -> None:
        sys.modules.pop(package, None)
        about = tmp_path / f"{package}-1.0.dist-info"
        about.mkdir()
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        (about / "entry_points.txt").write_text(f"[epochord.voicings]\n{name} = {package}:it\n")
        (tmp_path / f"{package}.py").write_text(code)
        monkeypatch.syspath_prepend(tmp_path)

    return put


def low_lanes(frames, style):
    """Lanes, an octave lower."""
    score = lanes(frames, style)
    return replace(score, pitch=score.pitch / 2, registers=score.registers / 2)


def test_a_registered_voicing_is_heard_as_its_function_scores(run):
    """By its name, like any that comes with Epochord, and levelled like them."""
    register_voicing("low", low_lanes)
    low, high = sound(run, voicing="low"), sound(run, voicing="lanes")
    np.testing.assert_array_equal(low.score.pitch, high.score.pitch / 2)
    assert low.score.voicing == "low"
    assert low.level.lufs == pytest.approx(high.level.lufs, abs=1e-9)
    assert voicing_names() == (*SHIPPED, "low")
    assert explain("low") == "Lanes, an octave lower."


def test_an_installed_voicing_is_found_by_its_name_and_loaded_only_then(run, install, capsys):
    """Neither for one that comes with Epochord nor to list the names."""
    install(
        "theirs",
        "print('loaded')\nfrom epochord.renderers.audio.scoring.voicings import lanes as it\n",
    )
    sound(run)
    assert voicing_names() == (*SHIPPED, "theirs")
    assert capsys.readouterr().out == ""
    np.testing.assert_array_equal(
        sound(run, voicing="theirs").samples, sound(run, voicing="lanes").samples
    )
    assert capsys.readouterr().out == "loaded\n"


def test_a_broken_package_costs_one_line(run, install):
    """Which names it; the other voicings are as they were."""
    install("theirs", "import not_there_at_all\n")
    message = (
        "voicing 'theirs' of the package their_voicings cannot be loaded "
        "(ModuleNotFoundError: No module named 'not_there_at_all')"
    )
    with pytest.raises(VoicingError) as caught:
        sound(run, voicing="theirs")
    assert str(caught.value) == explain("theirs") == message
    assert len(sound(run)) > 0


@pytest.mark.parametrize("name", ["lanes", "mine", "theirs"])
def test_a_name_that_is_taken_is_refused(install, name):
    """By one that comes with Epochord, that was registered, or that is installed."""
    install("theirs", "it = None\n")
    register_voicing("mine", low_lanes)
    with pytest.raises(ValueError, match=f"voicing '{name}' is taken"):
        register_voicing(name, lanes)


def test_a_cell_of_a_notebook_can_run_again():
    """The new version of the same function takes the place of the old one."""
    for octave in (1, 2):
        space = {"low_lanes": low_lanes, "replace": replace}
        exec(f"def again(f, s):\n    return replace(low_lanes(f, s), channels={octave})", space)
        register_voicing("again", space["again"])
    assert registry._registered["again"] is space["again"]


@pytest.mark.parametrize("name", ["", "a b", "../x", "-x", "é"])
def test_what_is_no_name_is_refused(name):
    """It has to stand on a command line."""
    with pytest.raises(ValueError, match="expected letters, digits"):
        register_voicing(name, low_lanes)


def test_what_is_no_function_is_refused():
    """At once, not when it is to sound."""
    with pytest.raises(ValueError, match=r"5 is no function \(frames, style\) -> Score"):
        register_voicing("five", 5)


def change(field, value):
    """Return a voicing that breaks the contract in one field."""

    def broken(frames, style):
        score = lanes(frames, style)
        changed = value(getattr(score, field)) if callable(value) else value
        return replace(score, **{field: changed})

    return broken


def at(place, value):
    """Return a copy of an array with another value at a place."""

    def changed(array):
        array = array.copy()
        array[place] = value
        return array

    return changed


EVENT = Event(0, Kind.NAN, 0, 100, 0.1)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("frames", lambda f: replace(f, names=("x", "y")), "other frames than it was given"),
        ("sample_rate", 400_000, "sample_rate is 400000; expected a whole number from 8000 to"),
        ("sample_rate", 44_100.0, "sample_rate is 44100.0; expected a whole number"),
        ("channels", 3, "channels is 3; expected a whole number from 1 to 2"),
        ("channels", 1, "channels is 1 with Glide; expected 2, or Tones"),
        ("frame_length", 0, "frame_length is 0"),
        ("articulation", None, "articulation is NoneType; expected Tones or Glide"),
        ("articulation", Glide(10**6), "the length of its Glide is 1000000"),
        ("articulation", Tones(9, (0,)), "its Tones have 1 onsets; expected 2, one a voice"),
        ("articulation", Tones(9, (0, 10**6)), "an onset of its Tones is 1000000; .* 0 to "),
        ("articulation", Tones(9, (0, 9), ramp=5), "the ramp of its Tones is 5; .* 0 to 4"),
        ("pitch", [[1.0]], "pitch is list; expected an array of floating-point numbers"),
        ("pitch", lambda p: p.astype(int), "pitch is an array of int64"),
        ("pitch", lambda p: p.T, r"pitch has the shape \(40, 2\); expected \(2, 40\)"),
        ("pitch", at((0, 3), np.nan), "pitch has nan; expected 0 to 22050"),
        ("pitch", at((0, 3), -440.0), "pitch has -440.0; expected 0 to 22050"),
        ("frames", None, "frames is None; expected the Frames that it was given"),
        ("pitch", at((1, 0), 30_000.0), "pitch has 30000.0"),
        ("gain", at((0, 0), 1.5), "gain has 1.5; expected 0 to 1"),
        ("gain", at((0, 0), -0.5), "gain has -0.5"),
        ("pan", np.zeros(3, np.float32), r"pan has the shape \(3,\); expected \(2,\) or \(2, 40\)"),
        ("pan", np.float32([-2, 0]), "pan has -2.0; expected -1 to 1"),
        ("state", at((0, 0), 9), "state has 9; expected 0 to 6"),
        ("brightness", np.full((2, 40), 2.0), "brightness has 2.0"),
        ("registers", np.float64([[200, 100], [1, 2]]), "registers end below where they begin"),
        ("registers", np.zeros((2, 2)), "registers has 0.0"),
        ("phase", np.zeros(3), r"phase has the shape \(3,\)"),
        ("partials", (), r"partials has the shape \(0,\); expected \(1,\)"),
        ("events", (EVENT, 5), "events hold int; expected Event"),
        ("events", (replace(EVENT, sample=10**9),), "the sample of an event is 1000000000"),
        ("events", (replace(EVENT, sample=5), EVENT), "the sample of an event is 0; .* from 5 to"),
        ("events", (replace(EVENT, voice=2),), "the voice of an event is 2"),
        ("events", (replace(EVENT, length=0),), "the length of an event is 0"),
        ("events", (replace(EVENT, level=np.nan),), "the level of an event is nan"),
    ],
)
def test_a_score_that_breaks_the_contract_is_refused(run, field, value, message):
    """In one line that names the voicing, what it is, and what was expected."""
    register_voicing("broken", change(field, value))
    with pytest.raises(VoicingError, match=f"^voicing 'broken': .*{message}") as caught:
        sound(run, voicing="broken")
    assert "\n" not in str(caught.value)
    assert "help(epochord.register_voicing)" in str(caught.value)


@pytest.mark.parametrize("kind", [len, dict, lambda *_: None])
def test_a_voicing_that_fails_is_named(run, kind):
    """Whatever it raises or returns."""
    register_voicing("broken", kind)
    with pytest.raises(VoicingError, match="voicing 'broken'"):
        sound(run, voicing="broken")


def test_a_name_is_a_text():
    """Anything else is refused as a name that is no such one."""
    with pytest.raises(ValueError, match="voicing 3: expected letters, digits"):
        register_voicing(3, low_lanes)


@pytest.mark.parametrize("name", SHIPPED)
def test_those_that_come_with_epochord_keep_the_contract(run, name):
    """So it is no more than what they do; the score is passed on as it is."""
    score = sound(run, voicing=name).score
    register_voicing("same", lambda *_: score)
    passed_on = voiced("same", score.frames, None)
    assert passed_on.voicing == "same"
    assert passed_on.pitch is score.pitch


def cell(code: str):
    """Run code as a notebook does, and return the voicing `it` that it defines."""
    space = {"lanes": lanes, "replace": replace, "__name__": "__main__"}
    exec(code, space)
    return space["it"]


FIRST = "def it(f, s, p=0.5):\n    return replace(lanes(f, s), partials=(1.0, p))"
VERSIONS = {
    "another constant": FIRST.replace("1.0", "0.9"),
    "another name": FIRST.replace("lanes(", "low_lanes("),
    "another default": FIRST.replace("0.5", "0.25"),
    "another operation": FIRST.replace("p))", "-p))"),
    "an inner function": FIRST.replace("p))", "(lambda x: x)(p)))"),
    "a set of constants": FIRST.replace("p))", "p if p in {1, 2} else p))"),
}
CLOSED_OVER = "def make(x):\n    def it(f, s):\n        return x\n    return it\nit = make({})"


@pytest.mark.parametrize("code", VERSIONS.values(), ids=VERSIONS)
def test_another_version_of_a_voicing_is_another_voicing(code):
    """Under the same name; the same code, compiled again, is the same one."""
    assert code != FIRST
    assert code_hash(cell(code)) == code_hash(cell(code))
    assert code_hash(cell(code)) != code_hash(cell(FIRST))
    assert code_hash(cell(CLOSED_OVER.format(1))) != code_hash(cell(CLOSED_OVER.format(2)))


def test_a_sound_of_an_earlier_version_of_a_voicing_is_made_anew(run, tmp_path):
    """The settings and the log are the same, the function is not."""
    for code, made in ((FIRST, True), (FIRST, False), (VERSIONS["another default"], True)):
        register_voicing("mine", cell(code))
        result = render_audio(run, tmp_path, voicing="mine")
        assert result.made is made
    assert result.description["settings"]["voicing_code"] == identity("mine")


def test_a_changed_file_is_a_changed_voicing(install, tmp_path):
    """It may hold other functions that the voicing calls."""
    code = "from epochord.renderers.audio.scoring.voicings import lanes\n"
    code += "def it(frames, style):\n    return lanes(frames, style)\n"
    install("theirs", code, "filed_voicings")
    before = identity("theirs")
    path = tmp_path / "filed_voicings.py"
    path.write_text(code + "def more():\n    return 1\n")
    assert before.startswith("filed_voicings.it ")
    assert identity("theirs") != before
    path.write_text(code)
    assert identity("theirs") == before


@pytest.mark.parametrize("name", SHIPPED)
def test_the_version_of_a_shipped_voicing_is_epochords_own(name):
    """Its results stay up to date when nothing but other voicings change."""
    assert "voicing_code" not in AudioSettings(voicing=name).to_dict()


def test_what_a_voicing_is_bound_to_is_part_of_what_it_is():
    """A partial, an object, or a global that it names, with another value makes a new sound."""

    def voicing(frames, style, partials):
        return replace(lanes(frames, style), partials=partials)

    class Rich:
        def __init__(self, partials):
            self.partials = partials

        def __call__(self, frames, style):
            return voicing(frames, style, self.partials)

    makers = (lambda value: partial(voicing, partials=value), Rich, _naming)
    for make in makers:
        one, same, other = (code_hash(make(value)) for value in ((1.0,), (1.0,), (1.0, 0.9)))
        assert one == same != other


def _naming(value):
    names = {"PARTIALS": value}
    exec("def voicing(frames, style): return PARTIALS", names)  # as a notebook's cell would
    return names["voicing"]
