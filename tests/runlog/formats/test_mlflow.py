"""MLflow's file store: one file a metric, one line a point."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from epochord.runlog import LogError
from epochord.runlog.formats import mlflow, recognise

lines = st.lists(
    st.tuples(st.integers(0, 2**41), st.floats(), st.integers(-(2**63) + 1, 2**63 - 1)), min_size=1
)


@pytest.fixture
def store(tmp_path):
    """Give a function that writes a run's folder with the given metric files."""

    def write(folder=tmp_path, **files: str):
        (folder / "metrics").mkdir(exist_ok=True)
        (folder / "meta.yaml").write_text("run_id: 0123\n")
        for name, content in files.items():
            file = folder / "metrics" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content)
        return folder

    return write


@given(lines)
def test_read_equals_written(store, points, written):
    """Values come back exactly, steps in the order of the lines, times in seconds."""
    run = store(loss="".join(f"{time} {value!r} {step}\n" for time, value, step in written))
    contents = mlflow.read(run)
    assert repr(points(contents)) == repr({"loss": [(step, value) for _, value, step in written]})
    times = [time / 1000 if time > 1e11 else time for time, _, _ in written]
    assert contents.series["loss"].wall_times.tolist() == times


def test_a_run_by_its_folder_and_by_its_meta_yaml(store, points):
    """Nested keys are nested files; tags come in the order of their names."""
    run = store(
        **{
            "val/loss": "1700000000500 0.5 3\n1700000001500 nan 2\n",
            "val/by/en": "1700000000500 Infinity 3\n",
            "acc": "1700000000500 1 0\n",
            ".DS_Store": "\0",
        }
    )
    for path in (run, run / "meta.yaml"):
        assert recognise(path) is mlflow
        contents = mlflow.read(path)
        assert repr(points(contents)) == repr(
            {
                "acc": [(0, 1.0)],
                "val/by/en": [(3, math.inf)],
                "val/loss": [(3, 0.5), (2, math.nan)],
            }
        )
        assert contents.series["val/loss"].wall_times.tolist() == [1700000000.5, 1700000001.5]
        assert [report.points for report in contents.files] == [1, 1, 2]
        assert contents.notes == ()


def test_lines_of_all_versions(store, points):
    """The first MLflow wrote no step, the newest names a data set."""
    run = store(old="1500000000 0.5\n1500000001 0.25\n", new="1700000000500 0.5 7 data 0a1b\n")
    contents = mlflow.read(run)
    assert points(contents) == {"new": [(7, 0.5)], "old": [(0, 0.5), (1, 0.25)]}
    assert contents.series["old"].wall_times.tolist() == [1.5e9, 1500000001.0]
    assert contents.notes == ("lines without a step are counted from 0",)


def test_broken_lines_and_files_are_counted(store, points):
    """A cut line costs itself, a file that is none costs itself."""
    broken = ["1 x 2", "1 2 3 4", "1 2 0.5", f"1 2 {2**63}", "1", "17000"]
    run = store(loss="\n".join(["1 0.5 0", *broken, "", "2 0.25 1"]), odd="garbage\n", none="")
    contents = mlflow.read(run)
    assert points(contents) == {"loss": [(0, 0.5), (1, 0.25)]}
    loss, none, odd = contents.files
    assert (loss.records, loss.skipped) == (2, {"line that is no measurement": 6})
    assert none.problem == odd.problem == "no line of it is `timestamp value step`"


def test_a_file_that_cannot_be_read_is_named(store, points):
    """The others are used."""
    run = store(loss="1 0.5 0\n")
    (run / "metrics" / "gone").symlink_to("nowhere")
    contents = mlflow.read(run)
    assert points(contents) == {"loss": [(0, 0.5)]}
    assert contents.files[0].problem == "cannot be read (No such file or directory)"


def test_links_that_lead_back_end(store, points):
    """A folder that holds itself is walked once."""
    run = store(loss="1 0.5 0\n")
    (run / "metrics" / "again").symlink_to(".")
    assert points(mlflow.read(run)) == {"loss": [(0, 0.5)]}


def test_there_is_no_other_axis(store):
    """MLflow has steps and nothing else to choose."""
    run = store(loss="1 0.5 0\n")
    assert len(mlflow.read(run, x="step").series) == 1
    with pytest.raises(LogError, match="has no column 'epoch' to take steps from; it has: step"):
        mlflow.read(run, x="epoch")


def test_folders_that_are_no_run(store):
    """An experiment has a meta.yaml and no metrics; a folder `metrics` alone is anyone's."""
    run = store()
    (run / "meta.yaml").unlink()
    assert not mlflow.matches(run)
    (run / "metrics").rmdir()
    (run / "meta.yaml").touch()
    assert not mlflow.matches(run)
    assert recognise(run) is None


def test_a_folder_in_memory(memory, store, points):
    """What fsspec opens is read as from disk."""
    run = store(memory, **{"val/loss": "1700000000500 0.5 3\n"})
    assert recognise(run) is mlflow
    assert points(mlflow.read(run)) == {"val/loss": [(3, 0.5)]}
