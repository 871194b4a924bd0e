"""Packed rows are the same rows: nothing is lost on the way in, out, through parts and merging."""

import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from epochord.runlog import LogError, RunMetadata, parquet
from epochord.runlog.packing import MANY, PACKED, pack, same_tags, unpack, unpacked_schema
from epochord.runlog.parquet import METRICS, PARTS, ParquetWriter, read_parquet

ABOUT = RunMetadata("mine", status="running")
SPECIAL = [0.0, -0.0, 1.5, np.nan, np.inf, -np.inf, 1e-45, 3e38]


def some_rows(tags: list[str], first: int, count: int, nulls: float, seed: int) -> pa.Table:
    """Make rows in which some values are null and some are special."""
    random = np.random.default_rng(seed)
    columns = {
        "step": pa.array(range(first, first + count), pa.int64()),
        "wall_time": pa.array(random.random(count), pa.float64()),
    }
    for tag in tags:
        values = random.choice(np.array(SPECIAL, np.float32), count)
        columns[tag] = pa.array(values, pa.float32(), mask=random.random(count) < nulls)
    return pa.table(columns)


def bits(table: pa.Table) -> dict[str, list]:
    """Return a table's columns by name, null as None and each number as its bits."""
    found: dict[str, list] = {}
    for name in table.column_names:
        column = table[name].combine_chunks()
        valid = column.is_valid().to_pylist()
        raw = np.asarray(column.fill_null(0)).tobytes()
        width = len(raw) // len(column) if len(column) else 0
        pieces = [raw[n * width : (n + 1) * width] for n in range(len(column))]
        found[name] = [piece if there else None for piece, there in zip(pieces, valid, strict=True)]
    return found


names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=5)


@given(
    odd=st.lists(names, unique=True, max_size=5),
    many=st.sampled_from([0, 1, MANY - 1, MANY, MANY + 1, 700]),
    rows=st.integers(0, 12),
    nulls=st.sampled_from([0.0, 0.3, 1.0]),
    seed=st.integers(0, 99),
)
@settings(max_examples=40)
def test_unpacking_is_the_inverse_of_packing(odd, many, rows, nulls, seed):
    """Of any table, of few tags or many, whatever they are called; null and NaN stay apart."""
    tags = [f"t{number}" for number in range(many)]
    tags += [tag for tag in odd if tag not in {"step", "wall_time", *tags}]
    table = some_rows(tags, 3, rows, nulls, seed)
    packed = pack(table)
    assert (PACKED in packed.column_names) == (len(tags) > MANY or PACKED in tags)
    assert unpacked_schema(packed.schema) == table.schema
    back = unpack(packed)
    assert back.schema == table.schema
    assert bits(back) == bits(table)


@given(seed=st.integers(0, 99), start=st.integers(0, 8), stop=st.integers(0, 8))
@settings(max_examples=20)
def test_a_piece_of_packed_rows_is_that_piece_of_the_rows(seed, start, stop):
    """However they are sliced, filtered or joined before they are unpacked."""
    tags = [f"t{number}" for number in range(MANY + 5)]
    table = some_rows(tags, 0, 8, 0.3, seed)
    packed = pack(table)
    piece = slice(min(start, stop), max(start, stop))
    sliced = packed.slice(piece.start, piece.stop - piece.start)
    assert bits(unpack(sliced)) == bits(table.slice(piece.start, piece.stop - piece.start))
    chosen = pa.array(np.random.default_rng(seed).random(8) < 0.5)
    assert bits(unpack(packed.filter(chosen))) == bits(table.filter(chosen))
    joined = pa.concat_tables([packed.slice(4), packed.slice(0, 4)])
    assert bits(unpack(joined)) == bits(pa.concat_tables([table.slice(4), table.slice(0, 4)]))


def test_tags_are_the_same_only_in_the_same_order():
    """Lists of equal length with other tags, or the same in another order, are other columns."""
    tags = [f"t{number}" for number in range(MANY + 1)]
    one, again = (pack(some_rows(tags, 0, 2, 0.0, seed)).schema for seed in (0, 1))
    turned = pack(some_rows(tags[::-1], 0, 2, 0.0, 0)).schema
    other = pack(some_rows([f"u{tag}" for tag in tags], 0, 2, 0.0, 0)).schema
    assert same_tags(one, again)
    assert not same_tags(one, turned)
    assert not same_tags(one, other)


@pytest.fixture
def joined_soon(monkeypatch) -> None:
    """Join parts when there are nine of them, not when there are 129."""
    monkeypatch.setattr(parquet, "PARTS_BEFORE_JOINING", 8)


def write(directory, batches: list[pa.Table], *, merge: bool) -> pa.Table:
    """Write batches as parts, merge them or not, and read all back."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir()
    writer = ParquetWriter(directory, ABOUT)
    for batch in batches:
        writer.write(batch)
    if merge:
        writer.complete(ABOUT)
        assert PACKED not in pq.read_schema(directory / METRICS).names  # others read it without us
        assert not (directory / PARTS).exists()
    rows, damage = read_parquet(directory)
    assert damage == []
    return rows


@pytest.mark.usefixtures("joined_soon")
@pytest.mark.parametrize("merge", [False, True])
@pytest.mark.parametrize("parts", [1, 3, 30])
def test_parts_of_changing_tags_read_back_as_they_were_written(parts, merge, tmp_path):
    """Few tags and many take turns, more parts than are left unjoined; a missing tag is null."""
    widths = [MANY + 40, MANY + 41, 3, 1]
    batches = [
        some_rows([f"t{n}" for n in range(widths[part // 2 % 4])], 2 * part, 2, 0.2, part)
        for part in range(parts)
    ]
    found = bits(write(tmp_path / "r", batches, merge=merge))
    expected = bits(pa.concat_tables(batches, promote_options="default"))
    assert {name: found[name] for name in sorted(found)} == dict(sorted(expected.items()))


def test_damage_to_a_packed_part_is_named_and_costs_that_part_only(tmp_path):
    """No flipped byte turns into a wrong value, and what is whole is not merged over it."""
    tags = [f"t{number}" for number in range(MANY + 1)]
    batches = [some_rows(tags, 4 * part, 4, 0.2, part) for part in range(3)]
    rows = bits(write(tmp_path / "r", batches, merge=False))
    part = sorted((tmp_path / "r" / PARTS).iterdir())[1]
    whole = part.read_bytes()
    pages = len(whole) - 8 - int.from_bytes(whole[-8:-4], "little")  # the footer has no checksum
    noticed = 0
    for place in np.random.default_rng(0).integers(4, pages, 60).tolist():
        part.write_bytes(whole[:place] + bytes([whole[place] ^ 0x41]) + whole[place + 1 :])
        table, damage = read_parquet(tmp_path / "r")
        assert all(part.name in line for line in damage)
        found = bits(table)
        if not damage:
            assert found == rows
            continue
        noticed += 1
        for tag in tags:
            *before, _, _, _, _ = true = rows[tag][:8]
            assert found[tag][:4] + found[tag][-4:] == before + rows[tag][8:]
            left = found[tag][4:-4]  # only the times may be broken, or the steps
            assert left in ([], [None] * 4, true[4:])
    assert noticed > 50
    part.write_bytes(whole[: len(whole) // 2])
    before = sorted((tmp_path / "r").rglob("*"))
    writer = ParquetWriter(tmp_path / "r", ABOUT)
    with pytest.raises(LogError, match=part.name):
        writer.complete(ABOUT)
    assert sorted((tmp_path / "r").rglob("*")) == before
