"""Real logs and hand-made traps, read as an independent oracle reads them."""

import re
from pathlib import Path

import numpy as np
import pytest

from epochord.runlog import LogError, find_runs, open_run
from epochord.runlog.tensorboard import candidates, read_event_files

SETS = (
    "catboost", "dup-steps", "flight", "gan-gradnorms", "header-only", "hf-trainer",
    "hparams-601", "keras-gradhist", "lfs-pointer", "lightning-lstm", "maddpg-nan",
    "mlagents-slime", "tf1-functest", "tf1-guild", "tf1-mnist-perlayer", "tf1-trunc-rl",
    "tf2-keras-katib", "torch-noheader",
)  # fmt: skip
UNREADABLE = ("lfs-pointer", "tf1-trunc-rl")

TRAPS = (
    "a_tf1", "b2_tf2_meta_first_only", "b3_tf2_nometa", "b4_tf2_f16", "b4_tf2_i64",
    "b5_tf2_shape1", "b_tf2", "c_two_files_seq", "d2_restart_purge", "d4_nover_outoforder",
    "d_restart_nopurge", "e_trunc", "f2_crc_footer_mid", "f5_zero_tail", "f_crc_data_mid",
    "g_nan_inf", "h2_dup_steps", "h_out_of_order", "i_wall_nan", "j_tags", "k_gzip",
    "l3_garbage", "l_empty", "v_lex_order", "w2_hparams", "w_add_scalars",
)  # fmt: skip


@pytest.fixture(scope="session")
def table(real_data: Path) -> dict[str, dict[str, str]]:
    """Return the table of the real data's README: columns by set."""
    lines = (real_data / "README.md").read_text(encoding="utf-8").splitlines()
    rows = [line.strip("|").split("|") for line in lines if line.startswith("|")]
    return {row[0]: dict(zip(rows[0], row, strict=True)) for row in rows[2:]}


@pytest.fixture
def trap(real_data: Path):
    """Open the run of a trap; it has one."""
    return lambda name: open_run(real_data / "tensorboard-traps" / name)


def test_every_set_and_every_trap_is_tested(real_data, table):
    """The lists of names here are complete."""
    assert sorted(table) == sorted(SETS)
    for folder, named in (("tensorboard", SETS), ("tensorboard-traps", TRAPS)):
        assert sorted(path.name for path in (real_data / folder).iterdir()) == sorted(named)


@pytest.mark.parametrize("name", SETS)
def test_a_real_set_gives_what_the_oracle_and_the_table_say(real_data, table, check, name):
    """Runs, tags, points, and each step, wall time and value, bit for bit."""
    runs = []
    for source in find_runs(real_data / "tensorboard" / name):
        found = read_event_files(candidates(source.path))
        check(found, source.path)
        if name not in UNREADABLE:
            runs.append(source.open())
            check(runs[-1], source.path)
    told = table[name]
    assert len(runs) == (0 if name in UNREADABLE else int(told["runs"]))
    assert len({tag for run in runs for tag in run.series}) == int(told["distinct tags"])
    points = sum(len(series) for run in runs for series in run.series.values())
    assert points == int(told["points simple"]) + int(told["points tensor"])


@pytest.mark.parametrize("name", TRAPS)
def test_a_trap_gives_what_the_oracle_says(real_data, check, name):
    """All runs of the trap, with the counts of what was left out."""
    for source in find_runs(real_data / "tensorboard-traps" / name):
        check(read_event_files(candidates(source.path)), source.path)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("tf1-trunc-rl", r"not read: 573440 bytes behind the last whole record"),
        ("lfs-pointer", r" and 1 more: is a Git LFS pointer \(fetch the file with"),
    ],
)
def test_where_nothing_can_be_read_the_error_says_why(real_data, name, reason):
    """Each of these holds one folder with event files, of which none can be used."""
    (source,) = find_runs(real_data / "tensorboard" / name)
    with pytest.raises(LogError, match=f"{re.escape(str(source.path))}: nothing .*{reason}"):
        source.open()


def test_decoys_among_event_files_are_named(real_data):
    """Unity writes a .meta file beside each file; the run is read without them."""
    runs = [source.open() for source in find_runs(real_data / "tensorboard" / "mlagents-slime")]
    reports = [report for run in runs for report in run.files]
    assert sum(report.problem == "is a Unity .meta file" for report in reports) == 23
    assert sum(report.file.endswith(".meta") for report in reports) == 23
    assert all(run.series for run in runs)


def test_independent_trainings_in_one_folder_stay_apart_by_segment(real_data):
    """Six trainings with overlapping steps, one without any: each file has its number."""
    (source,) = find_runs(real_data / "tensorboard" / "hf-trainer")
    run = source.open()
    assert [report.points > 0 for report in run.files] == [True] * 3 + [False] + [True] * 2
    segments = {int(number) for series in run.series.values() for number in series.segments}
    assert segments == {0, 1, 2, 4, 5}
    assert any((np.diff(series.steps) < 0).any() for series in run.series.values())


@pytest.mark.parametrize(
    "name", ["a_tf1", "b_tf2", "b2_tf2_meta_first_only", "b3_tf2_nometa", "b5_tf2_shape1"]
)
def test_a_scalar_is_one_series_however_it_was_written(trap, name):
    """TF1's simple value; TF2's tensor with metadata, on the first event only, or none; [1]."""
    loss = trap(name)["loss"]
    assert loss.steps.tolist() == loss.values.tolist() == list(range(10))
    assert loss.wall_times.tolist() == list(range(1, 11))
    assert loss.dtype == np.float32


def test_halves_and_integers_are_numbers(trap):
    """Halves are float32 exactly; 64-bit integers need float64."""
    halves = trap("b4_tf2_f16")["loss"]
    truth = (np.arange(10) + 0.1).astype(np.float16).astype(np.float32)
    np.testing.assert_array_equal(halves.values, truth)
    integers = trap("b4_tf2_i64")["loss"]
    assert integers.values.tolist() == list(range(10))
    assert (halves.dtype, integers.dtype) == (np.float32, np.float64)


@pytest.mark.parametrize("name", ["c_two_files_seq", "v_lex_order"])
def test_files_are_segments_in_the_order_of_their_time_stamps(trap, name):
    """999999999 comes before 1000000000."""
    run = trap(name)
    assert run["loss"].steps.tolist() == run["loss"].values.tolist() == list(range(10))
    assert run["loss"].segments.tolist() == [0] * 5 + [1] * 5
    stamps = [int(segment.split(".")[3]) for segment in run.segments]
    assert stamps == ([100, 200] if name.startswith("c") else [999999999, 1000000000])


def test_a_session_start_purges_and_its_absence_does_not(trap):
    """Both second files begin again at step 5; only one says so."""
    purged = trap("d2_restart_purge")
    assert purged["loss"].steps.tolist() == list(range(12))
    assert purged["loss"].values.tolist() == [*range(5), *range(105, 112)]
    assert [report.purged_steps for report in purged.files] == [5, 0]
    kept = trap("d_restart_nopurge")
    assert kept["loss"].steps.tolist() == [*range(10), *range(5, 12)]
    assert [report.purged_steps for report in kept.files] == [0, 0]


@pytest.mark.parametrize(
    ("name", "steps"),
    [
        ("d4_nover_outoforder", [*range(10), 5, 6, 7]),
        ("h_out_of_order", [0, 1, 2, 5, 3, 4, 6]),
        ("h2_dup_steps", [0, 0, 0, 1, 1, 1, 2, 2, 2]),
    ],
)
def test_steps_stay_in_write_order(trap, name, steps):
    """Backward and duplicate steps are kept, and a missing version record is no damage."""
    run = trap(name)
    assert run["loss"].steps.tolist() == steps
    assert run.damage == ()


@pytest.mark.parametrize(
    ("name", "missing", "damage"),
    [
        ("e_trunc", [9], "35 bytes behind the last whole record"),
        ("f_crc_data_mid", [4], "1 × wrong CRC"),
        ("f2_crc_footer_mid", [4], "1 × wrong CRC"),
        ("f5_zero_tail", [], "4096 bytes behind the last whole record"),
    ],
)
def test_damage_costs_its_own_record_and_is_named(trap, name, missing, damage):
    """What is whole is read, in front of the damage and behind it."""
    run = trap(name)
    assert run["loss"].steps.tolist() == [step for step in range(10) if step not in missing]
    (line,) = run.damage
    assert line.endswith(f"{name}/events.out.tfevents.100.host.1.0: not read: {damage}")


def test_nan_and_infinities_are_measurements(trap):
    """They keep their steps."""
    assert repr(trap("g_nan_inf")["loss"].values.tolist()) == "[1.0, nan, inf, -inf, 2.0]"


def test_a_wall_time_that_is_no_number_is_harmless(trap):
    """All ten points are there; the times are as they were written."""
    run = trap("i_wall_nan")
    assert run["loss"].steps.tolist() == list(range(10))
    assert not np.isfinite(run["loss"].wall_times).all()
    assert run.damage == ()


def test_any_text_is_a_tag(trap):
    """Empty, with tabs, with a dot in front, in any script."""
    run = trap("j_tags")
    assert list(run.series) == ["a/b/c", "损失/α ß", "", "x y\tz", ".hidden"]
    assert [run[tag].values.tolist() for tag in run.series] == [[1], [2], [3], [4], [5]]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("k_gzip", r"is compressed with gzip \(unpack it with gunzip\)"),
        ("l3_garbage", r"is no event file \(no record with a valid length and CRC\)"),
    ],
)
def test_what_is_no_event_file_is_told_apart(trap, name, reason):
    """The error names the file and says what it is."""
    with pytest.raises(LogError, match=rf"{name}/events.out.tfevents.100.host.1.0: {reason}"):
        trap(name)


def test_an_empty_file_is_a_run_that_has_not_begun(trap):
    """It is no damage, but it is named."""
    run = trap("l_empty")
    assert (run.series, run.damage) == ({}, ())
    assert run.files[0].others == {"empty file": 1}


def test_sub_runs_are_found_under_tensorboards_names(real_data):
    """`add_scalars` and `add_hparams` write folders below the run's own."""
    folder = real_data / "tensorboard-traps"
    runs = {source.name: source.open() for source in find_runs(folder / "w_add_scalars")}
    assert list(runs) == ["main_a", "main_b", "w_add_scalars"]
    assert runs["main_a"]["main"].values.tolist() == [0, 1, 2, 3, 4]
    assert runs["main_b"]["main"].values.tolist() == [0, -1, -2, -3, -4]
    runs = {source.name: source.open() for source in find_runs(folder / "w2_hparams")}
    assert list(runs) == ["1795434468.4102275", "w2_hparams"]
    assert list(runs["1795434468.4102275"].series) == ["hp/acc"]
    assert runs["1795434468.4102275"].files[0].others == {"hparams": 3}
