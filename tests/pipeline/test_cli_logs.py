"""The command line on logs that other tools wrote: choosing, joining, exporting, many at once."""

import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from tensorboard.compat.proto.event_pb2 import Event
from upath import UPath

from epochord.pipeline import cli
from epochord.runlog.run.metadata import Hole
from epochord.runlog.tensorboard.headers import frame


@pytest.fixture
def epochord(monkeypatch, capfd, tmp_path):
    """Run the command in an empty folder; gives exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> tuple[int, list[str], str]:
        monkeypatch.setattr(sys, "argv", ["epochord", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        out, err = capfd.readouterr()
        return stopped.value.code or 0, out.splitlines(), err

    return run


def events(folder: str, points: dict[str, list[int]], stamp: int = 1, wall: float = 0.0) -> Path:
    """Write an event file: a value at each of these steps, by tag."""
    path = Path(folder) / f"events.out.tfevents.{stamp}.host.1.0"
    path.parent.mkdir(parents=True, exist_ok=True)
    records = []
    for tag, steps in points.items():
        for place, step in enumerate(steps):
            event = Event(step=step, wall_time=wall + place)
            event.summary.value.add(tag=tag, simple_value=1.0 + place)
            records.append(frame(event.SerializeToString()))
    path.write_bytes(b"".join(records))
    return path


def voices(out: list[str]) -> list[list[str]]:
    return [json.loads(line)["voices"] for line in out]


def test_a_logdir_of_any_writer_can_be_heard(epochord):
    """Losses where there are no norms, and the choice is said with the option to change it."""
    events("logs/train", {"lr": [0, 1], "loss": [0, 1]})
    code, out, err = epochord("render", "audio", "logs")
    assert (code, out) == (0, ["renders/train/audio.wav"])
    assert "train: heard: losses, 1 of 2 tags; --tags GLOB chooses others" in err


def test_tags_and_steps_are_chosen(epochord):
    """Globs choose and leave out; steps are cut like a slice."""
    events("logs", {"a/x": [0, 1, 2], "a/y": [0, 1, 2], "b": [0, 1, 2]})
    code, out, _ = epochord(
        "render", "audio", "logs", "--json", "--tags", "a/*", "--tags", "!*y", "--steps", "1:"
    )
    assert code == 0
    assert voices(out) == [["a/x"]]
    assert json.loads(out[0])["steps"] == 2
    code, _, err = epochord("render", "audio", "logs", "--tags", "c*")
    assert code == 1
    assert "run 'logs' has no tag that matches 'c*'; it has a/x, a/y, b" in err


@pytest.mark.parametrize("option", [("--layers", "a"), ("--parameters", "all")])
def test_what_is_of_layers_needs_gradient_norms(epochord, option):
    """Neither is passed over in silence."""
    events("logs", {"loss": [0, 1]})
    for command in (("render", "audio"), ("compare", "logs")):
        code, out, err = epochord(*command, "logs", *option)
        assert (code, out) == (1, [])
        assert "run 'logs' has no gradient norms of layers; it has loss" in err


@pytest.mark.parametrize(
    ("steps", "why"),
    [
        *((steps, "; expected A:B") for steps in ("5", "a:b", "1:2:3")),
        *((steps, ", whose end does not lie behind its beginning;") for steps in ("5:3", "4:4")),
    ],
)
def test_steps_that_make_no_range_are_wrong_usage(epochord, steps, why):
    """With what was given and what is expected."""
    events("logs", {"loss": [0]})
    code, _, err = epochord("render", "audio", "logs", "--steps", steps)
    assert code == 2
    assert f"--steps is {steps!r}{why}" in err


def test_runs_are_chosen_by_name(epochord):
    """Names are TensorBoard's; a glob that matches none is an error."""
    for name in ("train", "eval", "deep/train"):
        events(f"logs/{name}", {"loss": [0, 1]})
    code, out, _ = epochord("render", "audio", "logs", "--runs", "*train")
    assert (code, out) == (0, ["renders/deep/train/audio.wav", "renders/train/audio.wav"])
    code, out, err = epochord("render", "audio", "logs", "--runs", "test")
    assert (code, out) == (1, [])
    assert "no run is called test; there are deep/train, eval, train" in err


def test_files_that_overlap_are_heard_as_runs_of_their_own(epochord):
    """And it is said, with the option that joins them."""
    events("logs", {"loss": [0, 1, 2]}, stamp=1)
    events("logs", {"loss": [1, 2]}, stamp=2)
    code, out, err = epochord("render", "audio", "logs", "--json")
    assert code == 0
    made = [json.loads(line) for line in out]
    assert [(one["path"], one["steps"]) for one in made] == [
        ("renders/logs@1/audio.wav", 3), ("renders/logs@2/audio.wav", 2),
    ]  # fmt: skip
    assert "its files overlap in steps, so it is heard as logs@1 … logs@2 (--segments all" in err
    for mode, paths in (("all", ["logs"]), ("last", ["logs"]), ("split", ["logs@1", "logs@2"])):
        _, out, _ = epochord("render", "audio", "logs", "--segments", mode)
        assert out == [f"renders/{path}/audio.wav" for path in paths]


def test_parts_share_a_scale_although_one_of_them_has_nothing_to_hear(epochord):
    """A part without any of the steps asked for is passed over, and the others stay comparable."""
    events("logs", {"loss": [0, 1, 2]}, stamp=1)
    events("logs", {"loss": [0]}, stamp=2)
    events("logs", {"loss": [0, 1, 2, 3, 4, 5]}, stamp=3)
    for others in ((), ("more",)):
        for folder in others:
            events(folder, {"loss": [1]})
        _, out, _ = epochord("render", "audio", "logs", *others, "--steps", "1:", "--json")
        made = {json.loads(line)["run"]: json.loads(line)["scale"] for line in out}
        assert {"logs@1", "logs@3"} < {*made, "logs@2"}
        assert made["logs@1"] == made["logs@3"]
        assert made["logs@1"]["loss"]["high"] == pytest.approx(6)


def test_two_logdirs_with_equal_runs_in_them_are_told_apart(epochord):
    """Keras writes train/ and validation/ into every logdir."""
    for logdir in ("one", "two"):
        events(f"{logdir}/train", {"loss": [0, 1]})
    code, out, _ = epochord("render", "audio", "one", "two")
    assert (code, out) == (0, ["renders/one/train/audio.wav", "renders/two/train/audio.wav"])


def test_a_table_is_heard_and_its_column_of_steps_can_be_named(epochord):
    """The guess is said."""
    Path("log.csv").write_text("epoch,it,loss\n0,10,1.5\n1,20,nan\n2,30,\n")
    code, out, err = epochord("render", "audio", "log.csv", "--json")
    assert code == 0
    assert "steps are the column 'epoch'" in err
    assert json.loads(out[0])["steps"] == 2
    code, out, _ = epochord("inspect", "log.csv", "--x", "it", "--json")
    assert json.loads(out[0])["steps"] == {"count": 3, "first": 10, "last": 30}
    code, out, err = epochord("render", "audio", "log.csv", "--x", "nope")
    assert (code, out) == (1, [])
    assert "nope" in err
    assert "epoch" in err


def test_a_folder_with_tables_only_says_how_to_read_them(epochord):
    """A folder may hold many tables that are no logs, so they have to be named."""
    Path("tables").mkdir()
    Path("tables/log.csv").write_text("step,loss\n0,1.5\n")
    code, _, err = epochord("render", "audio", "tables")
    assert code == 1
    assert "tables: no run here or below; to read log.csv, name the file" in err


def test_urls_are_read_like_paths(epochord, tmp_path):
    """Those of fsspec; one of no known kind is named."""
    source = events("logs/train", {"loss": [0, 1]})
    target = UPath("memory://bucket/logs/train") / source.name
    target.parent.mkdir(parents=True)
    target.write_bytes(source.read_bytes())
    code, out, _ = epochord("render", "audio", "memory://bucket/logs", "--out", "m")
    assert (code, out) == (0, ["m/train/audio.wav"])
    code, out, _ = epochord("render", "audio", f"file://{tmp_path}/logs", "--out", "f")
    assert (code, out) == (0, ["f/train/audio.wav"])
    assert Path("f/train/audio.wav").read_bytes() == Path("m/train/audio.wav").read_bytes()
    code, _, err = epochord("inspect", "nope://x")
    assert code == 1
    assert "nope://x: no such kind of URL" in err
    assert err.count("\n") == 1


def test_our_own_runs_are_read_from_urls_too(epochord, write_run):
    """Parquet with its run.json, by way of a store that has no files."""
    write_run(Path("mine"), {"grad_norm/a.weight": [1.0, 2.0]}, seed=7)
    for path in Path("mine").iterdir():
        target = UPath("memory://store/mine") / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    code, out, err = epochord("inspect", "memory://store/mine", "--json")
    assert (code, err) == (0, "")
    assert json.loads(out[0])["seed"] == 7
    assert json.loads(out[0])["steps"]["count"] == 2


def test_inspect_says_what_was_not_read(epochord):
    """Records by reason, bytes, and files that are no event files, each with its name."""
    path = events("logs", {"loss": [0, 1, 2]})
    data = bytearray(path.read_bytes())
    data[30] ^= 1
    path.write_bytes(bytes(data) + b"\x07" * 5)
    Path(f"{path}.meta").write_text("fileFormatVersion: 2\nguid: 0\n")
    code, out, err = epochord("inspect", "logs", "--json")
    assert code == 0
    about = json.loads(out[0])
    assert [file["skipped"] for file in about["files"]] == [{"wrong CRC": 1}, {}]
    assert [file["tail_bytes"] for file in about["files"]] == [5, 29]
    assert "is a Unity .meta file" in about["files"][1]["problem"]
    assert "1 × wrong CRC, 5 bytes behind the last whole record" in err
    _, out, _ = epochord("inspect", "logs")
    text = "\n".join(out)
    assert "2 records, 2 points, left out: 1 × wrong CRC, 5 bytes behind" in text
    assert "1.0.meta: is a Unity .meta file" in text


@pytest.mark.parametrize("suffix", ["parquet", "csv", "tsv", "jsonl"])
def test_export_writes_one_long_table(epochord, suffix):
    """All runs, in the order of the log; the path is printed."""
    events("logs/a", {"loss": [0, 1], "lr": [0]})
    events("logs/b", {"loss": [5]})
    code, out, err = epochord("export", "logs", "-o", f"x.{suffix}", "--tags", "loss")
    assert (code, out) == (0, [f"x.{suffix}"])
    assert "3 measurements of 2 runs" in err
    if suffix == "parquet":
        rows = pq.read_table("x.parquet").to_pylist()
    elif suffix in ("csv", "tsv"):
        with Path(f"x.{suffix}").open() as file:
            rows = list(csv.DictReader(file, delimiter="," if suffix == "csv" else "\t"))
    else:
        rows = [json.loads(line) for line in Path("x.jsonl").read_text().splitlines()]
    found = [(row["run"], row["tag"], int(row["step"]), float(row["value"])) for row in rows]
    assert found == [("a", "loss", 0, 1.0), ("a", "loss", 1, 2.0), ("b", "loss", 5, 1.0)]


def test_export_writes_nothing_where_there_is_nothing_or_no_known_suffix(epochord):
    """Exit codes 1 and 2, and no file."""
    events("logs", {})
    code, out, err = epochord("export", "logs", "-o", "x.csv")
    assert (code, out) == (1, [])
    assert "no measurement to export" in err
    code, _, err = epochord("export", "logs", "-o", "x.xlsx")
    assert code == 2
    assert "x.xlsx: .xlsx is not made here; expected .parquet, .csv, .tsv, .jsonl" in err
    assert [path.name for path in Path().iterdir()] == ["logs"]


@pytest.mark.parametrize("out", ["m.csv", "./a/../m.csv"])
def test_export_replaces_nothing_that_it_reads(epochord, out):
    """However its path is written."""
    Path("a").mkdir()
    Path("m.csv").write_text("step,loss\n0,1\n1,2\n")
    code, _, err = epochord("export", "m.csv", "-o", out)
    assert code == 1
    assert "is read for this very table; choose another --out" in err
    assert Path("m.csv").read_text() == "step,loss\n0,1\n1,2\n"


def test_jobs_give_the_same_bytes_in_the_same_order_and_a_bad_log_stops_nothing(epochord):
    """Several processes, one of whose logs is no log."""
    for name in "abcd":
        events(f"logs/{name}", {"loss": list(range(ord(name) - 90))})
    Path("logs/c/events.out.tfevents.1.host.1.0").write_text("version https://git-lfs\n")
    code, one, err = epochord("render", "audio", "logs", "--out", "one")
    assert code == 1
    assert "is a Git LFS pointer" in err
    again, two, err_two = epochord("render", "audio", "logs", "--out", "two", "--jobs", "2")
    assert again == 1
    assert "is a Git LFS pointer" in err_two
    assert [path.replace("two/", "one/") for path in two] == one
    assert len(one) == 3
    for first, second in zip(one, two, strict=True):
        assert Path(first).read_bytes() == Path(second).read_bytes()


def test_only_the_newest_checkpoint_of_a_trainer_is_taken(epochord):
    """Each repeats the history of those before it."""
    for step in (5, 10):
        folder = Path(f"out/checkpoint-{step}")
        folder.mkdir(parents=True)
        history = [{"step": n, "loss": 1.0} for n in range(step)]
        (folder / "trainer_state.json").write_text(json.dumps({"log_history": history}))
    _, out, _ = epochord("render", "audio", "out")
    assert out == ["renders/checkpoint-10/audio.wav"]
    shutil.copy("out/checkpoint-10/trainer_state.json", "out")
    _, out, _ = epochord("render", "audio", "out")
    assert out == ["renders/out/audio.wav"]


def test_reading_a_log_imports_nothing_heavy(tmp_path):
    """Looking at a local log is quick."""
    code = """
import sys
from epochord.runlog import find_runs
[source.open() for source in find_runs(sys.argv[1])]
heavy = {"torch", "upath", "pandas", "joblib", "matplotlib", "librosa"} & set(sys.modules)
sys.exit(f"imported: {heavy}" if heavy else 0)
"""
    path = events(str(tmp_path / "logs"), {"loss": [0]})
    done = subprocess.run(
        [sys.executable, "-c", code, str(path.parent)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_what_could_not_be_recorded_is_said(epochord, write_run, tmp_path):
    """`inspect` warns of each hole, and says it to programs, too."""
    hole = Hole(7, 9, "the disk does not answer")
    write_run(tmp_path / "mine", {"loss": [1.0, 2.0]}, holes=[hole])
    code, out, err = epochord("inspect", "mine", "--json")
    line = "mine: steps 7 to 9 could not be recorded (the disk does not answer)"
    assert code == 0
    assert f"warning: {line}" in err.replace(f"{tmp_path}/", "")
    assert [each.replace(f"{tmp_path}/", "") for each in json.loads(out[0])["damage"]] == [line]
