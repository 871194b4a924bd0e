"""Ensembles for the tests of scores: random, calibrated, and of an exact posterior."""

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

# Multiples of a quarter: ties are frequent, and shifts by such numbers are exact.
quarters = st.integers(-12, 12).map(lambda number: number / 4)
anything = st.floats(allow_nan=True, allow_infinity=True)
single = st.floats(allow_nan=True, allow_infinity=True, width=32)


@st.composite
def ensembles(draw, elements=quarters, targets=quarters):
    """Predictions, targets and which members count."""
    shape = draw(st.integers(1, 8)), draw(st.integers(0, 5))
    return (
        draw(arrays.arrays(np.float64, shape, elements=elements)),
        draw(arrays.arrays(np.float64, shape[1], elements=targets)),
        draw(arrays.arrays(np.bool_, shape)),
    )


def simulated(members=14, points=4000, seed=0, overconfidence=1.0, noise=0.5):
    """Members and truths from one Gaussian a point, targets with noise; half of them count."""
    rng = np.random.default_rng(seed)
    place, width = rng.normal(0, 5, points), rng.lognormal(0, 0.5, points)
    predictions = place + width / overconfidence * rng.normal(size=(members, points))
    targets = place + width * rng.normal(size=points) + noise * rng.normal(size=points)
    return predictions, targets, rng.random((members, points)) < 0.5


def exact_posterior(seed, *, members=40, points=100, noise=0.5):
    """Draws of the posterior of a Bayesian linear regression, and observations to come."""
    rng = np.random.default_rng(seed)
    x, ahead = rng.uniform(-2, 2, 20), rng.uniform(-3, 3, points)
    features, asked = (np.stack([np.ones_like(at), at, at**2], axis=1) for at in (x, ahead))
    truth = rng.normal(size=3)  # its prior
    y = features @ truth + noise * rng.normal(size=20)
    covariance = np.linalg.inv(np.eye(3) + features.T @ features / noise**2)
    weights = rng.multivariate_normal(covariance @ features.T @ y / noise**2, covariance, members)
    return weights @ asked.T, asked @ truth + noise * rng.normal(size=points)
