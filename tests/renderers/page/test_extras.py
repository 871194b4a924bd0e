"""Pictures and videos that lie beside a run come into its page, unless they are of another log."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page

from epochord.renderers.benford import render_benford
from epochord.renderers.ensemble import EnsembleSettings, overview, render_ensemble
from epochord.renderers.page import extras as extras_module
from epochord.renderers.page import render_page
from epochord.renderers.page.extras import extras
from epochord.runlog import Run, open_run
from epochord.runlog.reading.ensemble import open_ensemble

MakeRun = Callable[..., Run]
MakeEnsemble = Callable[..., Path]


@pytest.fixture
def digits(make_run: MakeRun, tmp_path: Path) -> Run:
    """Make a run whose first digits were drawn into `renders`."""
    run = make_run({"a.weight": np.random.default_rng(0).lognormal(size=300)})
    render_benford(run, tmp_path / "renders")
    return run


def test_pictures_of_the_run_are_found(digits: Run, tmp_path: Path) -> None:
    """The picture of its first digits is one of a run's extras, and says what it is."""
    found = extras(digits, tmp_path, tmp_path / "renders")
    assert [extra.path.name for extra in found.found] == ["benford.png"]
    assert found.found[0].media_type == "image/png"
    assert found.notes == ()
    assert extras(digits, tmp_path, tmp_path / "nothing").found == ()


@pytest.mark.usefixtures("digits")
def test_pictures_of_another_log_are_left_out(make_run: MakeRun, tmp_path: Path) -> None:
    """If the log has changed since, the old picture does not show, and that is said."""
    other = make_run({"a.weight": [1.0, 2.0]})
    found = extras(other, tmp_path, tmp_path / "renders")
    assert found.found == ()
    assert "made from another log; render it again" in found.notes[0]


def test_an_ensemble_has_its_video(make_ensemble: MakeEnsemble, tmp_path: Path) -> None:
    """The video and stills of an ensemble belong to just its own log."""
    log, other = make_ensemble("one"), make_ensemble("other", seed=1)
    folder = tmp_path / "renders"
    settings = EnsembleSettings(duration=0.2, animation="none")
    render_ensemble([overview(open_ensemble(log))], folder, settings)
    names = [extra.path.name for extra in extras(open_run(log), log, folder).found]
    assert names == ["ensemble.mp4", "members.png", "scores.png"]
    assert extras(open_run(other), other, folder).found == ()


def test_what_is_too_large_is_left_out(
    digits: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page stays small enough to be sent; what it leaves out is said."""
    monkeypatch.setattr(extras_module, "LARGEST", 100)
    found = extras(digits, tmp_path, tmp_path / "renders")
    assert found.found == ()
    assert "benford.png: left out; it is larger than" in found.notes[0]


def test_damaged_descriptions_do_no_harm(digits: Run, tmp_path: Path) -> None:
    """Broken JSON, or JSON of another shape, is as if it were not there."""
    for text in ("{", "[]", '{"files": 3}', '{"files": {"ensemble.mp4": 1}, "runs": []}'):
        (tmp_path / "renders" / "ensemble.json").write_text(text)
        found = extras(digits, tmp_path, tmp_path / "renders")
        assert [extra.path.name for extra in found.found] == ["benford.png"]


def test_they_show_and_play(
    digits: Run,
    make_ensemble: MakeEnsemble,
    tmp_path: Path,
    open_page: Callable[..., Page],
) -> None:
    """In the page, the picture has its size and a text, and the video knows how long it lasts."""
    log = make_ensemble()
    settings = EnsembleSettings(duration=0.2, animation="none")
    render_ensemble([overview(open_ensemble(log))], tmp_path / "e", settings)
    beside = extras(open_run(log), log, tmp_path / "e")
    own = extras(digits, tmp_path, tmp_path / "renders")
    both = extras_module.Extras(beside.found + own.found)
    page = open_page(render_page([digits], tmp_path / "page.html", extras=[both]).path)
    page.locator("video").scroll_into_view_if_needed()
    for _ in range(50):
        if page.evaluate("document.querySelector('video').readyState") >= 1:
            break
        page.wait_for_timeout(100)
    assert page.evaluate("document.querySelector('video').duration") == pytest.approx(2.7, abs=0.1)
    assert page.evaluate("Math.min(...[...document.images].map((i) => i.naturalWidth))") > 300
    text = page.get_attribute("img[alt^='First digits']", "alt")
    assert text == "First digits of \N{FIRST STRONG ISOLATE}mine\N{POP DIRECTIONAL ISOLATE}"
