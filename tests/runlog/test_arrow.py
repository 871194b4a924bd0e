"""Arrow arrays from NumPy's and back are pyarrow's own, without pandas."""

import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from epochord.runlog.arrow import arrow_array, flags, numbers, parts, texts

TYPES = ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u8", "?"]
values = st.sampled_from(TYPES).flatmap(lambda kind: arrays.arrays(kind, st.integers(0, 40)))


@given(values, st.data())
def test_arrays_are_pyarrows(found, data):
    """Type, values and nulls, also of what is not contiguous."""
    missing = data.draw(arrays.arrays(bool, len(found)))
    assert arrow_array(found).equals(pa.array(found)) or np.isnan(found.astype(float)).any()
    ours, theirs = arrow_array(found, missing), pa.array(found, mask=missing)
    ours.validate(full=True)
    assert (ours.type, ours.null_count) == (theirs.type, theirs.null_count)
    assert repr(ours.to_pylist()) == repr(theirs.to_pylist())
    assert repr(arrow_array(found[::2]).to_pylist()) == repr(pa.array(found[::2]).to_pylist())


@given(st.lists(st.none() | st.text(max_size=5)))
def test_texts_are_pyarrows(words):
    """Whatever characters they have."""
    ours = texts(words)
    ours.validate(full=True)
    assert ours.equals(pa.array(words, pa.string()))


@given(values, st.integers(0, 3))
def test_what_went_in_comes_out(found, start):
    """Also of a slice, and of several chunks."""
    back = flags if found.dtype == bool else numbers
    whole = arrow_array(found)
    np.testing.assert_array_equal(back(whole[start:]), found[start:])
    chunks = pa.chunked_array([whole, whole[start:]])
    np.testing.assert_array_equal(back(chunks), np.concatenate([found, found[start:]]))
    assert back(pa.chunked_array([], whole.type)).dtype == found.dtype


def test_null_is_nan_of_floats_and_an_error_of_integers():
    """As nothing else could stand for it."""
    missing = np.array([False, True])
    np.testing.assert_array_equal(numbers(arrow_array(np.ones(2), missing)), [1, np.nan])
    with pytest.raises(TypeError, match="1 of 2 values of int64 are null"):
        numbers(arrow_array(np.ones(2, np.int64), missing))


def test_pandas_stays_out():
    """Where pyarrow's own conversions import it."""
    program = (
        "import sys, numpy as np, pyarrow as pa\n"
        "from epochord.runlog.arrow import arrow_array, flags, numbers, texts\n"
        "a = arrow_array(np.ones(3), np.array([True, False, True]))\n"
        "numbers(a), flags(a.is_valid()), texts(['a', None]), arrow_array(np.ones(3, bool))\n"
        "print('pandas' in sys.modules); pa.array([1]); print('pandas' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.split() == ["False", "True"]


@given(st.lists(st.sampled_from("abc") | st.none()))
def test_parts_are_a_tables_rows_by_value(words):
    """Each row in one part, in its order; null belongs to none."""
    table = pa.table({"word": texts(words), "place": arrow_array(np.arange(len(words)))})
    found = {word: part["place"].to_pylist() for word, part in parts(table, "word") if word}
    assert found == {
        word: [place for place, each in enumerate(words) if each == word]
        for word in dict.fromkeys(words)
        if word
    }
