"""Results in one line, and as their picture in a notebook."""

import base64
from pathlib import Path

from epochord.renderers.results import shown
from epochord.renderers.results.shown import page_html, picture_html, result_repr


class Made:
    """Stands for any result."""


def test_a_result_is_one_short_line():
    """Its first file, how many more, and whether it is new."""
    paths = [Path("renders/sgd/x.png"), Path("y"), Path("z")]
    assert result_repr(Made(), paths, made=True) == "<Made 'renders/sgd/x.png' and 2 more: made>"
    assert result_repr(Made(), paths[:1], made=False) == "<Made 'renders/sgd/x.png': up to date>"
    assert len(result_repr(Made(), [Path("x" * 5000)], made=True)) < 200


def test_the_first_picture_is_shown_whole(tmp_path):
    """A video is not one; a small animation is."""
    film, small, still = (tmp_path / name for name in ("a.mp4", 'b"<.webp', "c.png"))
    film.write_bytes(b"film")
    small.write_bytes(b"small")
    html = picture_html([film, small, still])
    assert f"data:image/webp;base64,{base64.b64encode(b'small').decode()}" in html
    assert 'alt="b&quot;&lt;.webp"' in html


def test_what_is_gone_or_too_large_is_not_shown(tmp_path, monkeypatch):
    """A notebook then shows the line."""
    path = tmp_path / "a.png"
    assert picture_html([path]) is page_html(path) is None
    path.write_bytes(b"12345")
    assert picture_html([path])
    monkeypatch.setattr(shown, "LARGEST", 4)
    assert picture_html([path]) is page_html(path) is None
