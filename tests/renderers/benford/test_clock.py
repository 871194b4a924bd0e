"""The clock of videos of first digits: no step is left out, and none comes twice."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from epochord.renderers.benford.clock import FPS, clock, shown

EPOCHS = st.lists(st.integers(0, 10_000), min_size=1, max_size=200, unique=True).map(
    lambda epochs: np.array(sorted(epochs))
)


@given(epochs=EPOCHS, duration=st.one_of(st.none(), st.floats(0.1, 20)))
def test_the_clock_never_runs_back_and_ends_at_the_last_epoch(epochs, duration):
    """Every epoch shown is one that was recorded, in order; the last one is held for 2 s."""
    time = clock([epochs], duration)
    seen = epochs[shown(time, epochs)]
    assert (np.diff(seen) >= 0).all()
    assert np.array_equal(seen, time)
    assert (time[-2 * FPS :] == epochs[-1]).all()
    if duration is None and len(epochs) <= 900:
        assert set(time) == set(epochs)


@given(one=EPOCHS, other=EPOCHS)
def test_runs_share_a_clock(one, other):
    """Each run shows its last epoch recorded by then, and its first one before that."""
    time = clock([one, other])
    for epochs in (one, other):
        for now, place in zip(time, shown(time, epochs), strict=True):
            assert epochs[place] == max((e for e in epochs if e <= now), default=epochs[0])
