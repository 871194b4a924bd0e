"""Runs compared: the right step, files that can be relied on, a table for pandas."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from epochord.renderers.audio import AudioSettings
from epochord.renderers.comparison import ComparisonSettings, compare, compare_runs
from epochord.renderers.comparison.listening import FEATURES
from epochord.runlog import LogError, OutputError, Run, RunMetadata, Series

STEPS = 600
LAYERS = ("conv", "fc")


@pytest.fixture
def trained(make_run) -> Callable[..., Run]:
    """Make a run of two layers, with a burst of three steps in one of them."""

    def make(name: str, burst: int | None = None, factor: float = 1.0, steps: int = STEPS) -> Run:
        rng = np.random.default_rng(0)
        norms = {f"{layer}.weight": factor * np.exp(rng.normal(0, 0.1, STEPS)) for layer in LAYERS}
        if burst is not None:
            norms["fc.weight"][burst : burst + 3] *= 20
        return make_run({key: values[:steps] for key, values in norms.items()}, name)

    return make


def _pair(about: dict) -> dict:
    (pair,) = about["pairs"]
    return pair


def test_a_moved_event_is_found_at_its_step(trained, tmp_path) -> None:
    """At step 500 in one (30 s) and step 550 in the other (33 s): in the log and in the sound."""
    runs = [trained("a", 500), trained("b", 550)]
    pair = _pair(compare_runs(runs, tmp_path).description)
    by_tag = {each["tag"]: each for each in pair["series"]}
    fc = by_tag["grad_norm/fc.weight"]
    assert (fc["first"]["step"], fc["apart"], fc["equal"]) == (500, 6, STEPS - 6)
    assert fc["first"]["ratio"] == pytest.approx(1 / 20)
    assert by_tag["grad_norm/conv.weight"]["equal"] == STEPS
    sound = pair["sound"]
    assert sound["first"]["step"] == 500
    assert sound["first"]["time"] == pytest.approx(30, abs=0.03)
    assert sound["span_count"] == 2
    assert sound["spans"][1][0] == pytest.approx(33, abs=0.03)
    assert sound["seconds_above"] == pytest.approx(2 * (3 * 0.06 + 0.046), abs=0.05)
    assert pair["sentences"][0].startswith("a and b part at step 500: grad_norm/fc.weight")


def test_equal_runs_are_said_to_be_identical(trained, tmp_path) -> None:
    """All values, every sample; no difference of any kind."""
    pair = _pair(compare_runs([trained("a", 5), trained("b", 5)], tmp_path).description)
    assert pair["sentences"] == [
        "a and b are identical in all 1,200 values that both have logged",
        "the sounds of a and b are identical, sample for sample",
    ]
    assert pair["sound"]["first"] is None
    assert pair["sound"]["rms_db"] == pair["sound"]["level_db"] == 0
    assert pair["series_rms_decades"] == 0


def test_who_went_wrong_is_named(trained, make_run, tmp_path) -> None:
    """The run that ends in NaN, from which step, where."""
    good = trained("good")
    norms = {layer + ".weight": good[f"grad_norm/{layer}.weight"].values.copy() for layer in LAYERS}
    norms["conv.weight"][31:] = np.nan
    about = compare_runs([good, make_run(norms, "bad")], tmp_path).description
    assert "bad: conv: NaN from step 31 to the end" in about["sentences"]
    first = _pair(about)["series"][0]["first"]
    assert (first["step"], first["b"]) == (31, "nan")
    assert _pair(about)["sound"]["first"]["step"] == 31


def test_what_only_one_run_has_is_said(trained, make_run, tmp_path) -> None:
    """Where one ends, and layers that the other lacks."""
    short = trained("short", steps=400)
    long = trained("long")
    extra = {"extra.weight": np.ones(STEPS)}
    norms = {layer + ".weight": long[f"grad_norm/{layer}.weight"].values for layer in LAYERS}
    about = compare_runs([short, make_run(norms | extra, "long")], tmp_path).description
    assert "short ends at step 399; what follows is not compared" in about["notes"]
    assert "only long has grad_norm/extra.weight" in about["notes"]
    alone = compare_runs([short, long], tmp_path).description
    assert _pair(alone)["sound"]["first"] is None
    assert "short" in alone["pairs"][0]["sentences"][0]


def test_steps_that_do_not_overlap_are_said(tmp_path) -> None:
    """Nothing is compared with itself then."""
    runs = [
        Run(n, RunMetadata(n), {"loss": Series("loss", np.arange(s, s + 9), np.arange(1.0, 10))})
        for n, s in (("a", 0), ("b", 100))
    ]
    about = compare_runs(runs, tmp_path).description
    assert "the steps of a (0…8) and b (100…108) do not overlap" in about["sentences"][0]
    assert _pair(about)["series"] == []


def test_only_the_steps_asked_for_are_compared(trained, tmp_path) -> None:
    """In the log and in the sound."""
    runs = [trained("a", 500), trained("b", 550)]
    audio = AudioSettings(steps=(510, 560), tags=("*fc*",))
    pair = _pair(compare_runs(runs, tmp_path, audio=audio).description)
    (fc,) = pair["series"]
    assert (fc["steps"], fc["first"]["step"], fc["apart"]) == (50, 550, 3)
    assert pair["sound"]["first"]["step"] == 550


def test_a_lag_is_found_only_on_request(trained, tmp_path) -> None:
    """And as a lag, with the resolution that it has."""
    runs = [trained("a", 100), trained("b", 110)]
    assert _pair(compare_runs(runs, tmp_path / "1").description)["lag"] is None
    made = compare_runs(runs, tmp_path / "2", ComparisonSettings(dtw=True))
    lag = _pair(made.description)["lag"]
    assert set(lag) == {"median", "largest", "time", "resolution"}
    assert 0 < lag["resolution"] < 0.1


def test_equal_inputs_give_equal_bytes_and_are_not_compared_twice(trained, tmp_path) -> None:
    """Every file; until an input, a setting or a file changes."""
    runs = [trained("a", 100), trained("b", 110, steps=300)]
    first, second = (compare_runs(runs, tmp_path / name) for name in ("1", "2"))
    for one, other in zip(first.paths, second.paths, strict=True):
        assert one.read_bytes() == other.read_bytes(), one.name
    again = compare_runs(runs, tmp_path / "1")
    assert not again.made
    assert again.paths == first.paths
    assert again.description == json.loads(json.dumps(first.description))
    assert compare_runs(runs, tmp_path / "1", ComparisonSettings(threshold=6)).made
    assert compare_runs([runs[0], trained("b", 111)], tmp_path / "1").made
    first.paths[0].unlink()
    assert compare_runs([runs[0], trained("b", 111)], tmp_path / "1").made


def test_the_table_is_for_pandas(trained, tmp_path) -> None:
    """A number a row: features of each, differences of each pair, decades of each tag."""
    made = compare_runs([trained(n, s) for n, s in (("a", 9), ("b", 20), ("c", 9))], tmp_path)
    frame = pd.read_parquet(tmp_path / "comparison.parquet")
    assert set(frame.quantity) == {*FEATURES, "difference", "decades"}
    curves = frame.query("quantity == 'difference'").pivot(
        index="time", columns=["a", "b"], values="value"
    )
    assert list(curves.columns) == [("a", "b"), ("a", "c"), ("b", "c")]
    assert (curves["a", "c"] == 0).all()
    parted = frame.query("quantity == 'decades' and a == 'a' and b == 'b' and value != 0")
    assert sorted(parted.step) == [9, 10, 11, 20, 21, 22]
    assert set(parted.tag) == {"grad_norm/fc.weight"}
    np.testing.assert_allclose(parted.value.abs(), np.log10(20), rtol=1e-5)
    matrix = made.description["matrix"]
    assert matrix["names"] == ["a", "b", "c"]
    for key in ("sound_rms_db", "series_rms_decades"):
        values = np.array(matrix[key])
        np.testing.assert_array_equal(values, values.T)
        assert not values.diagonal().any()
        assert values[0, 2] == 0 < values[0, 1]


def test_many_runs_get_few_pictures_of_pairs(trained, tmp_path) -> None:
    """Those of the pairs that differ most, and it is said; too many are refused."""
    runs = [trained(f"r{i}", 30 * i, steps=200) for i in range(5)]
    made = compare_runs(runs, tmp_path, audio=AudioSettings(duration=1))
    pairs = [path.name for path in made.paths if "-vs-" in path.name and path.suffix == ".png"]
    assert len(pairs) == 6
    assert any("of 10 pairs, the 6 that differ most" in note for note in made.description["notes"])
    assert (tmp_path / "comparison.matrix.png").is_file()
    with pytest.raises(LogError, match="65 cannot be compared at once"):
        compare_runs([trained(f"r{i}") for i in range(65)], tmp_path)
    with pytest.raises(LogError, match="r alone cannot be compared"):
        compare_runs([trained("r")], tmp_path)


def test_each_pair_has_a_picture_of_its_own(trained, tmp_path) -> None:
    """Though their names are cut in the middle for the file's name."""
    long = "a_very_long_name_of_a_run_{}_that_goes_on_and_on"
    runs = [trained(long.format(end), 5, steps=50) for end in "xyz"]
    made = compare_runs(runs, tmp_path, audio=AudioSettings(duration=1))
    assert len({path for path in made.paths if "-vs-" in path.name}) == 6
    assert len(list(tmp_path.glob("*-vs-*.png"))) == 3


def test_nothing_of_an_earlier_comparison_stays(trained, tmp_path) -> None:
    """In the same folder: no picture of a pair that is not compared now; what is not ours stays."""
    runs, audio = [trained(name, 5, steps=50) for name in "abc"], AudioSettings(duration=1)
    (tmp_path / "comparison.mine.txt").write_text("mine")
    compare_runs(runs, tmp_path, audio=audio)
    made = compare_runs(runs[:2], tmp_path, audio=audio)
    assert {path.name for path in tmp_path.iterdir()} == {
        "comparison.mine.txt",
        *(path.name for path in made.paths),
    }


def test_names_are_text_and_nothing_else(trained, tmp_path: Path) -> None:
    """Neither mathematics nor markup nor folders."""
    made = compare_runs([trained("$\\frac{1}$", 5), trained("<b>/../x", 7)], tmp_path)
    assert all(path.parent == tmp_path for path in made.paths)
    assert all(path.stat().st_size for path in made.paths)


@pytest.mark.parametrize("failure", [KeyboardInterrupt, OutputError("no space left on device")])
def test_what_fails_half_way_leaves_what_was_there(trained, tmp_path, monkeypatch, failure) -> None:
    """Interrupted, or on a full disk, an earlier comparison of others stays whole."""
    three = [trained(n, s) for n, s in (("a", 9), ("b", 20), ("c", 9))]
    compare_runs(three, tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def fail(*_: object) -> None:
        raise failure

    monkeypatch.setattr("epochord.renderers.comparison.render.write_table", fail)
    with pytest.raises((KeyboardInterrupt, OutputError)):
        compare_runs(three[:2], tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    monkeypatch.undo()
    made = compare_runs(three[:2], tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in made.paths}


def test_a_comparison_goes_where_the_command_puts_it(trained, tmp_path, monkeypatch) -> None:
    """Or under the stem of a file that is named, all of it; beside it nothing is touched."""
    monkeypatch.chdir(tmp_path)
    runs = [trained("a", steps=20), trained("b", 5, steps=20)]
    made = compare_runs(runs)
    assert {path.parent for path in made.paths} == {Path("renders/compare/a-vs-b")}
    assert made.paths[0].name == "comparison.png"
    named = [compare_runs(runs, f"x/{stem}.png") for stem in ("one", "two")]
    endings = sorted(path.name.removeprefix("comparison") for path in made.paths)
    for stem, each in zip(("one", "two"), named, strict=True):
        assert sorted(path.name.removeprefix(stem) for path in each.paths) == endings
        assert all(path.is_file() for path in each.paths)
    assert not compare_runs(runs, "x/one.png").made
    assert compare_runs(runs, "x/one.json", ComparisonSettings(threshold=9.0)).made
    assert not compare_runs(runs, "x/two.svg").made


def test_numbers_need_no_files(trained, tmp_path, monkeypatch) -> None:
    """What is written is what a script gets: pairs, sentences and the table."""
    monkeypatch.chdir(tmp_path)
    runs = [trained("a", 5, steps=40), trained("b", 9, steps=40), trained("c", steps=40)]
    found = compare(runs)
    assert list(tmp_path.iterdir()) == []
    made = compare_runs(runs)
    about = json.loads(made.paths[-1].read_text())
    told = [line for pair in about["pairs"] for line in pair.pop("sentences")]
    assert [json.loads(json.dumps(pair.to_dict())) for pair in found.pairs] == about["pairs"]
    assert found.sentences == [*about["sentences"], *told]
    written = pd.read_parquet(next(path for path in made.paths if path.suffix == ".parquet"))
    pd.testing.assert_frame_equal(
        found.frame().astype({"a": str, "b": str, "quantity": str, "tag": str}),
        written.astype({"a": str, "b": str, "quantity": str, "tag": str}),
    )
    assert repr(found) == "<Comparison of 'a, b and c'>"
    assert found._repr_html_().count("<p>") == len(found.sentences)
