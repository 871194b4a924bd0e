"""The least-squares equations of sines at given frequencies: amplitudes, error, and a step.

A voice is a·c + b·s, with c = cos ωt and s = -sin ωt, so that a + ib is its
complex amplitude; its derivative by ω is d = a·t·s - b·t·c.
"""

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from epochord.renderers.audio.decoding.correlation import correlate
from epochord.renderers.audio.decoding.layout import Floats
from epochord.renderers.audio.decoding.sums import products

__all__ = ["Normal", "normal_equations"]

RIDGE = 1e-14  # of a sine's energy; voices that short holds cannot tell apart stay solvable

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Normal:
    """The best amplitudes at some frequencies, and how the error changes from there.

    Parameters
    ----------
    frequency : np.ndarray [shape=(frames, voices)]
        Radians a sample.
    cos, sin : np.ndarray [shape=(frames, voices)]
        Real and imaginary part of the amplitudes.
    energy, error : np.ndarray [shape=(frames,)]
        Squares of the samples, and of what the voices leave of them.
    slope : np.ndarray [shape=(frames, voices)]
        Half the error's derivative by frequency, negated.
    bend : np.ndarray [shape=(frames, voices, voices)]
        Half its second derivative as Gauss and Newton have it.
    """

    frequency: Floats
    cos: Floats
    sin: Floats
    energy: Floats
    error: Floats
    slope: Floats
    bend: Floats

    def of(self, rows: Mask) -> "Normal":
        """Return some of the frames."""
        return Normal(*(getattr(self, field.name)[rows] for field in fields(self)))

    def where_better(self, better: Mask, other: "Normal") -> "Normal":
        """Return the other one in frames where that is better."""
        pairs = [(getattr(self, field.name), getattr(other, field.name)) for field in fields(self)]
        return Normal(
            *(np.where(np.expand_dims(better, (1, 2)[: a.ndim - 1]), b, a) for a, b in pairs)
        )


def normal_equations(holds: Floats, frequency: Floats, active: Mask, sides: Floats) -> Normal:
    """Solve for the amplitudes, and prepare a step.

    Parameters
    ----------
    holds : np.ndarray [shape=(frames, channels, length)]
        Samples.
    frequency : np.ndarray [shape=(frames, voices)]
        Radians a sample.
    active : np.ndarray [shape=(frames, voices)]
        Voices that sound; the others get amplitude zero.
    sides : np.ndarray [shape=(channels, voices)]
        Gains of the channels.
    """
    length = holds.shape[2]
    heard = correlate(holds, frequency, sides)
    plain, t = np.where(active, heard.plain, 0), np.where(active, heard.t, 0)
    alike = np.where(active[:, :, None] & active[:, None], sides.T @ sides, 0.0)
    one = products(frequency, length)
    ridge = (RIDGE * length + ~active)[:, :, None] * np.eye(active.shape[1])
    even = np.linalg.inv(alike * one.cos_cos + ridge)
    odd = np.linalg.inv(alike * one.sin_sin + ridge)
    cos = np.einsum("fuv,fv->fu", even, plain.real)
    sin = np.einsum("fuv,fv->fu", odd, plain.imag)
    energy = np.einsum("fct,fct->f", holds, holds)
    explained = np.einsum("fv,fv->f", cos, plain.real) + np.einsum("fv,fv->f", sin, plain.imag)
    even_d = -alike * one.cos_t_sin * cos[:, None]  # <c, d>
    odd_d = alike * one.cos_t_sin.transpose(0, 2, 1) * sin[:, None]  # <s, d>
    slope = cos * t.imag - sin * t.real
    slope -= np.einsum("fuv,fu->fv", even_d, cos) + np.einsum("fuv,fu->fv", odd_d, sin)
    bend = alike * one.t_sin_t_sin * cos[:, :, None] * cos[:, None]
    bend += alike * one.t_cos_t_cos * sin[:, :, None] * sin[:, None]
    bend -= even_d.transpose(0, 2, 1) @ even @ even_d + odd_d.transpose(0, 2, 1) @ odd @ odd_d
    return Normal(frequency, cos, sin, energy, np.maximum(energy - explained, 0), slope, bend)
