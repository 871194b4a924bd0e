"""run.json is read back as it was written, by this version and by later ones."""

import json

import pytest

from epochord.runlog import Layer, LogError, Parameter, RunMetadata, open_run

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
