"""What the page knows and what only the key does; how clips are drawn."""

import base64
import io
import json
import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import soundfile

from epochord.renderers.audio import AudioSettings
from epochord.renderers.audio.samples import sound
from epochord.renderers.listening import ListeningTest, render_listening_test
from epochord.renderers.listening.answers import read_key
from epochord.renderers.listening.clips import PRACTICE, clips
from epochord.renderers.listening.trainings import ANSWERS, HEALTHY, TROUBLES, training
from epochord.runlog import OutputError

VOID = {"meta", "input", "br", "link", "img", "hr"}


def data_of(page: Path) -> dict:
    found = re.search(r'id="data">(.*?)</script>', page.read_text(encoding="utf-8"), re.DOTALL)
    assert found
    return json.loads(found[1])


class Strict(HTMLParser):
    """Refuses what browsers forgive: wrong nesting, doubled names, labels of nothing, handlers."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.names: list[str] = []
        self.meant: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        assert len(given) == len(attrs)
        assert not [name for name in given if name.startswith("on") or name == "style"]
        self.names += [given["id"] or ""] if "id" in given else []
        for name in ("for", "aria-labelledby", "aria-describedby"):
            self.meant += (given.get(name) or "").split()
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_markup_is_strict(made: ListeningTest) -> None:
    """Every element is closed where it should be, every name is there once, labels mean one."""
    reader = Strict()
    reader.feed(made.page.read_text(encoding="utf-8"))
    reader.close()
    assert reader.open == []
    assert [name for name, count in Counter(reader.names).items() if count > 1] == []
    assert set(reader.meant) <= set(reader.names)


def test_the_page_holds_no_answer(made: ListeningTest) -> None:
    """Of a clip that counts, the page has a hash of its sound and the sound, and nothing else."""
    data, key = data_of(made.page), json.loads(made.key.read_text())
    assert {name for clip in data["clips"] for name in clip} == {"id", "mp3"}
    assert [clip["id"] for clip in data["clips"]] == sorted(key["clips"])
    assert key["test"] == data["test"]
    whole = made.page.read_text(encoding="utf-8")
    without = whole
    for clip in (*data["clips"], *data["practice"], data["layers"]):
        without = without.replace(clip["mp3"], "")
    assert len(re.findall("near_death", without)) == 0
    for kind in ANSWERS:  # as a choice, and of the practice clip that is told
        told = sum(clip["kind"] == kind for clip in data["practice"])
        assert len(re.findall(f'"{kind}"', without)) == 1 + told
    assert '"seed"' not in without


def test_clips_are_rendered_as_runs_are(made: ListeningTest) -> None:
    """The first practice clip is that training's sound at its loudness, but for MP3's losses."""
    settings = AudioSettings.of()
    run = training(PRACTICE[0], 3, np.random.default_rng([3, 0])).run
    mp3 = base64.b64decode(data_of(made.page)["practice"][0]["mp3"])
    heard = soundfile.read(io.BytesIO(mp3), dtype="float32")[0]
    expected = sound(run, settings).samples
    assert heard.shape == expected.shape
    assert np.sqrt(np.mean((heard - expected) ** 2)) < 0.03 * np.sqrt(np.mean(expected**2))


def test_equal_seeds_give_equal_bytes(made: ListeningTest, tmp_path: Path) -> None:
    """Page and key; another seed makes another test."""
    again = render_listening_test(tmp_path / "again.html", seed=3, count=4, voices=3)
    assert again.page.read_bytes() == made.page.read_bytes()
    assert again.key == tmp_path / "again.key.json"
    assert again.key.read_bytes() == made.key.read_bytes()
    other = render_listening_test(tmp_path / "other.html", seed=4, count=4, voices=3)
    assert read_key(other.key).test != read_key(made.key).test


def test_half_are_healthy_and_no_trouble_is_rarer_by_two(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of any number of clips, behind those for practice."""
    monkeypatch.setattr("epochord.renderers.listening.clips._mp3", lambda *_: b"")
    for count in (2, 10, 18, 36, 60):
        kinds = Counter(clip.kind for clip in [*clips(count, 4, 1, AudioSettings())][2:])
        assert kinds.pop(HEALTHY) == count / 2
        assert sum(kinds.values()) == count / 2
        most = max(kinds.values())
        assert min(kinds[kind] for kind in TROUBLES) >= most - 1


def test_the_key_of_another_test_is_not_lost(made: ListeningTest, tmp_path: Path) -> None:
    """Answers that are out with people could not be scored without it; nothing is written."""
    place = tmp_path / "here.html"
    render_listening_test(place, seed=3, count=4, voices=3)
    before = place.read_bytes()
    with pytest.raises(OutputError, match=r"here\.key\.json: the key of another test"):
        render_listening_test(place, seed=5, count=2, voices=3)
    assert place.read_bytes() == before
    assert (tmp_path / "here.key.json").read_bytes() == made.key.read_bytes()


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"seed": -1}, "seed is -1; expected at least 0"),
        ({"count": 7}, "clips are 7; expected an even number, 2 to 200: half are healthy"),
        ({"count": 0}, "clips are 0; expected an even number, 2 to 200"),
        ({"voices": 1}, "voices are 1; expected 2 to 12"),
        ({"voices": 13}, "voices are 13; expected 2 to 12"),
    ],
)
def test_what_cannot_be_made_is_refused(tmp_path: Path, how: dict, said: str) -> None:
    """Before anything is made."""
    with pytest.raises(ValueError, match=said):
        render_listening_test(tmp_path / "page.html", **how)
    assert list(tmp_path.iterdir()) == []
