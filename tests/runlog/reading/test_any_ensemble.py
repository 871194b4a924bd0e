"""Any ensemble comes back: several outputs, classes, variances, members that come and go."""

import re
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from epochord.renderers.ensemble.scores import out_of_bag
from epochord.runlog import LogError
from epochord.runlog.ensemble import EnsembleSetup, Predictions
from epochord.runlog.ensemble.tables import (
    ENSEMBLE,
    ENSEMBLE_SETUP,
    MEMBER,
    prediction_rows,
    setup_rows,
)
from epochord.runlog.reading.ensemble import open_ensemble
from epochord.runlog.run.metadata import RunMetadata
from epochord.runlog.writing.start import RunLog

FORMATS = ["parquet", "tensorboard"]


def write(directory, setup, epochs, *, format="parquet", **about):
    """Write epochs of (identities, predictions, variances), as EnsembleRecorder does."""
    log = RunLog(directory, RunMetadata(directory.name, **about), format=format)
    log.writer.submit(partial(setup_rows, setup, 0.0), ENSEMBLE_SETUP, steps=(0, 0))
    for epoch, (members, predictions, variances) in epochs.items():
        rows = partial(
            prediction_rows, epoch, 1.0, predictions, members=members, variances=variances
        )
        log.writer.submit(rows, ENSEMBLE, steps=(epoch, epoch))
    log.close(max(epochs) + 1)
    return directory


@st.composite
def ensembles(draw):
    """Draw a setup, and epochs with some of its members each."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    classify = draw(st.booleans())
    outputs = draw(st.integers(2 if classify else 1, 4))
    inputs = draw(st.sampled_from([0, 1, 2, 5, 64]))  # 0: too many to be stored
    counts = draw(
        st.lists(st.integers(0, 3), min_size=4, max_size=4).filter(lambda counts: sum(counts))
    )
    points = {
        name: rng.normal(size=(n, inputs))
        for name, n in zip(("grid", "data", "held_out", "ood"), counts, strict=True)
    }

    def targets(n):
        if classify:
            return rng.integers(0, outputs, n).astype(float)
        return rng.normal(size=(n, outputs) if outputs > 1 else n)

    setup = EnsembleSetup(
        **points,
        targets=targets(counts[1]),
        held_out_targets=targets(counts[2]),
        task="classification" if classify else "regression",
        outputs=outputs,
    )
    varied = draw(st.booleans()) and not classify

    def said(rows):
        shape = (outputs,) if outputs > 1 else ()
        given = [rng.normal(size=(rows, n, *shape)).astype("f4") for n in counts]
        return Predictions(*given)

    epochs = {}
    for epoch in sorted(draw(st.sets(st.integers(0, 9), min_size=1, max_size=4))):
        members = np.array(draw(st.lists(st.integers(0, 6), min_size=1, max_size=5, unique=True)))
        rows = len(members)
        epochs[epoch] = members, said(rows), said(rows) if varied else None
    return setup, epochs


@settings(max_examples=30)
@given(case=ensembles())
def test_whatever_is_written_comes_back_from_either_format(case, tmp_path_factory):
    """Each member's row is its own in every epoch, NaN where it is absent; formats hash alike."""
    setup, epochs = case
    folder = tmp_path_factory.mktemp("any")
    hashes = set()
    for format in FORMATS:
        read = open_ensemble(write(folder / format, setup, epochs, format=format))
        hashes.add(read.log_hash())
        assert read.run.damage == ()
        assert (read.task, read.outputs) == (setup.task, setup.outputs)
        assert read.setup.places == setup.places
        assert read.epochs.tolist() == list(epochs)
        assert read.members == 1 + max(max(members) for members, _, _ in epochs.values())
        for name, array in setup.arrays().items():
            assert np.array_equal(read.setup.arrays()[name], array), name
        for place, (members, predictions, variances) in enumerate(epochs.values()):
            assert set(np.flatnonzero(read.present[place])) == set(members.tolist())
            assert (read.variances(place) is None) == (variances is None)
            both = [(read.at(place), predictions)]
            both += [] if variances is None else [(read.variances(place), variances)]
            for found, given_ in both:
                for name in setup.places:
                    mine, theirs = getattr(found, name), getattr(given_, name)
                    assert np.array_equal(mine[members], theirs), name
                    assert np.isnan(np.delete(mine, members, axis=0)).all()
    assert len(hashes) == 1


def some(outputs=3, rows=4, points=5, **others):
    rng = np.random.default_rng(1)
    setup = EnsembleSetup(
        grid=rng.normal(size=(points, 1)),
        data=rng.normal(size=(2, 1)),
        targets=others.pop("targets", rng.normal(size=(2, outputs))),
        outputs=outputs,
        **others,
    )
    shape = (outputs,) if outputs > 1 else ()
    return setup, Predictions(
        *(rng.normal(size=(rows, n, *shape)).astype("f4") for n in (points, 2, 0))
    )


@pytest.mark.parametrize("format", FORMATS)
def test_one_of_several_outputs_is_an_ensemble_of_its_own(format, tmp_path):
    """It has one number at a point, its own targets, variances and priors."""
    setup, said = some()
    prior = Predictions(*(2 * each for each in said))
    setup = EnsembleSetup(
        grid=setup.grid, data=setup.data, targets=setup.targets, outputs=3, prior=prior
    )
    wide = Predictions(*(each**2 for each in said))
    epochs = {0: (np.array([2, 0, 1, 3]), said, wide)}
    read = open_ensemble(write(tmp_path / "e", setup, epochs, format=format))
    one = read.output(1)
    assert (one.task, one.outputs, one.members) == ("regression", 1, 4)
    assert np.array_equal(one.at(0).grid[[2, 0, 1, 3]], said.grid[..., 1])
    assert np.array_equal(one.variances(0).data[[2, 0, 1, 3]], wide.data[..., 1])
    assert np.array_equal(one.setup.targets, setup.targets[:, 1])
    assert np.array_equal(one.setup.prior.grid, prior.grid[..., 1])
    assert one.output(0) is one
    with pytest.raises(LogError, match="has no output 3; it has 3, counted from 0"):
        read.output(3)


def test_a_class_alone_is_its_probability_against_whether_it_is_the_class(tmp_path):
    """The targets of class 2 are 1 where the target was 2, and 0 elsewhere."""
    setup, said = some(task="classification", targets=np.array([2.0, 0.0]))
    read = open_ensemble(write(tmp_path / "e", setup, {0: (None, said, None)}, hyperparameters={
        "classes": ["ant", "bee", "cat"], "member_names": ["a", "b"],
    }))  # fmt: skip
    assert read.classes == ("ant", "bee", "cat")
    assert read.names == ("a", "b", "2", "3")
    assert np.array_equal(read.output(2).at(0).grid, said.grid[..., 2])
    assert read.output(2).setup.targets.tolist() == [1.0, 0.0]


def test_priors_and_draws_of_the_first_members_do_not_hide_the_others(tmp_path):
    """Who came later has no prior and so no trained part; who drew what is then not known."""
    setup, said = some(outputs=1, targets=np.zeros(2), indices=np.zeros((2, 2), np.int64))
    setup = EnsembleSetup(**(vars(setup) | {"prior": Predictions(*(each[:2] for each in said))}))
    first = Predictions(*(each[:2] for each in said))
    epochs = {0: (None, first, None), 1: (None, said, None)}
    read = open_ensemble(write(tmp_path / "e", setup, epochs))
    assert read.present.tolist() == [[True, True, False, False], [True] * 4]
    assert np.isfinite(read.trained(1).grid).all(axis=1).tolist() == [True, True, False, False]
    assert read.setup.indices.tolist() == [[0, 0], [0, 0], [-1, -1], [-1, -1]]
    assert out_of_bag(read.setup.indices, 2).tolist() == [[False, True]] * 2 + [[False] * 2] * 2


def grown(folder, format):
    setup, said = some(outputs=1, targets=np.zeros(2))
    epochs = {
        epoch: (np.arange(epoch, 4), Predictions(*(each[epoch:] for each in said)), None)
        for epoch in range(3)
    }
    return write(folder / "e", setup, epochs, format=format), said


def test_a_log_from_before_there_were_identities_is_read_in_order(tmp_path):
    """Event files without them, as they were: the rows of an epoch are its first members."""
    folder, said = grown(tmp_path, "tensorboard")
    (path,) = folder.glob("events.out.tfevents.*")
    broken = path.read_bytes()
    other = broken.replace(b"ensemble/member", b"somebody/member")
    path.write_bytes(_with_checksums(other))
    read = open_ensemble(folder)
    assert np.array_equal(read.at(2).grid[:2], said.grid[2:])
    assert read.present[2].tolist() == [True, True, False, False]


def _with_checksums(data: bytes) -> bytes:
    """Return an event file's records with the checksums that they should have."""
    import google_crc32c

    def masked(part):
        crc = google_crc32c.value(part)
        return ((((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF).to_bytes(4, "little")

    found, at = b"", 0
    while at < len(data):
        length = data[at : at + 8]
        size = int.from_bytes(length, "little")
        body = data[at + 12 : at + 12 + size]
        found += length + masked(length) + body + masked(body)
        at += 16 + size
    return found


def test_epochs_whose_rows_cannot_be_told_apart_are_left_out(tmp_path):
    """Where it is lost who was there, an epoch with all of them is used, others are named."""
    folder, said = grown(tmp_path, "parquet")
    path = folder / "ensemble.parquet"
    pq.write_table(pq.read_table(path).drop_columns(MEMBER), path)
    read = open_ensemble(folder)
    assert read.epochs.tolist() == [0]
    assert np.array_equal(read.at(0).grid, said.grid)
    assert read.run.damage == ("member is lost in 2 of 3 epochs, which are left out",)


def test_a_damaged_identity_in_event_files_costs_its_epoch_only(tmp_path):
    """Nothing is given to a member that may be another's."""
    folder, said = grown(tmp_path, "tensorboard")
    (path,) = folder.glob("events.out.tfevents.*")
    broken = bytearray(path.read_bytes())
    places = [match.start() for match in re.finditer(b"ensemble/member", broken)]
    broken[places[1] + 20] ^= 0xFF
    path.write_bytes(broken)
    read = open_ensemble(folder)
    assert read.epochs.tolist() == [0, 2]
    assert np.array_equal(read.at(1).grid[2:], said.grid[2:])
    assert any("ensemble/member is missing in 1 of 3 epochs" in line for line in read.run.damage)


def test_two_rows_of_one_member_are_refused(tmp_path):
    """They could not both be it."""
    folder, _ = grown(tmp_path, "parquet")
    path = folder / "ensemble.parquet"
    rows = pq.read_table(path)
    same = pa.array(np.zeros(len(rows), np.int32))
    pq.write_table(rows.set_column(rows.column_names.index(MEMBER), MEMBER, same), path)
    with pytest.raises(LogError, match="epoch 0 has 4 rows of members"):
        open_ensemble(folder)


def test_a_grid_that_is_lost_from_the_setup_is_said(tmp_path):
    """An ensemble whose grid is lost does not pass for one without."""
    folder, _ = grown(tmp_path, "parquet")
    path = folder / "ensemble_setup.parquet"
    rows = pq.read_table(path)
    pq.write_table(rows.filter(pa.compute.field("name") != "grid"), path)
    with pytest.raises(LogError, match="on a grid, but the setup has none"):
        open_ensemble(folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({}, "no other points"),
        ({"grid": np.zeros((2, 1)), "task": "ranking"}, "task is 'ranking'; expected 'regression'"),
        ({"grid": np.zeros((2, 1)), "task": "classification"}, "1 class; expected 2 or more"),
        (
            {"data": np.zeros((2, 1)), "targets": np.zeros((2, 2)), "outputs": 3},
            r"targets of shape \(2, 2\); expected 3 targets each",
        ),
        ({"grid": np.zeros((2, 1)), "ood": np.zeros((2, 3))}, r"ood has shape \(2, 3\)"),
    ],
)
def test_setups_that_make_no_sense_are_refused(change, message):
    """What it got and what it expected."""
    with pytest.raises(ValueError, match=message):
        EnsembleSetup(**change)
