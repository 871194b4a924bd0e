"""Planes are those of BT.709, and only what changed is converted."""

import subprocess

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from epochord.renderers.pictures.planes import Planes
from epochord.renderers.pictures.video import find_ffmpeg

PICTURES = arrays.arrays(np.uint8, (6, 8, 3))


def split(planes, height=6, width=8):
    """Return Y, Cb and Cr as floats."""
    flat = planes.data.reshape(-1).astype(float)
    y, b, r = np.split(flat, [height * width, height * width * 5 // 4])
    return y.reshape(height, width), b.reshape(height // 2, -1), r.reshape(height // 2, -1)


def defined(picture):
    """Return them by the definition: ITU-R BT.709-6, of 8 bits, colours as means of four."""
    red, green, blue = np.moveaxis(picture.astype(float), 2, 0)
    light = 0.2126 * red + 0.7152 * green + 0.0722 * blue

    def mean(values):
        return values.reshape(len(values) // 2, 2, -1, 2).mean(axis=(1, 3))

    return (
        16 + 219 * light / 255,
        128 + 224 * mean(blue - light) / 1.8556 / 255,
        128 + 224 * mean(red - light) / 1.5748 / 255,
    )


@given(PICTURES)
def test_planes_are_bt_709(picture):
    """Each value is the nearest whole number, but for rounding of the weights."""
    for ours, exact in zip(split(Planes.of(picture)), defined(picture), strict=True):
        assert np.abs(ours - exact).max() < 0.51


@given(PICTURES, PICTURES, st.integers(0, 2), st.integers(0, 3))
def test_only_what_changed_is_taken(before, after, row, column):
    """A part that is taken is as in the new picture, the rest as in the old one."""
    rows, columns = slice(2 * row, 6), slice(0, 2 * column + 2)
    partly = before.copy()
    partly[rows, columns] = after[rows, columns]
    planes = Planes.of(before)
    planes.take(after, rows, columns)
    assert np.array_equal(planes.data, Planes.of(partly).data)


@settings(max_examples=20)
@given(PICTURES, PICTURES, st.floats(0, 1))
def test_mixtures_go_from_one_to_the_other(one, other, share):
    """Exact at both ends, within a value or two in between."""
    a, b, mixed = Planes.of(one), Planes.of(other), Planes(6, 8)
    for at in (0.0, share, 1.0):
        mixed.mix(a, b, at)
        expected = a.data + at * (b.data.astype(float) - a.data)
        assert np.abs(mixed.data - expected).max() <= (1.5 if 0 < at < 1 else 0)


def test_odd_sizes_are_refused():
    """Colours are stored for pairs of pixels."""
    with pytest.raises(ValueError, match="5 × 8 pixels; expected even numbers"):
        Planes(5, 8)


def test_ffmpeg_shows_the_colours_again():
    """Decoded by ffmpeg as a player does, flat colours come back."""
    colours = np.random.default_rng(0).integers(0, 256, (16, 3))
    picture = np.repeat(np.repeat(colours.reshape(4, 4, 3), 8, 0), 8, 1).astype(np.uint8)
    command = [find_ffmpeg(), "-loglevel", "error", "-f", "rawvideo", "-pixel_format", "yuv420p"]
    command += ["-video_size", "32x32", "-i", "-", "-vf", "scale=in_color_matrix=bt709:in_range=tv"]
    command += ["-sws_flags", "neighbor", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    done = subprocess.run(command, input=Planes.of(picture).data.tobytes(), capture_output=True)
    back = np.frombuffer(done.stdout, np.uint8).reshape(32, 32, 3).astype(int)
    assert np.abs(back - picture)[4::8, 4::8].max() <= 4
