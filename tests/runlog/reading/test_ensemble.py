"""An ensemble's log reads back what was written, from either format, whole or in part."""

import re
import shutil

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from epochord.runlog import LogError, open_run
from epochord.runlog.ensemble import EnsembleSetup, Predictions
from epochord.runlog.reading.ensemble import NoEnsembleError, open_ensemble
from epochord.runlog.reading.sources import log_files

FLOATS = st.floats(width=32)  # NaN, infinities and subnormals among them


def some_setup(members=3, grid=5, **others):
    rng = np.random.default_rng(1)
    return EnsembleSetup(
        grid=np.linspace(-1, 1, grid)[:, None],
        data=rng.normal(size=(4, 1)),
        targets=rng.normal(size=4),
        indices=rng.integers(0, 4, (members, 4)),
        prior=Predictions(
            rng.normal(size=(members, grid)), rng.normal(size=(members, 4)), np.empty((members, 0))
        ),
        prior_scale=2.5,
        **others,
    )


def some_epoch(seed, members=3, grid=5, kind="f4"):
    rng = np.random.default_rng(seed)
    return Predictions(
        *(rng.normal(size=(members, points)).astype(kind) for points in (grid, 4, 0))
    )


def equal(one, other):
    return all(np.array_equal(a, b, equal_nan=True) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("format", ["parquet", "tensorboard", "both"])
def test_everything_comes_back(write_ensemble, tmp_path, format):
    """Epochs, predictions at all places and the setup are what was written, in any format."""
    setup = some_setup()
    epochs = {epoch: some_epoch(epoch) for epoch in (0, 1, 5)}
    read = open_ensemble(write_ensemble(tmp_path / "e", epochs, setup, format=format))
    assert read.epochs.tolist() == [0, 1, 5]
    assert read.members == 3
    assert all(equal(a, b) for a, b in zip(read, epochs.values(), strict=True))
    for name, array in setup.arrays().items():
        assert np.array_equal(read.setup.arrays()[name], array), name
    assert read.setup.indices.dtype == np.int64


def test_formats_have_one_hash_and_it_depends_on_every_number(write_ensemble, tmp_path):
    """The same ensemble hashes alike from both formats; one changed prediction changes it."""
    epochs = {epoch: some_epoch(epoch) for epoch in range(3)}
    hashes = {
        open_ensemble(write_ensemble(tmp_path / f, epochs, some_setup(), format=f)).log_hash()
        for f in ("parquet", "tensorboard")
    }
    epochs[2].grid[1, 1] += 1e-6
    changed = open_ensemble(write_ensemble(tmp_path / "c", epochs, some_setup())).log_hash()
    assert len(hashes) == 1
    assert changed not in hashes


@given(values=st.lists(FLOATS, min_size=6, max_size=6))
def test_any_number_survives(write_ensemble, tmp_path_factory, values):
    """NaN, infinities and subnormals come back bit for bit, but for NaN's payload."""
    grid = np.array(values, "f4").reshape(3, 2)
    setup = EnsembleSetup(grid=np.array([[0.0], [1.0]]))
    none = np.empty((3, 0), "f4")
    for format in ("parquet", "tensorboard"):
        folder = tmp_path_factory.mktemp("any") / "e"
        written = write_ensemble(folder, {0: Predictions(grid, none, none)}, setup, format=format)
        assert np.array_equal(open_ensemble(written).at(0).grid, grid, equal_nan=True)


@pytest.mark.parametrize("format", ["parquet", "tensorboard"])
def test_half_precision_comes_back_as_float32(write_ensemble, tmp_path, format):
    """What was stored in float16 is read as the same numbers in float32."""
    epoch = some_epoch(0, kind="f2")
    read = open_ensemble(write_ensemble(tmp_path / "e", {0: epoch}, some_setup(), format=format))
    assert read.at(0).grid.dtype == np.float32
    assert equal(read.at(0), epoch)


def test_the_trained_part_is_the_prediction_less_the_scaled_prior(write_ensemble, tmp_path):
    """Q - β·p is f at every place; without priors it is Q itself."""
    setup, epoch = some_setup(), some_epoch(0)
    read = open_ensemble(write_ensemble(tmp_path / "e", {0: epoch}, setup))
    assert np.allclose(read.trained(0).grid + 2.5 * setup.prior.grid, epoch.grid, atol=1e-6)
    plain = EnsembleSetup(grid=setup.grid, data=setup.data, targets=setup.targets)
    read = open_ensemble(write_ensemble(tmp_path / "plain", {0: epoch}, plain))
    assert equal(read.trained(0), epoch)


def test_others_read_the_table(make_ensemble):
    """DuckDB sees a row an epoch and member, with lists of the grid's length."""
    path = make_ensemble(members=4, epochs=3, grid=7) / "ensemble.parquet"
    query = f"select count(*), min(len(grid)), max(len(grid)), max(member) from '{path}'"
    assert duckdb.sql(query).fetchall() == [(12, 7, 7, 3)]


def test_floats_are_split_into_their_bytes(make_ensemble):
    """Lists of floats are stored with BYTE_STREAM_SPLIT, zstd and no dictionary."""
    group = pq.ParquetFile(make_ensemble() / "ensemble.parquet").metadata.row_group(0)
    columns = {group.column(i).path_in_schema: group.column(i) for i in range(group.num_columns)}
    grid = columns["grid.list.element"]
    assert "BYTE_STREAM_SPLIT" in grid.encodings
    assert not grid.has_dictionary_page
    assert grid.compression == "ZSTD"


def test_a_damaged_part_is_left_out_and_named(make_ensemble, monkeypatch):
    """A broken row group costs its epochs; the others are used and the damage is said."""
    monkeypatch.setattr("epochord.runlog.parquet.VALUES_A_ROW_GROUP", 2000)
    path = make_ensemble() / "ensemble.parquet"
    file = pq.ParquetFile(path)
    assert file.num_row_groups > 2
    column = file.metadata.row_group(1).column(3)
    broken = bytearray(path.read_bytes())
    middle = column.data_page_offset + column.total_compressed_size // 2
    broken[middle] ^= 0xFF
    path.write_bytes(broken)
    read = open_ensemble(path.parent)
    assert 0 < len(read.epochs) < 21
    assert 0 in read.epochs
    assert 20 in read.epochs
    assert any("row group 2" in line for line in read.run.damage)


def test_a_killed_recording_is_read_from_its_parts(make_ensemble):
    """Parts that were never merged count, and once only where the merged file is there too."""
    folder = make_ensemble()
    whole = open_ensemble(folder)
    parts = folder / "ensemble.parts"
    parts.mkdir()
    shutil.copy(folder / "ensemble.parquet", parts / "000000000000.parquet")
    assert open_ensemble(folder).log_hash() == whole.log_hash()
    (folder / "ensemble.parquet").unlink()
    assert open_ensemble(folder).log_hash() == whole.log_hash()


def test_a_run_without_an_ensemble_is_told_apart(write_run, tmp_path):
    """A run that holds only measurements has no ensemble, and the message says what is expected."""
    with pytest.raises(NoEnsembleError, match=r"no ensemble table; expected ensemble\.parquet"):
        open_ensemble(write_run(tmp_path / "plain", {"loss": [1.0, 2.0]}))


def test_members_on_unequal_grids_are_refused(make_ensemble):
    """A table whose lists are of another length than the grid is refused in one line."""
    path = make_ensemble(grid=50) / "ensemble.parquet"
    rows = pq.read_table(path)
    place = rows.column_names.index("grid")
    short = pa.FixedSizeListArray.from_arrays(pa.array(np.zeros(len(rows) * 9, "f4")), 9)
    pq.write_table(rows.set_column(place, "grid", short), path)
    with pytest.raises(LogError, match=r"column grid holds fixed_size_list.*expected lists of 50"):
        open_ensemble(path.parent)


def test_a_member_without_a_row_is_absent(make_ensemble):
    """An epoch that lacks members does not pass for a smaller ensemble: it says who is absent."""
    path = make_ensemble(members=5) / "ensemble.parquet"
    rows = pq.read_table(path)
    pq.write_table(rows.slice(0, len(rows) - 2), path)
    read = open_ensemble(path.parent)
    assert read.members == 5
    assert read.present[:-1].all()
    assert read.present[-1].tolist() == [True, True, True, False, False]
    assert np.isnan(read.at(-1).grid).any(axis=1).tolist() == [False] * 3 + [True] * 2


def test_the_tables_of_a_run_are_read_when_asked_for(make_ensemble):
    """Run.tables has them by name, and removing a log takes them along."""
    folder = make_ensemble(members=4, epochs=3)
    run = open_run(folder)
    assert set(run.tables) == {"ensemble", "ensemble_setup"}
    assert len(run.tables["ensemble"]) == 12
    assert {"ensemble.parquet", "ensemble_setup.parquet"} <= {p.name for p in log_files(folder)}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"grid": np.zeros(5)}, "grid has shape"),
        ({"data": np.zeros((2, 2)), "targets": np.zeros(2)}, "data has shape"),
        ({"data": np.zeros((2, 1)), "targets": np.zeros(3)}, "expected one target each"),
        ({"indices": np.array([[0, 1]])}, "indices .* must be"),
    ],
)
def test_a_setup_that_does_not_fit_is_refused(change, message):
    """Shapes that contradict each other are named with what was expected."""
    with pytest.raises(ValueError, match=message):
        EnsembleSetup(**({"grid": np.zeros((5, 1))} | change))


def flip_in_column(path, column):
    """Damage the middle of a column's data in every row group."""
    broken = bytearray(path.read_bytes())
    metadata = pq.ParquetFile(path).metadata
    for group in range(metadata.num_row_groups):
        chunk = next(
            metadata.row_group(group).column(i)
            for i in range(metadata.num_columns)
            if metadata.row_group(group).column(i).path_in_schema.startswith(column)
        )
        broken[chunk.data_page_offset + chunk.total_compressed_size // 2] ^= 0xFF
    path.write_bytes(broken)


@pytest.mark.parametrize("place", ["held_out", "data"])
def test_damage_at_one_place_costs_that_place_only(make_ensemble, place):
    """Damaged predictions at the data or held-out points are NaN; all else is as it was."""
    folder = make_ensemble()
    whole = open_ensemble(folder)
    expected = [each._asdict() for each in whole]
    flip_in_column(folder / "ensemble.parquet", place)
    read = open_ensemble(folder)
    assert read.epochs.tolist() == whole.epochs.tolist()
    for mine, theirs in zip(read, expected, strict=True):
        for name, values in mine._asdict().items():
            if name == place:
                assert np.isnan(values).all()
                assert values.shape == theirs[name].shape
            else:
                assert np.array_equal(values, theirs[name])
    (line,) = read.run.damage
    assert f"damaged, {place} is left out there" in line


def test_a_place_without_a_column_is_left_out(make_ensemble):
    """Where held-out predictions are not damaged but gone, they are NaN, and that is said."""
    path = make_ensemble() / "ensemble.parquet"
    pq.write_table(pq.read_table(path).drop_columns("held_out"), path)
    read = open_ensemble(path.parent)
    assert np.isnan(read.at(3).held_out).all()
    assert read.run.damage == (f"{path}: has no column held_out, which is left out",)


def test_a_damaged_tensor_costs_its_place_and_epoch_only(make_ensemble):
    """In event files, held-out predictions of one epoch are lost; the epoch is not."""
    folder = make_ensemble(format="tensorboard")
    whole = open_ensemble(folder)
    (path,) = folder.glob("events.out.tfevents.*")
    broken = bytearray(path.read_bytes())
    places = [match.start() for match in re.finditer(b"ensemble/held_out", broken)]
    assert len(places) == 21
    broken[places[15] + 60] ^= 0xFF
    path.write_bytes(broken)
    read = open_ensemble(folder)
    assert read.epochs.tolist() == whole.epochs.tolist()
    assert np.isnan(read.at(15).held_out).all()
    assert equal(read.at(14), whole.at(14))
    assert equal(read.at(15)[:2], whole.at(15)[:2])
    assert any("ensemble/held_out is missing in 1 of 21 epochs" in x for x in read.run.damage)


@pytest.mark.parametrize("lost", ["held_out", "held_out_targets", "prior/held_out"])
def test_held_out_points_of_which_something_is_lost_are_left_out(make_ensemble, lost):
    """The setup without inputs, targets or priors of held-out points is one without them."""
    path = make_ensemble() / "ensemble_setup.parquet"
    rows = pq.read_table(path)
    pq.write_table(rows.filter(pc.field("name") != lost), path)
    read = open_ensemble(path.parent)
    assert len(read.setup.held_out) == 0
    assert len(read.setup.data) == 8
    assert read.run.damage == (f"{path}: {lost} is lost, held_out is left out",)
    assert read.at(0).held_out.shape == (12, 0)


@pytest.mark.parametrize("missing", ["ensemble", "ensemble_setup"])
def test_a_table_that_is_gone_is_named_with_a_remedy(make_ensemble, missing):
    """What, where, what it holds, and what can be done; it is no run without an ensemble."""
    path = make_ensemble() / f"{missing}.parquet"
    path.unlink()
    with pytest.raises(LogError, match=f"but no {missing}.parquet, which holds its") as failed:
        open_ensemble(path.parent)
    assert not isinstance(failed.value, NoEnsembleError)
    assert "copy it back from where the run was recorded, or record" in str(failed.value)
    assert str(path.parent) in str(failed.value)


@pytest.mark.parametrize("broken", ["ensemble", "ensemble_setup"])
def test_a_table_that_is_damaged_throughout_is_named_with_a_remedy(make_ensemble, broken):
    """The file, the reason and the remedy, in one line."""
    path = make_ensemble() / f"{broken}.parquet"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(LogError, match=f"{broken}.parquet: damaged, .* copy it back") as failed:
        open_ensemble(path.parent)
    assert not isinstance(failed.value, NoEnsembleError)
    assert "\n" not in str(failed.value)


@pytest.mark.parametrize("lost", ["ensemble", "ensemble_setup"])
def test_event_files_make_up_for_a_table(make_ensemble, lost):
    """A run written in both formats is whole without one of its tables, or with it damaged."""
    folder = make_ensemble(format="both")
    whole = open_ensemble(folder).log_hash()
    path = folder / f"{lost}.parquet"
    path.write_bytes(b"PAR1 no more")
    assert open_ensemble(folder).log_hash() == whole
    path.unlink()
    assert open_ensemble(folder).log_hash() == whole
