"""All that was found, frame by frame and step by step, as one long table for pandas.

``frame.query("quantity == 'difference'")``: every row is one number.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from epochord.renderers.audio.scoring.axis import Axis
from epochord.renderers.comparison.condense import extremes
from epochord.renderers.comparison.listening import Heard
from epochord.renderers.comparison.pairs import Pair
from epochord.renderers.comparison.series import SeriesDifference
from epochord.renderers.results.output import writing

__all__ = ["MOST_ROWS", "SCHEMA", "all_rows", "write_table"]

MOST_ROWS = 2_000_000  # of pairs, in all; beyond that each keeps its extremes

WORD = pa.dictionary(pa.int16(), pa.string())
SCHEMA = pa.schema(
    {
        "a": WORD,
        "b": WORD,
        "quantity": WORD,
        "tag": WORD,
        "step": pa.int64(),
        "time": pa.float64(),
        "value": pa.float64(),
    }
)


def write_table(
    path: Path, heard: Sequence[Heard], pairs: Sequence[Pair], axis: Axis, hop: float
) -> None:
    """Write the table.

    Parameters
    ----------
    path : Path
        Parquet file with the columns ``a`` (name), ``b`` (name; null for what is said
        of `a` alone), ``quantity``, ``tag`` (of a series), ``step`` (null for audio
        files), ``time`` in s and ``value`` (null where nothing is heard, or neither is
        finite).  Quantities: those of `FEATURES`; ``difference`` of the sounds in dB;
        ``decades``, log10 of b's logged value over a's (see `SeriesDifference`).
    heard : sequence of Heard
        All sounds.
    pairs : sequence of Pair
        All pairs.
    axis : Axis
        Steps, if there are any.
    hop : float
        Seconds from frame to frame.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    encodings = {"time": "BYTE_STREAM_SPLIT", "value": "BYTE_STREAM_SPLIT"}
    with (
        writing(path) as temporary,
        pq.ParquetWriter(
            temporary, SCHEMA, compression="zstd", use_dictionary=["a", "b", "quantity", "tag"],
            column_encoding=encodings,
        ) as writer,
    ):  # fmt: skip
        for table in _tables(heard, pairs, axis, hop):
            writer.write_table(table)


def all_rows(heard: Sequence[Heard], pairs: Sequence[Pair], axis: Axis, hop: float) -> pa.Table:
    """Return the table in memory (parameters as of `write_table`)."""
    return pa.concat_tables(_tables(heard, pairs, axis, hop)).unify_dictionaries()


def _tables(
    heard: Sequence[Heard], pairs: Sequence[Pair], axis: Axis, hop: float
) -> Iterator[pa.Table]:
    parts = sum(1 + len(pair.series) for pair in pairs)
    most = max(256, MOST_ROWS // max(1, parts))
    for each in heard:
        times = np.arange(each.decibels.shape[1], dtype=np.float64) * hop
        for name in each.features:
            values = each.feature(name)
            yield _table(each.name, None, name, None, _steps(axis, times), times, values)
    for pair in pairs:
        chosen = extremes(pair.sound.curve, most)
        times = chosen.astype(np.float64) * hop
        values = pair.sound.curve[chosen]
        yield _table(pair.a, pair.b, "difference", None, _steps(axis, times), times, values)
        for series in pair.series:
            yield _of_series(pair, series, axis, most)


def _of_series(pair: Pair, series: SeriesDifference, axis: Axis, most: int) -> pa.Table:
    chosen = extremes(series.decades, most)
    steps = series.steps[chosen]
    return _table(
        pair.a, pair.b, "decades", series.tag, steps, axis.times(steps), series.decades[chosen]
    )


def _steps(axis: Axis, times: npt.NDArray[np.float64]) -> npt.NDArray[np.int64] | None:
    return axis.at(times) if axis else None


def _table(
    a: str,
    b: str | None,
    quantity: str,
    tag: str | None,
    steps: npt.NDArray[np.int64] | None,
    times: npt.NDArray[np.float64],
    values: npt.NDArray[np.floating],
) -> pa.Table:
    count = len(values)
    words = [_word(word, count) for word in (a, b, quantity, tag)]
    numbers = [
        pa.nulls(count, pa.int64()) if steps is None else pa.array(steps),
        pa.array(times),
        pa.array(values.astype(np.float64), from_pandas=True),  # null where there is none
    ]
    return pa.table([*words, *numbers], schema=SCHEMA)


def _word(word: str | None, count: int) -> pa.DictionaryArray:
    if word is None:
        return pa.DictionaryArray.from_arrays(pa.nulls(count, pa.int16()), pa.array([""]))
    return pa.DictionaryArray.from_arrays(np.zeros(count, np.int16), pa.array([word]))
