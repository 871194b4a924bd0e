"""The field guide: trainings whose trouble is named on seeds that nobody tuned on, and a page."""

import base64
import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from epochord.pipeline.experiments.field_guide import TRAININGS
from epochord.pipeline.experiments.field_guide.tasks import task
from epochord.pipeline.field_guide import page
from epochord.pipeline.field_guide.check import first_named
from epochord.pipeline.field_guide.entries import SEEDS, UNSEEN, entries
from epochord.pipeline.field_guide.recordings import HEALTHY, recorded
from epochord.renderers.findings import Trouble

# What takes more than a second to train is left to `make field-guide CHECK=--check`.
QUICK = [entry for entry in entries() if TRAININGS[entry.training].network != "transformer"]


def test_there_are_eighteen_entries_of_trainings_and_troubles_that_exist():
    """And no trouble has two, or none."""
    told = entries()
    assert len(told) == 18
    assert {name for entry in told for name in entry.trainings} <= set(TRAININGS)
    troubles = [entry.trouble for entry in told if entry.trouble]
    assert sorted(troubles) == sorted(trouble.name.lower() for trouble in Trouble)
    assert not set(SEEDS) & set(UNSEEN)


@pytest.mark.parametrize("entry", QUICK, ids=lambda entry: entry.training)
def test_a_real_training_is_named_for_its_trouble(entry, tmp_path):
    """On a seed that its rule was not tuned on."""
    assert first_named(recorded(TRAININGS[entry.training], UNSEEN[0], tmp_path)) == entry.trouble


@pytest.mark.parametrize(
    "training",
    [*HEALTHY[:4], *HEALTHY[9:12], *(TRAININGS[name] for name in ("normalised", "steady"))],
    ids=lambda training: training.name,
)
def test_a_healthy_training_has_no_trouble(training, tmp_path):
    """Whatever its rate, its batches and its optimizer, within reason."""
    assert first_named(recorded(training, UNSEEN[0], tmp_path)) == ""


def test_equal_seeds_give_equal_logs_and_are_recorded_once(tmp_path):
    """Other seeds give others."""
    healthy = TRAININGS["healthy"]
    first = recorded(healthy, 0, tmp_path / "a")
    again = recorded(healthy, 0, tmp_path / "b")
    assert first.log_hash() == again.log_hash()
    assert first.log_hash() != recorded(healthy, 1, tmp_path / "a").log_hash()
    assert recorded(healthy, 0, tmp_path / "a").metadata.started == first.metadata.started


def test_one_batch_is_broken_and_the_others_are_not():
    """Its grey levels are sixteen times as large."""
    broken, whole = TRAININGS["broken-batch"], TRAININGS["healthy"]
    learnt = task(whole, 0)
    pairs = zip(learnt.batches(broken, 3), learnt.batches(whole, 3), strict=True)
    levels = np.array([float(batch.max() / other.max()) for (batch, _), (other, _) in pairs])
    (place,) = np.flatnonzero(levels > 10)
    assert 120 <= place < 240
    assert np.median(levels) == pytest.approx(1, abs=0.2)


class Outline(HTMLParser):
    """Keep what a page has of headings, sounds and identifiers."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="module")
def guide(tmp_path_factory) -> str:
    """Write a page of two entries."""
    folder = tmp_path_factory.mktemp("guide")
    few = [entry for entry in entries() if entry.training in ("healthy", "frozen")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(page, "entries", lambda: few)
        first = page.write_guide(folder / "runs", folder / "a.html").read_bytes()
        assert page.write_guide(folder / "runs", folder / "b.html").read_bytes() == first
    return first.decode()


def test_the_page_has_sounds_of_one_length_with_names(guide):
    """Three of the healthy training, and of the other one three and the healthy one beside."""
    outline = Outline()
    outline.feed(guide)
    sounds = outline.all("audio")
    assert [sound["aria-label"] for sound in sounds] == [
        *(f"Healthy, seed {seed}" for seed in SEEDS),
        "Healthy",
        *(f"A layer frozen by mistake, seed {seed}" for seed in SEEDS),
    ]
    files = [base64.b64decode(str(sound["src"]).partition("base64,")[2]) for sound in sounds]
    assert len({len(each) for each in files[3:]}) == 1
    assert len({*files[3:]}) == 4
    assert all("controls" in sound for sound in sounds)


def test_the_page_is_one_file_that_loads_nothing(guide):
    """Its policy names just its own script and style; every link leads to one of its headings."""
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', guide)
    assert policy is not None
    for tag in ("script", "style"):
        (text,) = re.findall(rf"<{tag}>(.*?)</{tag}>", guide, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"sha256-{digest}" in policy[1]
    outline = Outline()
    outline.feed(guide)
    names = {attributes.get("id") for _, attributes in outline.tags}
    assert {str(link["href"])[1:] for link in outline.all("a")} <= names
    assert {str(each["aria-labelledby"]) for each in outline.all("article")} <= names
    assert not re.search(r'(src|href)="https?:', guide)


def test_the_page_says_what_describe_says(guide):
    """Of each seed; of a healthy run that nothing was found."""
    assert guide.count("nothing found") == len(SEEDS)
    assert guide.count("looks like a frozen layer: fc2 never had a gradient") == len(SEEDS)


def test_the_page_is_a_target_of_make():
    """With a line of help."""
    makefile = (Path(__file__).parents[3] / "Makefile").read_text()
    assert "epochord.pipeline.field_guide" in makefile
    assert "  field-guide " in makefile
