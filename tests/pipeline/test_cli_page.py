"""`epochord page` and `epochord gallery` as a user meets them."""

import base64
import json
import os
import re
import resource
import sys
from pathlib import Path

import numpy as np
import pytest

from epochord.runlog import RunMetadata, open_run
from epochord.runlog.run.rows import rows_table
from epochord.runlog.tensorboard import TensorBoardWriter


def runs_of(path: Path) -> list[str]:
    """Return the names of the runs in a page."""
    text = path.read_text(encoding="utf-8")
    data = re.search(r'id="data">(.*?)</script>', text, re.DOTALL)
    assert data
    return [run["name"] for run in json.loads(data[1])["about"]]


@pytest.fixture(autouse=True)
def two(write_run, tmp_path):
    """Write two runs of the same layers, and one of other things."""
    for name, factor in (("a", 1.0), ("b", 2.0)):
        values = [factor * (1 + step % 5) for step in range(30)]
        write_run(tmp_path / "runs" / name, {"grad_norm/fc.weight": values})
    return tmp_path / "runs"


def test_one_run_goes_into_its_folder(epochord):
    """The path of the page is all that stdout has; its size and number of runs are said."""
    code, out, err = epochord("page", "a")
    assert (code, out) == (0, ["renders/a/page.html"])
    assert runs_of(Path(out[0])) == ["a"]
    assert "1 run, 0." in err


def test_several_runs_go_onto_one_page(epochord):
    """A folder of runs, or several names: one page of all, and not made twice."""
    code, out, err = epochord("page")
    assert (code, out) == (0, ["renders/page.html"])
    assert runs_of(Path(out[0])) == ["a", "b"]
    assert "up to date" not in err
    assert "up to date" in epochord("page")[2]
    code, out, _ = epochord("page", "b", "a", "-o", "some/where.html")
    assert (code, out) == (0, ["some/where.html"])
    assert runs_of(Path(out[0])) == ["b", "a"]


def test_each_run_may_have_a_page_of_its_own(epochord):
    """`--each` makes one page a run; with a single file to write to, that is refused."""
    code, out, _ = epochord("page", "--each")
    assert (code, out) == (0, ["renders/a/page.html", "renders/b/page.html"])
    code, _, err = epochord("page", "--each", "-o", "x.html")
    assert code == 2
    assert "--each makes several pages, and x.html is one; name a folder" in err


def test_in_a_folder_what_does_not_go_together_is_passed_over(epochord, two, write_run):
    """Runs of another kind are named and left out; naming them is another matter."""
    write_run(two / "c", {"accuracy": [0.1, 0.2]})
    write_run(two / "d", {})
    code, out, err = epochord("page")
    assert code == 0
    assert runs_of(Path(out[0])) == ["a", "b"]
    assert "passed over (no voice in common with a; --tags chooses others): c" in err
    assert "passed over (nothing to hear): d" in err
    code, out, err = epochord("page", "a", "c")
    assert (code, out) == (1, [])
    assert "error: no tag in common to compare: 'a' has fc; 'c' has accuracy" in err


def test_bad_input_is_one_line(epochord, tmp_path):
    """Each thing that cannot be used is named, with the reason, and no page appears."""
    for arguments, expected in (
        (["nowhere"], "nowhere: no such file or folder"),
        (["a", "--tags", "x*"], "run 'a' has no tag that matches 'x*'"),
        (["a", "--scale-from", "nowhere"], "nowhere: no result with a scale"),
        (["a", "--duration", "1300"], "21.7 min of sound; a page holds at most 20"),
        (["a", "--steps", "100:"], "has nothing in the steps 100:"),
    ):
        code, out, err = epochord("page", *arguments)
        errors = [line for line in err.splitlines() if "error" in line]
        assert (code, out) == (1, []), arguments
        assert len(errors) == 1
        assert expected in errors[0]
    code, _, err = epochord("page", "a", "--voicing", "choir")
    assert code == 2
    assert "voicing is 'choir'; expected one of roll, lanes, sequence, original" in err
    (tmp_path / "file").touch()
    code, _, err = epochord("page", "a", "-o", "file/page.html")
    assert code == 1
    assert "file/page.html: cannot write" in err
    assert not Path("renders").exists()


def test_an_earlier_scale_can_be_used(epochord):
    """`--scale-from` takes the scale of another render, as for sounds."""
    epochord("render", "audio", "b")
    code, out, _ = epochord("page", "a", "--scale-from", "renders/b")
    assert code == 0
    scale = json.loads(Path("renders/b/audio.json").read_text())["scale"]["gradient norm"]
    assert f'"low":{json.dumps(scale["low"])}' in Path(out[0]).read_text(encoding="utf-8")


def test_pictures_of_a_run_come_along(epochord):
    """What `render benford` made of a run is in its page."""
    epochord("render", "benford", "a")
    _, out, _ = epochord("page", "a")
    picture = base64.b64encode(Path("renders/a/benford.png").read_bytes()).decode()
    assert picture in Path(out[0]).read_text(encoding="utf-8")


def test_the_gallery_lists_results(epochord):
    """`epochord gallery` writes an index of what there is; where there is nothing, it says so."""
    code, out, err = epochord("gallery")
    assert (code, out) == (1, [])
    assert "renders: no results of Epochord in it" in err
    epochord("render", "audio", "a", "b")
    code, out, _ = epochord("gallery")
    assert (code, out) == (0, ["renders/index.html"])
    assert Path(out[0]).read_text(encoding="utf-8").count("<article") == 2


def test_a_folder_that_is_a_run_and_holds_others(epochord, two, write_run):
    """What lies at the root is passed over like the rest, if it does not go with them."""
    write_run(two, {"accuracy": [0.1, 0.2]})
    code, out, err = epochord("page", two)
    assert code == 0
    assert len(runs_of(Path(out[0]))) >= 1
    assert "passed over (no voice in common" in err


def test_each_passes_over_what_has_nothing_to_hear(epochord, two, write_run):
    """An empty run in a folder is no error, as it is none for `render audio`."""
    write_run(two / "empty", {})
    code, out, err = epochord("page", "--each")
    assert (code, len(out)) == (0, 2)
    assert "passed over: run 'empty' has no measurement at all" in err


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_names_that_are_not_utf8(epochord, two):
    """A logdir of any bytes can be rendered and listed; what cannot be shown is replaced."""
    series = open_run(two / "a")["grad_norm/fc.weight"]
    folder = Path(os.fsdecode(b"logs/bad\xff"))
    folder.mkdir(parents=True)
    writer = TensorBoardWriter(folder)
    columns = {series.tag: (series.values, np.ones(len(series), bool))}
    writer.write(rows_table(series.steps, series.wall_times, columns))
    writer.complete(RunMetadata("bad"))
    writer.close()
    code, out, _ = epochord("page", "logs", "--each")
    assert (code, out) == (0, ["renders/bad\N{REPLACEMENT CHARACTER}/page.html"])
    Path(out[0]).parent.rename(Path("renders") / folder.name)
    assert epochord("gallery")[0] == 0
    assert "bad%FF/page.html" in Path("renders/index.html").read_text(encoding="utf-8")


def test_a_full_disk_is_named(epochord):
    """If the tracks do not fit, the page is named with what to do, and nothing is left."""
    two_kib = 2048
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (two_kib, before[1]))
    try:
        code, out, err = epochord("page", "a")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert (code, out) == (1, [])
    assert "renders/a/page.html: cannot write (File too large)" in err
    assert not list(Path("renders").rglob("*.html"))


def test_a_wrong_name_makes_no_page_and_is_helped(epochord):
    """Of several names one is mistyped: no page of fewer runs, and what there is is said."""
    code, out, err = epochord("page", "a", "bb")
    assert (code, out) == (1, [])
    assert "did you mean 'b'?" in err
    assert "; runs/ has a, b" in epochord("page", "zzz")[2]
    assert not Path("renders").exists()


def test_what_all_have_is_heard_where_choices_differ(epochord, two, write_run):
    """Gradient norms of one, accuracy of the other: their loss, which is said."""
    write_run(two / "n", {"grad_norm/fc.weight": [1.0, 2.0], "loss": [2.0, 1.0]})
    write_run(two / "m", {"accuracy": [0.1, 0.2], "loss": [2.0, 1.0]})
    code, _, err = epochord("page", "n", "m")
    assert code == 0
    assert "heard: loss, of what all of these have; --tags GLOB chooses others" in err


def test_without_a_folder_of_runs_that_is_said(epochord, two):
    """A name is looked up under `runs/`; if that is not here, this is why it is not found."""
    two.rename(two.with_name("elsewhere"))
    assert "there is no runs/ here" in epochord("page", "a")[2]
