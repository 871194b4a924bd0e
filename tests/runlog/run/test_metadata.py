"""run.json is read back as it was written, by this version and by later ones."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from epochord.runlog import Layer, LogError, Parameter, RunMetadata, open_run
from epochord.runlog.run.metadata import Hole

ABOUT = RunMetadata(
    "mine",
    status="failed",
    error="ValueError: nö",
    seed=3,
    hyperparameters={"lr": 0.1},
    layers=(Layer("conv1", "Conv2d", (Parameter("conv1.weight", (2, 3), False),)),),
    unknown={"colour": "blue"},
)


def test_what_is_saved_is_read_back_with_unknown_fields(tmp_path):
    """Fields of another version are written back, not dropped."""
    ABOUT.save(tmp_path)
    text = (tmp_path / "run.json").read_text(encoding="utf-8")
    assert RunMetadata.from_json(text, where="run.json") == ABOUT
    document = json.loads(text)
    assert document["schema_version"] == 1
    assert document["colour"] == "blue"
    assert document["layers"][0]["parameters"][0] == {
        "name": "conv1.weight",
        "shape": [2, 3],
        "size": 6,
        "trainable": False,
    }


def test_a_newer_schema_is_refused_by_name(tmp_path, write_run):
    """An old Epochord does not misread a new log."""
    run = write_run(tmp_path / "r", {"a": [1.0]})
    (run / "run.json").write_text('{"schema_version": 2, "name": "r"}')
    with pytest.raises(LogError, match=r"run\.json: written by a newer .*version 2.*upgrade"):
        open_run(run)


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "[]", "null", '{"name": "r"}', '{"schema_version": 1}'),
        '{"schema_version": 1, "name": "r", "dataset": null}',
        '{"schema_version": 1, "name": "r", "layers": [{"name": "a"}]}',
    ],
)
def test_a_broken_run_json_does_not_cost_the_log(tmp_path, write_run, text):
    """The copy inside the Parquet file takes its place, and the damage is named."""
    run = write_run(tmp_path / "r", {"a": [1.0]}, seed=5)
    (run / "run.json").write_text(text)
    read = open_run(run)
    assert read.metadata.seed == 5
    assert read["a"].values.tolist() == [1.0]
    assert "run.json: damaged" in read.damage[0]


def test_a_log_without_run_json_still_says_what_it_is(tmp_path, write_run):
    """Someone who copies metrics.parquet alone keeps the settings."""
    run = write_run(tmp_path / "r", {"a": [1.0]}, seed=5)
    (run / "run.json").unlink()
    assert open_run(run).metadata.seed == 5
    assert open_run(run).damage == ()


HOLES = st.builds(
    lambda first, length, reason: Hole(first, first + length, reason),
    st.integers(0, 30),
    st.integers(0, 9),
    st.sampled_from(["no space", "the disk does not answer", 'a "reason"\nin nö ASCII']),
)


@given(st.lists(HOLES, max_size=5))
def test_holes_are_written_and_read_back(holes):
    """Each with its steps and its reason."""
    about = ABOUT.replace(holes=tuple(holes))
    assert RunMetadata.from_json(about.to_json(), where="run.json") == about


def missing(about: RunMetadata) -> dict[str, set[int]]:
    """Return the steps that holes name, by reason."""
    found: dict[str, set[int]] = {}
    for hole in about.holes:
        found.setdefault(hole.reason, set()).update(range(hole.first, hole.last + 1))
    return found


@given(st.lists(HOLES, max_size=8), st.integers(0, 40))
def test_holes_that_go_on_are_one_and_can_be_cut(holes, step):
    """However they are joined or cut, every step stands in one with its own reason."""
    about = ABOUT
    for hole in holes:
        about = about.with_hole(hole)
    expected = missing(ABOUT.replace(holes=holes))
    assert missing(about) == expected
    before = about.replace(holes=[h for h in (hole.before(step) for hole in about.holes) if h])
    since = about.replace(holes=[h for h in (hole.since(step) for hole in about.holes) if h])
    for reason, steps in expected.items():
        assert missing(before).get(reason, set()) == {each for each in steps if each < step}
        assert missing(since).get(reason, set()) == {each for each in steps if each >= step}


def test_holes_that_follow_each_other_become_one():
    """An outage of an hour is one line, not a thousand."""
    about = ABOUT
    for step in range(0, 3000, 3):
        about = about.with_hole(Hole(step, step + 2, "no space"))
    about = about.with_hole(Hole(5000, 5000, "no space"))
    assert about.holes == (Hole(0, 2999, "no space"), Hole(5000, 5000, "no space"))


def test_holes_come_up_where_a_run_is_read(tmp_path, write_run):
    """In the run's damage, each in a line."""
    holes = (Hole(3, 3, "no space"), Hole(7, 9, "the disk does not answer"))
    run = write_run(tmp_path / "r", {"a": [1.0, 2.0]}, holes=holes)
    assert [line.partition("r: ")[2] for line in open_run(run).damage] == [
        "step 3 could not be recorded (no space)",
        "steps 7 to 9 could not be recorded (the disk does not answer)",
    ]


@given(
    st.lists(
        st.builds(
            Layer,
            st.text(max_size=9),
            st.text(max_size=9),
            st.lists(
                st.builds(
                    Parameter,
                    st.text(max_size=9),
                    st.lists(st.integers(0, 2**40), max_size=4).map(tuple),
                    st.booleans(),
                ),
                max_size=3,
            ).map(tuple),
        ),
        max_size=6,
    ).map(tuple),
    st.sampled_from(["", "\0layers", '\n  "layers": null']),
)
def test_run_json_has_a_line_a_layer_and_is_valid(layers, odd):
    """Whatever things are called, in whatever place; json.loads says what it says."""
    about = ABOUT.replace(layers=layers, error=odd, hyperparameters={odd: odd})
    text = about.to_json()
    document = json.loads(text)
    assert RunMetadata.from_json(text, where="run.json") == about
    assert document["error"] == odd
    assert [layer["name"] for layer in document["layers"]] == [layer.name for layer in layers]
    inside = text.partition('\n  "layers": [\n')[2].partition("\n  ]")[0].split("\n")
    inside = inside if layers else []
    assert [json.loads(line.removesuffix(",")) for line in inside] == document["layers"]
