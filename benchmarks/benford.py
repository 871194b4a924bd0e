"""What leading digits cost, against peers and log10, and whether they are right.

All count the first digits of the same numbers, log-uniform from 1 to a million,
since the peers leave out numbers below 1 or 0.01.  They take turns; the slow
ones sit out some of the rounds.
"""

import contextlib
import io
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.measure import CpuTimes, interleaved, ratios, spread
from benchmarks.tables import table
from benchmarks.targets import Part, Target, at_least, at_most, joined
from epochord.renderers.benford.leading_digits import count_digits, first_two_digits, leading_digits
from epochord.runlog.digits.bits import fold_patterns

__all__ = ["report"]

NUMBERS = 10_000_000
ROUNDS, SLOW_ROUNDS = 9, 2
LEAST_GAIN = 50  # times less CPU time than the peers
RANDOM = 1_000_000  # bit patterns of each float type
FOLDED, FOLDS = 1_000_000, 20
FOLD_BITS = (16, 17, 18, 19)  # with 16 and 17, the chance of which numbers are split is greater
MOST_FOLD_ERROR = 5e-5
GRADIENTS = 100_000

OURS, NAIVE = "Epochord, count_digits", "log10, floor and bincount"
FULL, BASE, SLAW = "benford_py, Benford()", "benford_py, digits only", "benfordslaw, fit()"
PEERS = {FULL: "benford_py", BASE: "benford_py", SLAW: "benfordslaw"}

Numbers = npt.NDArray[Any]
Counts = npt.NDArray[np.int64]


def report() -> str:
    """Measure speed, exactness and folds, and return the tables."""
    return joined([_speed(), _exactness(), _folds()])


# Speed


def _speed() -> Part:
    values = 10 ** np.random.default_rng(0).uniform(0, 6, NUMBERS)
    ways: dict[str, Callable[[], Counts]] = {}
    for size, given in (("float64", values), ("float32", values.astype(np.float32))):
        ways[f"{OURS}, {size}"] = partial(_ours, given)
        ways[f"{NAIVE}, {size}"] = partial(_naive, given)
    peers = [name for name, package in PEERS.items() if _version(package)]
    ways |= {name: partial(COUNTS[name], values) for name in peers}
    found: dict[str, Counts] = {}
    works = {name: partial(_keep, found, name, way) for name, way in ways.items()}
    times = interleaved(works, rounds=ROUNDS, fewer=dict.fromkeys(peers, SLOW_ROUNDS), warm_up=1)
    return Part([_speed_table(times, found)], [*_speed_targets(times, peers)], [*_notes(peers)])


def _keep(found: dict[str, Counts], name: str, way: Callable[[], Counts]) -> None:
    found[name] = way()


def _ours(values: Numbers) -> Counts:
    return count_digits(values).counts


def _naive(values: Numbers) -> Counts:
    magnitudes = np.abs(values)
    exponents = np.floor(np.log10(magnitudes))
    return np.bincount((magnitudes / 10**exponents).astype(np.int64), minlength=11)[1:10]


def _benford(values: Numbers) -> Counts:
    import benford

    with _quietly():
        return benford.Benford(values, verbose=False).F1D.Counts.to_numpy(np.int64)


def _base(values: Numbers) -> Counts:
    from benford.benford import Base

    return Base(values, decimals=2).F1D.value_counts().reindex(range(1, 10), fill_value=0)


def _benfordslaw(values: Numbers) -> Counts:
    from benfordslaw import benfordslaw

    with _quietly():
        found = benfordslaw(verbose="silent").fit(values)
    shares = np.nan_to_num(found["percentage_emp"][:, 1] / 100)
    return np.round(shares * found["N"]).astype(np.int64)


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        yield


COUNTS: dict[str, Callable[[Numbers], Counts]] = {
    FULL: _benford,
    BASE: _base,
    SLAW: _benfordslaw,
}


def _speed_table(times: CpuTimes, found: dict[str, Counts]) -> str:
    rows = []
    for name in times:
        size = "float32" if name.endswith("float32") else "float64"
        ours = f"{OURS}, {size}"
        amiss = int(np.abs(np.asarray(found[name]) - found[ours]).sum())
        gain = ratios(times, name, to=ours).text(1)
        rows.append([name, spread(times[name]).text(3), gain, f"{amiss:,}"])
    head = ["way", "CPU s", "÷ Epochord, same type", "counts that differ"]
    rounds = f"{ROUNDS} rounds, {SLOW_ROUNDS} of the slow ones"
    return table(f"First digits of {NUMBERS:,} numbers; {rounds}: median (quartiles)", head, rows)


def _speed_targets(times: CpuTimes, peers: list[str]) -> Iterator[Target]:
    for peer in peers:
        gain = ratios(times, peer, to=f"{OURS}, float64").median
        yield at_least(f"{peer} ÷ {OURS}", gain, LEAST_GAIN)
    for size in ("float64", "float32"):
        gain = ratios(times, f"{NAIVE}, {size}", to=f"{OURS}, {size}").median
        yield at_least(f"{NAIVE} ÷ {OURS}, {size}", gain, 1)


def _notes(peers: list[str]) -> Iterator[str]:
    gradients = np.random.default_rng(0).normal(0, 1e-3, GRADIENTS)
    for name in peers:
        kept = COUNTS[name](gradients).sum()
        yield f"{name} counts {kept:,} of {GRADIENTS:,} Gaussian numbers with sd 0.001."
    for package in dict.fromkeys(PEERS.values()):
        yield f"{package} {_version(package) or 'not installed'}"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


# Exactness


def _exactness() -> Part:
    """Compare with decimals: thresholds, their neighbours, and random bits."""
    rows, wrong = [], 0
    for kind in (np.float16, np.float32, np.float64):
        for places in (1, 2):
            thresholds, random = _thresholds(kind, places), _random(kind)
            errors = [_errors(values, places) for values in (thresholds, random)]
            cells = (f"{len(thresholds):,}", f"{len(random):,}", *map(str, errors))
            rows.append([np.dtype(kind).name, f"{places}", *cells])
            wrong += sum(errors)
    head = ["type", "digits", "thresholds and neighbours", "random bits", "wrong", "wrong"]
    what = "Digits that are not those of the shortest decimal, as Python and NumPy write it"
    return Part([table(what, head, rows)], [at_most("digits that are wrong", wrong, 0)])


def _thresholds(kind: type[np.floating[Any]], places: int) -> Numbers:
    significands = range(10 ** (places - 1), 10**places)
    written = [float(f"{s}e{k}") for k in range(-330, 310) for s in significands]
    with np.errstate(over="ignore", under="ignore"):
        nearest = np.array(written).astype(kind)
        sides = [np.nextafter(nearest, kind(end)) for end in (0, np.inf)]
    return np.unique(np.concatenate([nearest, *sides]))


def _random(kind: type[np.floating[Any]]) -> Numbers:
    word = np.dtype(f"u{np.dtype(kind).itemsize}")
    most = np.iinfo(word).max
    return np.random.default_rng(0).integers(0, most, RANDOM, word, endpoint=True).view(kind)


def _errors(values: Numbers, places: int) -> int:
    found = (leading_digits if places == 1 else first_two_digits)(values)
    if values.dtype == np.float64:
        texts = map(repr, values.tolist())
    else:
        texts = (np.format_float_scientific(value, unique=True) for value in values)
    written = (_written(text, places) for text in texts)
    return sum(one != two for one, two in zip(found.tolist(), written, strict=True))


def _written(text: str, places: int) -> int:
    if text.lstrip("-") in ("inf", "nan"):
        return -1
    significand = text.partition("e")[0].replace(".", "").lstrip("-0")
    return int((significand + "0")[:places]) if significand else 0


# Folds


def _folds() -> Part:
    errors = {bits: [_fold_error(seed, bits) for seed in range(FOLDS)] for bits in FOLD_BITS}
    rows = [[f"{bits}", spread(each).text(6), f"{max(each):.6f}"] for bits, each in errors.items()]
    most = FOLD_BITS[-1]
    target = at_most(f"share error of folds of {most} bits", max(errors[most]), MOST_FOLD_ERROR)
    title = f"Folds of {FOLDED:,} float32: greatest error of a share, {FOLDS} of four distributions"
    return Part([table(title, ["bits", "median (quartiles)", "most"], rows)], [target])


def _fold_error(seed: int, upper: int) -> float:
    rng = np.random.default_rng(seed)
    draws = (
        lambda: rng.normal(0, 10 ** rng.uniform(-6, 0), FOLDED),
        lambda: rng.laplace(0, 10 ** rng.uniform(-6, 0), FOLDED),
        lambda: rng.standard_t(2, FOLDED) * 10 ** rng.uniform(-6, 0),
        lambda: rng.lognormal(-8, 3, FOLDED),
    )
    values = draws[seed % len(draws)]().astype(np.float32)
    bits = (values.view(np.uint32) >> (32 - upper)).astype(np.intp)
    folded = fold_patterns(np.bincount(bits, minlength=1 << upper))
    return float(np.abs(folded.shares - count_digits(values).shares).max())
