"""What was mistyped is said in one line, with what comes near to it."""

from pathlib import Path

import pytest

NORMS = {"grad_norm/a.weight": [1.0, 2.0], "loss": [3.0, 4.0]}


@pytest.fixture(autouse=True)
def logs(write_run, tmp_path):
    """Write a run, a table and a mapping."""
    write_run(tmp_path / "runs" / "mine", NORMS)
    (tmp_path / "log.csv").write_text("iteration,loss\n10,1.5\n20,1.0\n")
    (tmp_path / "m.toml").write_text('timbr = "warm"\n')


@pytest.mark.parametrize(
    ("arguments", "code", "near"),
    [
        ("rendr", 2, "'render'"),
        ("render adio", 2, "'audio'"),
        ("record sgd-lr01", 2, "'sgd-lr0.1'"),
        ("record ensemble --setting prior-boostrap", 2, "'prior-bootstrap'"),
        ("render audio --scale_from x", 2, "'--scale-from'"),
        ("inspect --tag", 2, "'--tags'"),
        ("render audio --timbre wram", 2, "'warm'"),
        ("render audio --voicing lane", 2, "'lanes'"),
        ("render audio --format wave16", 2, "'wav16'"),
        ("record benford --baseline unifrom", 2, "'uniform'"),
        ("render ensemble --show membres", 2, "'members'"),
        ("inspect mien", 1, "'mine'"),
        ("page mien", 1, "'mine'"),
        ("play mien", 1, "'mine'"),
        ("render audio --runs mien", 1, "'mine'"),
        ("compare --runs mien", 1, "'mine'"),
        ("render audio mine --tags los", 1, "'loss'"),
        ("render audio mine --loudness los", 1, "'loss'"),
        ("export mine --tags los", 1, "'loss'"),
        ("render audio log.csv --x iterations", 1, "'iteration'"),
        ("inspect log.csv --x iterations", 1, "'iteration'"),
        ("render audio mine --mapping m.toml", 1, "'timbre'"),
    ],
)
def test_what_comes_near_is_named(epochord, arguments, code, near):
    """Commands, options, choices, experiments, settings, runs, tags and columns alike."""
    stopped, out, err = epochord(*arguments.split())
    assert (stopped, out) == (code, [])
    (line,) = [line for line in err.splitlines() if "error:" in line]
    assert "did you mean " in line
    assert near in line.partition("did you mean ")[2]


def test_a_cut_list_of_tags_says_where_all_of_them_are(epochord, write_run):
    """And there they are."""
    tags = [f"metric/{number}" for number in range(40)]
    write_run(Path("runs/many"), {tag: [1.0] for tag in tags})
    _, _, err = epochord("render", "audio", "many", "--tags", "nothing*")
    assert "and 32 more ('epochord inspect --tags' lists all)" in err
    _, out, _ = epochord("inspect", "many", "--tags")
    assert [line.split()[0] for line in out[2:]] == tags


@pytest.mark.parametrize("arguments", ["", "render", "record"])
def test_without_a_command_there_is_the_help(epochord, arguments):
    """On stderr, since nothing was made."""
    code, out, err = epochord(*arguments.split())
    assert (code, out) == (2, [])
    assert err.startswith(f"Usage: epochord {arguments}".rstrip())
    assert "Commands:" in err


@pytest.mark.parametrize(
    "arguments", ["-q render audio mine", "render -q audio mine", "render audio mine -q"]
)
def test_quiet_leaves_results_alone(epochord, arguments):
    """Wherever it stands; notes and hints are gone."""
    assert epochord(*arguments.split()) == (0, ["renders/mine/audio.wav"], "")


def test_quiet_keeps_errors(epochord):
    """They are why nothing is on stdout."""
    code, out, err = epochord("-q", "render", "audio", "nowhere/at/all")
    assert (code, out) == (1, [])
    assert err.startswith("epochord: error: nowhere/at/all: no such file or folder")


def test_quiet_does_not_last(epochord):
    """It is of one call."""
    epochord("-q", "render", "audio", "mine")
    assert "mine: 2 steps" in epochord("render", "audio", "mine")[2]


@pytest.mark.parametrize("command", ["render audio", "inspect", "record sgd", "gallery"])
def test_an_option_without_its_value_is_explained_where_it_belongs(epochord, command):
    """By the help of that very command."""
    option = "--x" if command == "inspect" else "-o"
    code, out, err = epochord(*command.split(), option)
    assert (code, out) == (2, [])
    assert f"'{option}' requires an argument (see 'epochord {command} --help')" in err


def test_what_is_not_there_is_answered_with_what_is_expected(epochord):
    """Of a bare name also what there is under runs/; nothing that a user did not ask for."""
    _, _, bare = epochord("inspect", "nope")
    _, _, path = epochord("inspect", "no/pe")
    Path("runs").rename("others")
    _, _, none = epochord("inspect")
    assert "; runs/ has mine" in bare
    for err in (bare, path, none):
        assert "no such file or folder; expected a run (run.json" in err
        assert "record sgd" not in err
    assert "runs/" not in path + none


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("renders", "renders: is a folder; expected a sound that 'epochord render audio' has "
         "written, such as renders/mine/audio.wav"),
        ("runs", "runs: is a folder; expected a sound that 'epochord render audio' has written, "
         "and there is none in it"),
        ("log.csv", "log.csv: is no sound file"),
        ("renders/mine/audio.json", "audio.json: is no sound file"),
    ],
)  # fmt: skip
def test_what_cannot_be_decoded_is_told_from_what_can(epochord, given, message):
    """A folder is answered with a sound in it, if there is one."""
    epochord("render", "audio", "mine")
    code, out, err = epochord("decode", given)
    assert (code, out) == (1, [])
    assert message in err


@pytest.mark.parametrize(
    "command",
    [
        *("render audio", "render ensemble", "render benford", "inspect", "export", "compare"),
        *("page", "play", "decode", "gallery"),
    ],
)
def test_an_empty_path_is_no_path(epochord, command):
    """As an argument and as a place for results; it does not stand for this folder."""
    options = [] if command in ("inspect", "play", "decode") else [["--out", ""]]
    for place in ([""], *options):
        code, out, err = epochord(*command.split(), *place)
        assert (code, out) == (2, [])
        assert " is ''; expected a path (see" in err
        assert err.count("\n") == 1
    assert not Path("renders").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("render audio mine -o x.wave", "x.wave: .wave is not made here; did you mean .wav?"),
        ("render audio mine -o x.flc", "did you mean .flac?"),
        ("page mine -o x.htmll", "did you mean .html?"),
        ("compare mine mine -o x.pgn", "did you mean .png?"),
        ("export mine -o x.parqet", "did you mean .parquet?"),
        ("render audio mine --jobs 0", "--jobs is 0; expected at least 1, or -1"),
    ],
)
def test_what_cannot_be_meant_is_refused(epochord, arguments, message):
    """Before anything is made."""
    before = sorted(Path().iterdir())
    code, out, err = epochord(*arguments.split())
    assert (code, out) == (2, [])
    assert message in err
    assert sorted(Path().iterdir()) == before


def test_a_folder_that_is_there_may_have_any_name(epochord):
    """It is no slip of the pen."""
    Path("x.wave").mkdir()
    code, out, _ = epochord("render", "audio", "mine", "-o", "x.wave")
    assert (code, out) == (0, ["x.wave/mine/audio.wav"])


def test_a_pattern_for_inspect_is_answered_with_what_it_does(epochord):
    """--tags takes one elsewhere; a path that has such a name is a path."""
    code, out, err = epochord("inspect", "mine", "--tags", "*loss*")
    assert (code, out) == (2, [])
    assert "'*loss*' is no path, and --tags takes no pattern here: it lists all tags" in err
    Path("runs/mine").rename("a*b")
    assert epochord("inspect", "a*b", "--tags")[0] == 0


@pytest.mark.parametrize(
    ("tags", "said"),
    [("loss", "1 voice, 2.00 s, loss 2.6 to "), ("*", "2 voices, 2.00 s, 2 scales")],
)
def test_a_range_is_said_where_all_voices_have_it(epochord, tags, said):
    """Of several scales none stands for all."""
    _, _, err = epochord("render", "audio", "mine", "--tags", tags, "--duration", "2")
    assert f"mine: 2 steps of {said}" in err
