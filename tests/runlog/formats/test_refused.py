"""What cannot be read at all is refused in one line that says what it is."""

import pytest
from upath import UPath

from epochord.runlog import LogError
from epochord.runlog.formats import (
    delimited,
    formats,
    huggingface,
    jsonl,
    lightning,
    mlflow,
    parquet,
)

NAMES = {
    delimited: "log.csv",
    lightning: "metrics.csv",
    jsonl: "log.jsonl",
    huggingface: "trainer_state.json",
    parquet: "log.parquet",
}
ONE_FILE = pytest.mark.parametrize("module", NAMES, ids=lambda module: module.NAME)
GARBAGE = bytes(range(256)) * 40


def refusal(module, path) -> str:
    with pytest.raises(LogError) as error:
        module.read(path)
    message = str(error.value)
    assert message.startswith(str(path))
    assert "\n" not in message
    return message


@ONE_FILE
@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "is empty"),
        (b"\n \n", "is empty"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "git lfs pull"),
    ],
)
def test_empty_files_and_pointers(save, module, content, expected):
    """An empty file and a Git-LFS pointer are called what they are, in every format."""
    assert expected in refusal(module, save(content, NAMES[module]))


@ONE_FILE
def test_garbage(save, module):
    """Bytes that are no text are no log; a Parquet file begins as one does."""
    message = refusal(module, save(GARBAGE, NAMES[module]))
    assert ("begins with PAR1" if module is parquet else "is binary") in message


@ONE_FILE
def test_files_that_are_not_there(tmp_path, module):
    """The reason is the operating system's."""
    assert "No such file" in refusal(module, tmp_path / NAMES[module])


@ONE_FILE
def test_files_that_are_not_there_in_a_store(memory, module):
    """A URL that leads nowhere is named as one."""
    assert "cannot be read" in refusal(module, memory / NAMES[module])


@pytest.mark.parametrize("module", [delimited, jsonl, parquet], ids=lambda module: module.NAME)
def test_folders(tmp_path, module):
    """A folder is no table, whatever it is called."""
    folder = tmp_path / NAMES[module]
    folder.mkdir()
    assert "is a folder" in refusal(module, folder)
    assert not module.matches(folder)


@pytest.mark.parametrize("module", [delimited, lightning, huggingface], ids=lambda m: m.NAME)
def test_latin1(save, module):
    """Text in another encoding is refused with the way to convert it."""
    message = refusal(module, save("step,Zähler\n1,2\n".encode("latin1"), NAMES[module]))
    assert "is not UTF-8 text (byte 0xe4); convert it, for instance with `iconv" in message


def test_latin1_far_into_a_file(save):
    """Encoding is checked to the end."""
    message = refusal(delimited, save(b"step,a\n" + b"1,2\n" * 40_000 + b"1,\xe4\n"))
    assert "UTF-8" in message


def test_characters_cut_by_the_first_look_are_no_damage(save):
    """The first bytes may end within a character."""
    for fill in range(4):
        name = "ä" * ((1 << 16) // 2) + "x" * fill
        assert len(delimited.read(save(f"step,{name}\n1,2\n")).series) == 1


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("step,a\n", "holds a header and no rows"),
        ("step,a", "holds a header and no rows"),
        ("\ufeff\n", "is empty"),
        ("0,0.5\n1,0.25\n", "begins with numbers (0, 0.5), not with a header"),
        ("step,a\n1\n2\n", "holds no rows (2 × row with another number of fields)"),
        ("step,a\n1,x\n", "holds no measurements (1 × text column); expected at least one column"),
        ("step\n1\n", "holds no measurements; expected at least one column of numbers"),
        ("step,a\n1,\n,2\n", "holds no measurements (1 × row without a step)"),
        ('"step,a\n1,2\n' + "3,4\n" * 40_000, "cannot be read as CSV (field larger than"),
    ],
)
def test_tables_without_a_measurement(save, content, expected):
    """The message says why there is nothing to hear."""
    assert expected in refusal(delimited, save(content))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("no json\n{\n", "holds no rows (2 × line that is no JSON object)"),
        ("[1]\n2\n", "holds no rows (2 × line that is no JSON object)"),
        ("{}\n", "holds no measurements; expected"),
        ('{"step": 1, "a": "x", "b": true}\n', "(1 × text column, 1 × bool column)"),
        ('{"ä": 1}\n'.encode("latin1"), "holds no rows (1 × line that is no JSON object)"),
    ],
)
def test_lines_without_a_measurement(save, content, expected):
    """A file of lines that are no objects, or objects without numbers, is no log."""
    assert expected in refusal(jsonl, save(content, "log.jsonl"))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ('{"log_history": [{"step": 1', "damaged JSON (JSONDecodeError"),
        ('{"log_history": ' + "[" * 200_000, "damaged JSON ("),
        ("[]", "has no list 'log_history'"),
        ('{"log_history": 3}', "has no list 'log_history'"),
        ('{"log_history": []}', "holds no rows"),
        ('{"log_history": [{"loss": 1}]}', "has no column of numbers 'step'"),
        ('{"log_history": [{"step": 1}, 2]}', "(1 × entry that is no object)"),
    ],
)
def test_states_without_a_measurement(save, content, expected):
    """A state that was written in part, or before anything was logged, is no log."""
    assert expected in refusal(huggingface, save(content, "trainer_state.json"))


@pytest.mark.parametrize("module", formats(), ids=lambda module: module.NAME)
def test_looking_never_raises(save, tmp_path, module):
    """`matches` says no to whatever is odd."""
    (tmp_path / "loop").symlink_to("loop")
    odd = ["nope", "loop", "\0", "x" * 5000]
    for path in [*(tmp_path / name for name in odd), save(GARBAGE, "x"), save(b"", "y")]:
        assert module.matches(path) is False
    assert module.matches(UPath("memory://nowhere/at/all")) is False
    assert module.matches(tmp_path) is False


def test_mlflow_folders_without_metrics(tmp_path):
    """A run that logged nothing, and a folder that is none, are told apart."""
    assert "has no folder 'metrics'" in refusal(mlflow, tmp_path)
    (tmp_path / "metrics").mkdir()
    assert "holds no metrics" in refusal(mlflow, tmp_path)
    (tmp_path / "metrics" / "loss").write_bytes(GARBAGE)
    assert "no line of it is `timestamp value step`" in refusal(mlflow, tmp_path)
