"""CSV of any origin: what is a measurement, what is missing, what the steps are."""

import csv
import io
import math
from unittest import mock

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from epochord.runlog import LogError
from epochord.runlog.formats import cells, delimited
from epochord.runlog.formats.axis import CLOCKS, STEPS
from epochord.runlog.formats.columns import RUN_TIME

SEPARATORS = [",", ";", "\t", "|"]
MISSING = ["", "NA", "N/A", "null", "None", " "]
number = st.none() | st.floats(allow_nan=True, allow_infinity=True)
name = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), exclude_characters='"'), min_size=1, max_size=9
).map(str.strip)
names = name.filter(
    lambda text: (
        text not in ("", *STEPS, *CLOCKS, RUN_TIME, *delimited.TENSORBOARD)
        and not text.endswith(delimited.EXTREMES)
    )
)
tables = st.lists(names, min_size=1, max_size=4, unique=True).flatmap(
    lambda tags: st.fixed_dictionaries(
        {tag: st.lists(number, min_size=12, max_size=12) for tag in tags}
    )
)


def written(table, separator, missing, line_end, bom) -> bytes:
    """Write a table with the csv module, steps first."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator, lineterminator=line_end)
    writer.writerow(["step", *table])
    for step, row in enumerate(zip(*table.values(), strict=True)):
        writer.writerow([10 * step, *(missing if v is None else repr(v) for v in row)])
    return (b"\xef\xbb\xbf" if bom else b"") + text.getvalue().encode()


def model(table):
    """Points by tag that a table holds."""
    columns = {
        tag: [(10 * step, value) for step, value in enumerate(values) if value is not None]
        for tag, values in table.items()
    }
    return {tag: column for tag, column in columns.items() if column}


@pytest.mark.parametrize("block", [cells.BLOCK, 512], ids=["one-block", "many-blocks"])
@given(
    table=tables,
    separator=st.sampled_from(SEPARATORS),
    missing=st.sampled_from(MISSING),
    line_end=st.sampled_from(["\n", "\r\n"]),
    bom=st.booleans(),
)
@example({"a": [math.nan, None, math.inf, -math.inf, -0.0, *[5e-324] * 7]}, ",", "", "\n", False)
def test_read_equals_written(save, points, block, table, separator, missing, line_end, bom):
    """Whatever the separator, line ends and block size, NaN, infinities and blanks stay apart."""
    path = save(written(table, separator, missing, line_end, bom))
    expected = model(table)
    with mock.patch.object(cells, "BLOCK", block):
        if expected:
            assert repr(points(delimited.read(path))) == repr(expected)
        else:
            with pytest.raises(LogError, match="no measurements"):
                delimited.read(path)


@pytest.mark.parametrize(
    ("rows", "tag", "expected"),
    [
        (["0,1"] * 50 + ["7,"] * 50 + ["9,0.5"], "a", [1.0] * 50 + [0.5]),
        (["0,"] * 100 + ["9,0.5", "9,nan"], "a", [0.5, math.nan]),
        (["0,1"] * 100 + ["9, NA "], "a", [1.0] * 100),
        (["0,1"] * 100 + ["0.5,2"], "step", [0.0] * 100 + [0.5]),
        (["0,1"] * 100 + ["step,a", "1,2"], "a", [1.0] * 100 + [2.0]),
    ],
    ids=["late-blank", "blank-first", "late-spaces", "late-fraction", "late-header"],
)
def test_what_comes_late_is_read_as_if_it_came_first(save, rows, tag, expected):
    """No type is settled by the first block of a large file."""
    path = save("\n".join(["step,a", *rows, ""]))
    with mock.patch.object(cells, "BLOCK", 128):
        assert repr(delimited.read(path).series[tag].values.tolist()) == repr(expected)


@given(st.integers(16, 200))  # at least a header and a row
def test_where_the_first_block_ends_is_nothing_to_a_cell(save, block):
    """A missing cell that the first block cuts in two does not make its column text."""
    path = save("step,a\n" + "1,N/A\n2,5e9\n" * 30)
    with mock.patch.object(cells, "BLOCK", block):
        assert delimited.read(path).series["a"].values.tolist() == [5e9] * 30


def test_a_column_that_becomes_text_late_is_left_out(save):
    """One word at the end of a large file decides as one at its beginning does."""
    path = save("step,a,b\n" + "1,2,3\n" * 100 + "2,3,oops\n")
    with mock.patch.object(cells, "BLOCK", 128):
        contents = delimited.read(path)
    assert list(contents.series) == ["a"]
    assert contents.files[0].others == {"text column": 1}


def test_keras_csv_logger(save, points):
    """Keras: `epoch` is the step, NA is missing, and the separator is one's own."""
    contents = delimited.read(save("epoch;accuracy;loss\n0;0.5;NA\n1;nan;2e-3\n"))
    assert repr(points(contents)) == repr(
        {"accuracy": [(0, 0.5), (1, math.nan)], "loss": [(1, 0.002)]}
    )
    assert contents.notes == ("steps are the column 'epoch'",)


def test_the_chart_export_of_wandb(save, points):
    """W&B's minima and maxima are left out where the column itself is there."""
    header = '"Step","run-1 - loss","run-1 - loss__MIN","run-1 - loss__MAX","x__MIN"'
    contents = delimited.read(save(f'{header}\n"0","0.5","0.5","0.5","1"\n"10","0.25","","","2"\n'))
    assert points(contents) == {
        "run-1 - loss": [(0, 0.5), (10, 0.25)],
        "x__MIN": [(0, 1.0), (10, 2.0)],
    }
    assert contents.notes == (
        "left out: 2 columns of W&B's minima and maxima (__MIN, __MAX)",
        "steps are the column 'Step'",
    )


def test_the_history_export_of_wandb(save, points):
    """W&B's own columns are the step, the clock, and no measurement."""
    contents = delimited.read(
        save("_step,_timestamp,_runtime,loss,epoch\n4,1.7e9,12.5,0.5,0\n8,1.7e9,13.5,0.25,1\n")
    )
    assert points(contents) == {"loss": [(4, 0.5), (8, 0.25)], "epoch": [(4, 0.0), (8, 1.0)]}
    assert contents.series["loss"].wall_times.tolist() == [1.7e9, 1.7e9]
    assert contents.files[0].others == {"run time column": 1}


def test_the_download_of_tensorboard(save, points):
    """TensorBoard's CSV has one tag, `Value`, and says itself what the steps are."""
    contents = delimited.read(save("Wall time,Step,Value\n1700000000.5,3,0.1\n1700000001,4,nan\n"))
    assert repr(points(contents)) == repr({"Value": [(3, 0.1), (4, math.nan)]})
    assert contents.series["Value"].wall_times.tolist() == [1700000000.5, 1700000001.0]
    assert contents.notes == ()


def test_rows_with_another_number_of_fields_are_counted(save, points):
    """A row that a kill cut short does not shift the cells of others."""
    contents = delimited.read(save("step,a,b\n0,1,2\n1,1\n2,1,2,3\n3,4,5\n4,"))
    assert points(contents) == {"a": [(0, 1.0), (3, 4.0)], "b": [(0, 2.0), (3, 5.0)]}
    report = contents.files[0]
    assert (report.records, report.points) == (2, 4)
    assert report.skipped == {"row with another number of fields": 3}
    assert report.damage.endswith("not read: 3 × row with another number of fields")


def test_a_header_written_again_is_no_row(save, points):
    """A script that was started again and appends writes its header a second time."""
    contents = delimited.read(save("step,a\n0,1\nstep,a\n0,2\n"))
    assert points(contents) == {"a": [(0, 1.0), (0, 2.0)]}
    assert contents.files[0].skipped == {"header once more": 1}


def test_steps_that_repeat_or_go_back_stay_in_file_order(save, points):
    """Duplicate and backward steps are kept as written."""
    contents = delimited.read(save("step,a\n5,1\n5,2\n3,3\n9,4\n"))
    assert points(contents) == {"a": [(5, 1.0), (5, 2.0), (3, 3.0), (9, 4.0)]}


def test_columns_of_text_without_name_or_named_twice_are_left_out(save, points):
    """What is no column of numbers is counted, and the rest is used."""
    contents = delimited.read(save(",step,a,note,ok,a\n0,1,2.5,good,True,9\n1,2,3.5,3,False,9\n"))
    assert points(contents) == {"a": [(1, 2.5), (2, 3.5)]}
    assert contents.files[0].others == {
        "unnamed column": 1,
        "duplicate column": 1,
        "text column": 2,
    }


def test_quoted_cells_may_hold_separators_line_ends_and_quotes(save, points):
    """Quoting is that of the csv module."""
    contents = delimited.read(save('step,"a, ""b""","say\nit"\n0,"1.5",x\n1,2,"two\nlines"\n'))
    assert points(contents) == {'a, "b"': [(0, 1.5), (1, 2.0)]}


def test_numbers_in_every_spelling(save):
    """Signs, exponents, bare points and C's spellings of infinity are numbers."""
    spelled = ["+1.5", ".5", "5.", "1E3", "1e400", "-Infinity", "+inf", "-nan", " 7 ", "INF"]
    values = delimited.read(save("a,b\n" + "".join(f"{s},0\n" for s in spelled))).series["a"]
    expected = [float(s) for s in spelled]
    np.testing.assert_array_equal(values, expected)


def test_integers_beyond_the_floats_stay_exact_as_steps(save):
    """Steps of 19 digits, such as nanoseconds, do not fall together."""
    path = save("ns,a\n1700000000000000001,1\n1700000000000000002,2\n")
    steps = delimited.read(path, x="ns").series["a"].steps
    assert steps.tolist() == [1700000000000000001, 1700000000000000002]


def test_blank_lines_and_lines_ended_by_cr_alone(save, points):
    """Blank lines count for nothing, wherever they are."""
    expected = {"a": [(0, 1.0), (1, 2.0)]}
    assert points(delimited.read(save("\n\r\nstep,a\n0,1\n\n1,2\n\n"))) == expected
    assert points(delimited.read(save("step,a\r0,1\r1,2\r"))) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("step,loss|train,loss|val|all\n1,2,3\n", {"loss|train", "loss|val|all"}),
        ('"Step","a; b; c; d"\n1,2\n', {"a; b; c; d"}),
        ("loss\n1\n2\n", {"loss"}),
    ],
)
def test_separators_within_names_do_not_mislead(save, text, expected):
    """The separator is what header and first row have in common, outside quotes."""
    assert set(delimited.read(save(text)).series) == expected


@pytest.mark.parametrize(
    ("file", "content", "expected"),
    [
        ("a.csv", b"", True),
        ("A.CSV", b"step,a\n", True),
        ("a.tsv", b"\xff\xfe", True),
        ("log.txt", b"step loss\n1 2\n", False),
        ("log.txt", b"step,loss\n1,0.5\n", True),
        ("log.txt", b"One, two.\nThree, four.\n", False),
        ("log.txt", b"One, two.\n", False),
        ("log.txt", b"\x00\x01", False),
        ("log.txt", b"\xe9,1\n1,2\n", False),
        ("log.txt", b"", False),
    ],
)
def test_files_are_known_by_name_or_by_their_first_lines(save, file, content, expected):
    """A name that says CSV is enough; otherwise a header and numbers below it are asked for."""
    assert delimited.matches(save(content, file)) is expected


def test_a_text_longer_than_the_csv_module_takes(save, points):
    """A sample text of 200 kB beside the loss is a text column like any other."""
    contents = delimited.read(save(f'step,a,sample\n0,1,"{"x" * 200_000}"\n'))
    assert points(contents) == {"a": [(0, 1.0)]}


def test_a_file_in_memory_and_a_url(memory, points):
    """What fsspec opens is read as from disk."""
    path = memory / "log.csv"
    path.write_bytes(b"epoch,a\n0,1\n1,2\n")
    assert delimited.matches(path)
    assert points(delimited.read(path)) == {"a": [(0, 1.0), (1, 2.0)]}
