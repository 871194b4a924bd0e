"""JSONL: objects are rows, broken lines are counted, and text may stand for NaN."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from epochord.runlog import LogError
from epochord.runlog.formats import jsonl, recognise

key = st.text(st.characters(exclude_categories=("Cs",)), max_size=5).filter(
    lambda text: "/" not in text and text != "step"
)
number = st.floats() | st.integers(-(2**70), 2**70)
records = st.lists(
    st.dictionaries(
        key, st.none() | number | st.dictionaries(key, st.none() | number, max_size=2), max_size=4
    ),
    max_size=8,
)
SPELLINGS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def model(rows):
    """Points by tag that records hold, in the order of their tags' first appearance."""
    found = {}
    for step, row in enumerate(rows):
        for outer, value in row.items():
            inner = value if isinstance(value, dict) else {None: value}
            for name, leaf in inner.items():
                tag = outer if name is None else f"{outer}/{name}"
                if leaf is not None:
                    found.setdefault(tag, []).append((step, float(leaf)))
    return found


@given(records, st.booleans())
def test_read_equals_written(save, points, rows, strict):
    """Nested objects become tags; null is missing; NaN counts, as a number or as text."""
    lines = [json.dumps({"step": step, **row}) for step, row in enumerate(rows)]
    if strict:  # the way of writers that keep to JSON's own numbers
        for text in SPELLINGS:
            lines = [line.replace(f": {text}", f': "{text}"') for line in lines]
    path = save("\n".join(lines) + "\n ", "log.jsonl")
    expected = model(rows)
    if expected:
        contents = jsonl.read(path)
        assert repr(points(contents)) == repr(expected)
        assert contents.files[0].records == len(rows)
    else:
        with pytest.raises(LogError):
            jsonl.read(path)


def test_broken_lines_are_counted(save, points):
    """A line cut by a kill, bytes that are no text and values that are no object are passed by."""
    lines = [
        b'{"step": 0, "a": 1}',
        b'{"step": 1, "a"',
        b"",
        b"[1, 2]",
        b'{"step": 2, "\xe4": 2}',
        b'{"step": 3, "a": ' + b"[" * 200_000,
        b'{"step": 4, "a": 5}\r',
        b'{"step": 5, "a": 0.',
    ]
    contents = jsonl.read(save(b"\n".join(lines), "log.jsonl"))
    assert points(contents) == {"a": [(0, 1.0), (4, 5.0)]}
    assert contents.files[0].skipped == {"line that is no JSON object": 5}
    assert contents.files[0].records == 2


def test_what_is_no_number_is_left_out_and_counted(save, points):
    """One text or truth value in a column decides, as one does in a CSV file."""
    rows = [
        {"step": 0, "a": 1, "text": "x", "flag": True, "list": [1], "mixed": 1, "digits": "5"},
        {"step": 1, "a": "nan", "text": 1, "flag": 0, "list": 2, "mixed": "oops", "digits": "6"},
    ]
    contents = jsonl.read(save("\n".join(map(json.dumps, rows)), "log.jsonl"))
    assert repr(points(contents)) == repr({"a": [(0, 1.0), (1, math.nan)]})
    assert contents.files[0].others == {"text column": 3, "bool column": 1, "list column": 1}


def test_two_ways_to_one_tag_in_a_row(save, points):
    """Where `a/b` is meant twice the first is used, and the second counted."""
    contents = jsonl.read(save('{"a/b": 1, "a": {"b": 2}}\n{"a": {"b": 3}}', "log.jsonl"))
    assert points(contents) == {"a/b": [(0, 1.0), (1, 3.0)]}
    assert contents.files[0].others == {"duplicate column": 1}


def test_integers_of_any_length(save):
    """What is beyond all floats is infinite; more digits than Python takes are a broken line."""
    lines = [f'{{"a": {"9" * digits}}}' for digits in (3, 20, 400, 5000)] + ['{"a": -1e999}']
    contents = jsonl.read(save("\n".join(lines), "log.jsonl"))
    np.testing.assert_array_equal(contents.series["a"], [999, 1e20, math.inf, -math.inf])
    assert contents.files[0].skipped == {"line that is no JSON object": 1}


def test_the_history_of_wandb(save):
    """Step, clock and run time of W&B's own history are known."""
    contents = jsonl.read(
        save('{"_step": 3, "_timestamp": 1.7e9, "_runtime": 2.5, "loss": "NaN"}', "h.jsonl")
    )
    loss = contents.series["loss"]
    assert list(contents.series) == ["loss"]
    assert (loss.steps.tolist(), loss.wall_times.tolist()) == ([3], [1.7e9])
    assert contents.notes == ("steps are the column '_step'",)


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("log.jsonl", b"", True),
        ("LOG.NDJSON", b"x", True),
        ("log.txt", b'\n{"loss": 1}\n{"lo', True),
        ("log.txt", b'{"loss":', False),
        ("log.json", b'{\n"loss": 1}', False),
        ("log.json", b"[1, 2]\n", False),
        ("log.csv", b"step,loss\n", False),
    ],
)
def test_files_are_known_by_name_or_by_their_first_line(save, name, content, expected):
    """Many scripts write such lines to log.txt."""
    path = save(content, name)
    assert jsonl.matches(path) is expected
    assert not expected or recognise(path) is jsonl


def test_a_file_in_memory(memory, points):
    """What fsspec opens is read as from disk."""
    path = memory / "log.jsonl"
    path.write_text('{"step": 7, "a": 1}\n')
    assert recognise(path) is jsonl
    assert points(jsonl.read(path)) == {"a": [(7, 1.0)]}
