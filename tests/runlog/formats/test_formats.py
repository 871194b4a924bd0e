"""What all formats have in common."""

import pytest

from epochord.runlog.formats import (
    delimited,
    formats,
    huggingface,
    lightning,
    mlflow,
    parquet,
    recognise,
)


def test_only_logs_of_known_file_names_are_found_in_folders():
    """A folder holds many tables that are no logs."""
    assert {each for each in formats() if each.IN_FOLDERS} == {lightning, huggingface, mlflow}
    assert len({each.NAME for each in formats()}) == len(formats())


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("metrics.csv", b"step,a\n", lightning),
        ("metrics.csv", b"a,b\n", delimited),
        ("trainer_state.json", b'{"log_history": []}', huggingface),
        ("one_line.json", b'{"log_history": []}', huggingface),
        ("misnamed.txt", b"PAR1", parquet),
        ("README.md", b"# Title\n\nText, more text.\n", None),
        ("picture.png", b"\x89PNG\r\n\x1a\n\0\0", None),
    ],
)
def test_the_most_specific_format_wins(save, name, content, expected):
    """A tool's own file is recognised before the general format that it is written in."""
    assert recognise(save(content, name)) is expected


def test_a_folder_of_tables_is_no_run(save):
    """Tables in a folder are read when they are named."""
    assert recognise(save("step,a\n0,1\n", "folder.csv/log.csv").parent) is None
