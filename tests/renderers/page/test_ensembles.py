"""The page of the posts' ensembles: its sentences follow from the numbers, its links lead on."""

import json
import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser

from epochord.renderers.page import render_ensembles_page
from epochord.runlog import LogError

SETTINGS = ("naive", "prior", "prior-bootstrap", "sine-bootstrap")
SPREADS = {"naive": (0.5, 1.0), "prior": (0.5, 1.05), "prior-bootstrap": (1.0, 2.0),
           "sine-bootstrap": (1.2, 1.0)}  # fmt: skip


@pytest.fixture
def renders(tmp_path: Path) -> Path:
    """Descriptions of four ensembles, with pictures of one grey level; one has a film."""
    folder = tmp_path / "renders"
    for place, setting in enumerate(SETTINGS):
        inside, outside = SPREADS[setting]
        last = {
            "spread/inside": inside,
            "spread/outside": outside,
            "held_out/crps": 1.3 + place / 10,
            "held_out/crps/fair": 1.2 if place < 2 else 1.1 + place / 10,
            "held_out/coverage/95": 0.9 + place / 50,
            "held_out/coverage/50": None,
            "held_out/points": 100.0,
        }
        run = {
            "setting": setting,
            "members": 50,
            "data": 10,
            "last_epoch": 100,
            "noise_source": "noise sd 2, from the <log>",
            "at_last_epoch": last,
        }
        own = folder / f"ensemble-{setting}"
        own.mkdir(parents=True)
        (own / "ensemble.json").write_text(json.dumps({"runs": [run]}))
        for name in ("uncertainty", "members", *(["priors"] if place else [])):
            Image.new("L", (128, 72), 200).save(own / f"{name}.png")
    (folder / "ensemble-naive" / "ensemble.mp4").write_bytes(b"film")
    return folder


def told(page: Path) -> str:
    """Return the text of a page."""
    return re.sub(r"<[^>]+>", " ", page.read_text(encoding="utf-8"))


def test_sentences_follow_from_the_numbers(renders: Path) -> None:
    """Twice as far, about as far, the best and the worst: whatever these runs have."""
    text = told(render_ensembles_page(renders))
    assert "Four ensembles of 50 small networks, each trained for 100 epochs on 10 points" in text
    assert "0.50 where there are data and 1.00 outside: they are 2.0 times as far apart" in text
    assert "about as far apart outside the data as the naive ones" in text
    assert "2.0 times as far apart inside the data as those that all see every point" in text
    assert "0.5 times as far apart outside the data as those with priors of their own" in text
    assert "the best predictions are those of “naive” and “random priors” (1.20)" in text
    assert "the worst are those of “sine prior, bootstrap” (1.40)" in text
    assert "Their intervals of 95 % hold 90 to 96 % of these points." in text


def test_what_is_not_known_is_not_said(renders: Path) -> None:
    """Without held-out points there is no best one; a number that is not there is a dash."""
    for path in renders.glob("*/ensemble.json"):
        about = json.loads(path.read_text())
        kept = {"spread/inside": None, "spread/outside": 1.0}
        about["runs"][0]["at_last_epoch"] = kept
        path.write_text(json.dumps(about))
    text = told(render_ensembles_page(renders))
    assert "CRPS at" not in text
    assert "nan" not in text
    assert "–" in text


def test_links_lead_to_what_is_there(renders: Path, tmp_path: Path) -> None:
    """Pictures and the one film; also from a page in another folder."""
    for out in (None, tmp_path / "elsewhere" / "story.html"):
        page = render_ensembles_page(renders, out)
        text = page.read_text(encoding="utf-8")
        sources = re.findall(r'(?:src|poster)="([^"]+)"', text)
        assert len(sources) == 4 + 3 + 4 + 2  # members, priors, uncertainty; film and poster
        assert all((page.parent / source).is_file() for source in sources)
        assert "http" not in "".join(sources)


@pytest.mark.parametrize("text", [None, "{", "[]", '{"runs": [{"setting": "naive"}]}'])
def test_without_one_of_the_four_there_is_no_page(renders: Path, text: str | None) -> None:
    """It says which, and how to make it."""
    path = renders / "ensemble-prior" / "ensemble.json"
    path.unlink()
    if text is not None:
        path.write_text(text)
    with pytest.raises(LogError, match=r"no results of the ensemble 'prior'; 'make record-ens"):
        render_ensembles_page(renders)
    assert not (renders / "ensembles.html").exists()


def test_it_opens_from_the_disk(renders: Path, browser: Browser) -> None:
    """By light and by dark: pictures load, texts are text, nothing runs, axe finds nothing."""
    address = render_ensembles_page(renders).as_uri()
    papers = set()
    for scheme in ("light", "dark"):
        page = browser.new_page(color_scheme=scheme)
        page.goto(address)
        for image in page.locator("img").all():
            image.scroll_into_view_if_needed()
        page.wait_for_timeout(200)
        assert page.evaluate("Math.min(...[...document.images].map((i) => i.naturalWidth))") == 128
        assert "from the <log>" in page.inner_text("main")
        assert page.locator("script").count() == 0
        assert Axe().run(page).violations_count == 0
        papers.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
        page.close()
    assert len(papers) == 2
