"""A folder of results at a glance: every result has a card, whose links lead to its files."""

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest
import soundfile
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from epochord.renderers.audio import AudioSettings, render_audio
from epochord.renderers.benford import render_benford
from epochord.renderers.comparison import compare_runs
from epochord.renderers.page import render_gallery, render_page
from epochord.runlog import LogError, Run

MakeRun = Callable[..., Run]
NASTY = '<img src=x onerror="alert(1)">'


@pytest.fixture
def renders(make_run: MakeRun, tmp_path: Path) -> Path:
    """Results of three runs, one of which has a name that no folder should have."""
    folder = tmp_path / "renders"
    for name in ("sgd", "sweep/lr=0.1 #1", NASTY):
        run = make_run({"a.weight": np.geomspace(1, 100, 30)}, name)
        render_audio(run, folder / name)
    render_page([run], folder / "sgd" / "page.html")
    render_benford(run, folder / "sgd")
    return folder


def test_every_result_has_a_card(renders: Path) -> None:
    """Folders below folders too, in order; each link leads to a file that is there."""
    index = render_gallery(renders)
    assert index == renders / "index.html"
    text = index.read_text(encoding="utf-8")
    assert text.count("<article") == 3
    links = [unquote(link) for link in re.findall(r'href="([^"]+)"', text)]
    assert len(links) == 5
    assert all((renders / link).is_file() for link in links)
    assert "1 voice, 30 steps" in text


def test_it_opens_from_the_disk(renders: Path, browser: Browser) -> None:
    """Pictures and sounds load, names are text, and axe finds nothing wrong."""
    page = browser.new_page(color_scheme="dark")
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("dialog", lambda dialog: said.append(dialog.message))
    page.goto(render_gallery(renders).as_uri())
    assert page.locator("h2").all_inner_texts() == [NASTY, "sgd", "sweep/lr=0.1 #1"]
    for image in page.locator("img").all():
        image.scroll_into_view_if_needed()
    page.wait_for_timeout(300)
    assert page.evaluate("Math.min(...[...document.images].map((i) => i.naturalWidth))") > 50
    seconds = page.evaluate(
        """() => Promise.all([...document.querySelectorAll('audio')].map((audio) =>
          new Promise((done, failed) => {
            audio.onloadedmetadata = () => done(audio.duration);
            audio.onerror = () => failed(audio.error.message);
            audio.preload = 'metadata';
            audio.load();
          })))"""
    )
    assert seconds == [pytest.approx(4.0, abs=0.01)] * 3
    assert Axe().run(page).violations_count == 0
    assert said == []
    page.close()


def test_equal_folders_give_equal_bytes(renders: Path) -> None:
    """Made again, the index is the same, though it lies in the folder itself."""
    first = render_gallery(renders).read_bytes()
    assert render_gallery(renders).read_bytes() == first


def test_what_is_broken_does_no_harm(renders: Path) -> None:
    """A sound or a description that cannot be read leaves a gap, not an error."""
    (renders / "sgd" / "audio.wav").write_bytes(b"RIFF")
    (renders / "sgd" / "audio.json").write_text('{"voices": [3], "steps": Infinity}')
    (renders / "sgd" / "benford.json").write_text("{")
    assert render_gallery(renders).read_text(encoding="utf-8").count("<article") == 3


@pytest.mark.parametrize("there", [True, False])
def test_a_folder_without_results_is_refused(tmp_path: Path, there: bool) -> None:
    """Nothing to show, or no such folder: said, with what to do, and nothing is written."""
    folder = tmp_path / "renders"
    if there:
        folder.mkdir()
    with pytest.raises(LogError, match="no results of Epochord in it; 'epochord render audio'"):
        render_gallery(folder)
    assert not (folder / "index.html").exists()


def test_a_page_of_several_runs_is_called_by_them(renders: Path, make_run: MakeRun) -> None:
    """The card of the folder's own page has the names of its runs."""
    runs = [make_run({"a.weight": [1.0, 2.0]}, name) for name in ("one", "<two>")]
    render_page(runs, renders / "page.html")
    text = render_gallery(renders).read_text(encoding="utf-8")
    assert "<h2>one · &lt;two&gt;</h2>" in text


def test_a_sound_of_earlier_settings_is_not_shown(renders: Path, make_run: MakeRun) -> None:
    """Only what is described is played beside its description."""
    run = make_run({"a.weight": np.geomspace(1, 100, 30)}, "sgd")
    render_audio(run, renders / "sgd", AudioSettings(format="flac"))
    text = render_gallery(renders).read_text(encoding="utf-8")
    assert "sgd/audio.flac" in text
    assert "sgd/audio.wav" not in text


def test_a_comparison_says_where_runs_part(renders: Path, make_run: MakeRun) -> None:
    """Its card has the sentence that matters."""
    runs = [make_run({"a.weight": [1.0] * 9 + [x]}, name) for name, x in (("p", 1.0), ("q", 5.0))]
    compare_runs(runs, renders / "compare" / "p-vs-q")
    text = render_gallery(renders).read_text(encoding="utf-8")
    assert "p and q part at step 9: grad_norm/a.weight 1 against 5" in text


def test_an_mp3_file_looks_like_its_samples(tmp_path: Path) -> None:
    """Read block by block, it has no holes."""
    rate = 44_100
    chirp = 0.3 * np.sin(np.cumsum(np.linspace(0.01, 0.3, 8 * rate)))
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "audio.json").write_text("{}")
    soundfile.write(tmp_path / "a" / "audio.mp3", chirp, rate)
    whole, _ = soundfile.read(tmp_path / "a" / "audio.mp3", dtype="float32")
    soundfile.write(tmp_path / "b" / "audio.wav", whole, rate, subtype="FLOAT")
    text = render_gallery(tmp_path).read_text(encoding="utf-8")
    one, other = re.findall(r"data:image/png;base64,([^\"]+)", text)
    assert one == other
