"""What the meters need of scipy.signal is scipy.signal's to the last bit, without its import."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import signal

from epochord.renderers.audio.level import filters
from epochord.renderers.audio.level.filters import bilinear, kaiser_lowpass, sosfilt

coefficients = st.floats(0.1, 10) | st.floats(-10, -0.1)


@pytest.mark.parametrize(("taps", "cutoff", "decibels"), [(321, 1 / 8, 60.0), (41, 0.3, 75.5)])
def test_the_lowpass_is_scipys(taps, cutoff, decibels):
    """Sinc, Kaiser's window and scaling."""
    window = ("kaiser", signal.kaiser_beta(decibels))
    expected = signal.firwin(taps, cutoff, window=window)
    np.testing.assert_array_equal(kaiser_lowpass(taps, cutoff, decibels), expected)


@given(
    st.tuples(coefficients, coefficients, coefficients),
    st.tuples(coefficients, coefficients),
    st.floats(0.1, 1e5),
)
def test_the_bilinear_transform_is_scipys(numerator, denominator, rate):
    """Of every filter of second order."""
    expected = np.concatenate(signal.bilinear(numerator, [*denominator, 1], fs=rate))
    if expected.shape == (6,):  # scipy leaves out leading coefficients that are zero
        np.testing.assert_array_equal(bilinear(numerator, [*denominator, 1], rate), expected)


@pytest.mark.parametrize("compiled", [True, False])
def test_filtering_is_scipys_piece_by_piece(compiled, monkeypatch):
    """Also where SciPy keeps its compiled filter elsewhere; what was given stays as it was."""
    if not compiled:
        monkeypatch.setattr(filters, "_compiled", lambda: None)
    sections = signal.butter(4, 0.1, output="sos")
    samples = np.random.default_rng(0).normal(size=(2, 1000))
    state = expected_state = np.zeros((2, 2, 2))
    for start, end in ((0, 1), (1, 300), (300, 1000)):
        piece = samples[:, start:end]
        expected, expected_state = signal.sosfilt(sections, piece, zi=expected_state)
        filtered, state = sosfilt(sections, piece, state)
        np.testing.assert_array_equal(filtered, expected)
        np.testing.assert_array_equal(state, expected_state)
    np.testing.assert_array_equal(samples, np.random.default_rng(0).normal(size=(2, 1000)))


def test_nothing_of_scipy_signal_is_imported():
    """Its heart is there all the same, and the whole of it can be imported afterwards."""
    program = (
        "import sys, numpy as np\n"
        "from epochord.renderers.audio.level import filters\n"
        "filters.sosfilt(np.array([[1., 0, 0, 1, 0, 0]]), np.ones((1, 9)), np.zeros((1, 1, 2)))\n"
        "print(filters._compiled() is not None, 'scipy.signal' in sys.modules)\n"
        "from scipy import signal; signal.sosfilt(np.array([[1., 0, 0, 1, 0, 0]]), np.ones(9))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("True False\n", "")
