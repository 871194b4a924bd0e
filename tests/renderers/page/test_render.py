"""What is in a page: the run's own sound, its extremes, its settings, and nothing that runs."""

import base64
import hashlib
import io
import json
import re
import tomllib
from collections.abc import Callable
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from epochord.renderers.audio import AudioSettings, render_audio
from epochord.renderers.page import render_page
from epochord.renderers.page.curves import curves, points_a_voice
from epochord.renderers.page.document import UPLOT, document
from epochord.renderers.page.render import MOST_RUNS
from epochord.renderers.timeline.timeline import Timeline
from epochord.runlog import LogError, OutputError, Run, RunMetadata, Series

MakeRun = Callable[..., Run]

nan, inf = float("nan"), float("inf")
LANES = AudioSettings(voicing="lanes")


class Reader(HTMLParser):
    """Reads a page as a browser does: scripts, style, data, policy."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.scripts: list[str] = []
        self.styles: list[str] = []
        self.data = self.policy = self.title = ""
        self.tags: list[str] = []
        self._inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append(tag)
        self._inside = "data" if given.get("id") == "data" else tag
        if given.get("http-equiv") == "Content-Security-Policy":
            self.policy = given["content"] or ""
        assert not [name for name in given if name.startswith("on") or name == "style"]

    def handle_data(self, data: str) -> None:
        if self._inside == "script":
            self.scripts.append(data)
        elif self._inside == "style":
            self.styles.append(data)
        elif self._inside == "data":
            self.data += data
        elif self._inside == "title":
            self.title += data

    def handle_endtag(self, _tag: str) -> None:
        self._inside = ""


def read(path: Path) -> Reader:
    return Reader(path.read_text(encoding="utf-8"))


def contents(path: Path) -> dict:
    return json.loads(read(path).data)


def sound(track: dict) -> np.ndarray:
    return soundfile.read(io.BytesIO(base64.b64decode(track["mp3"])), dtype="float32")[0]


def numbers(packed: dict) -> np.ndarray:
    return np.frombuffer(base64.b64decode(packed["base64"]), packed["type"])


def test_the_page_sounds_as_the_render_does(make_run: MakeRun, tmp_path: Path) -> None:
    """The sound in the page is that of `render audio`, at its loudness, but for MP3's losses."""
    run = make_run({f"{x}.weight": 10 ** np.sin(np.arange(60) / 9 + i) for i, x in enumerate("ab")})
    made = render_audio(run, tmp_path, AudioSettings(format="wav32f"))
    (own,) = contents(render_page([run], tmp_path / "page.html").path)["runs"][0]["tracks"]
    expected, _ = soundfile.read(made.path, dtype="float32")
    found = sound(own)
    assert found.shape == expected.shape
    assert np.sqrt(np.mean((found - expected) ** 2)) < 0.03 * np.sqrt(np.mean(expected**2))


def test_stems_are_the_whole_taken_apart(make_run: MakeRun, tmp_path: Path) -> None:
    """The tracks of voices and marks add up to the sound of all."""
    run = make_run({"a.weight": [1.0, nan, 2.0] * 9, "b.weight": [5.0] * 27})
    whole = contents(render_page([run], tmp_path / "whole.html", LANES).path)["runs"][0]["tracks"]
    stems = render_page([run], tmp_path / "s.html", LANES, stems=True).path
    parts = contents(stems)["runs"][0]["tracks"]
    assert [part["name"] for part in parts] == ["a", "b", "marks"]
    difference = sum(map(sound, parts)) - sound(whole[0])
    assert np.sqrt(np.mean(difference**2)) < 0.02 * np.sqrt(np.mean(sound(whole[0]) ** 2))


def test_runs_share_scale_gain_and_range_of_colours(make_run: MakeRun, tmp_path: Path) -> None:
    """A run that is mostly silent is not made louder; one scale serves both."""
    full = make_run({"a.weight": [1.0] * 40, "b.weight": [100.0] * 40}, "full")
    dead = make_run({"a.weight": [1.0] * 4 + [0.0] * 36, "b.weight": [0.0] * 40}, "dead")
    data = contents(render_page([full, dead], tmp_path / "page.html", LANES).path)
    gains = [run["level"]["gain_db"] for run in data["runs"]]
    assert gains[0] == pytest.approx(gains[1])
    behind = [sound(run["tracks"][0])[-88_200:] for run in data["runs"]]  # only the breath is left
    powers = [np.mean(samples**2) for samples in behind]
    assert 10 * np.log10(powers[0] / powers[1]) > 10
    assert data["scales"]["gradient norm"] == pytest.approx(
        {"low": 1.0, "high": 100.0, "kind": "log", "middle": 10.0}
    )


@given(
    arrays.arrays(
        np.float64,
        arrays.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=70),
        elements=st.sampled_from([nan, inf, -inf, 0.0, 1.0, -3.5, 1e-30, 1e30, 2.0]),
    )
)
def test_curves_keep_every_extreme(values: np.ndarray) -> None:
    """However few points, the greatest and least finite value of each voice is among them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("epochord.renderers.page.curves.MOST_POINTS", 5)
        line = Timeline(
            np.arange(values.shape[1]),
            tuple("v" * len(values)),
            values,
            np.ones(values.shape, bool),
        )
        found = curves(line)
    assert found.low.shape[1] == min(5, values.shape[1])
    for row, low, high, summary in zip(values, found.low, found.high, found.summaries, strict=True):
        finite = row[np.isfinite(row)].astype(found.low.dtype)
        assert np.isnan(low).all() == (not len(finite))
        if len(finite):
            assert np.nanmin(low) == finite.min()
            assert np.nanmax(high) == finite.max()
        assert summary.counts["nan"] == np.isnan(row).sum()
        assert summary.counts["zero"] == (row == 0).sum()


def test_a_page_bears_only_so_many_points() -> None:
    """Curves of a million steps stay below the size that a page may have."""
    for voices in (1, 4, 12):
        assert 2 * voices * points_a_voice(10**6, voices) <= 1 << 17
    assert points_a_voice(100, 12) == 100


def test_values_are_those_of_the_log(make_run: MakeRun, tmp_path: Path) -> None:
    """Below so many steps, every value is in the page, exactly."""
    values = np.random.default_rng(0).lognormal(size=500).astype(np.float32)
    data = contents(render_page([make_run({"a.weight": values})], tmp_path / "p.html").path)
    np.testing.assert_array_equal(numbers(data["runs"][0]["low"]), values)
    np.testing.assert_array_equal(numbers(data["runs"][0]["high"]), values)
    np.testing.assert_array_equal(numbers(data["runs"][0]["steps"]), np.arange(500))


def test_the_spectrogram_is_a_picture_of_the_sound(make_run: MakeRun, tmp_path: Path) -> None:
    """Each voice is a dark line at its pitch."""
    run = make_run({"a.weight": [1.0] * 50, "b.weight": [1.0] * 50})
    data = contents(render_page([run], tmp_path / "p.html", LANES).path)
    picture = Image.open(io.BytesIO(base64.b64decode(data["runs"][0]["picture"]["png"])))
    column = np.asarray(picture)[:, picture.width // 2].astype(int)
    low, high = data["spectrogram"]["lowest_hz"], data["spectrogram"]["highest_hz"]
    hertz = low * (high / low) ** (1 - (np.arange(len(column)) + 0.5) / len(column))
    for voice in data["voices"]:
        bottom, top = voice["register"]
        inside = (hertz >= bottom * 0.95) & (hertz <= top * 1.05)
        assert column[inside].min() < 40
    between = (hertz > 1.15 * data["voices"][0]["register"][1]) & (
        hertz < 0.87 * data["voices"][1]["register"][0]
    )
    assert column[between].min() > 150


@given(st.text(max_size=60))
def test_no_text_becomes_markup(text: str) -> None:
    """Whatever is in a log, the page has the same elements, and gives the text back."""
    plain = Reader(document("x", {"name": "x"}, "0" * 64))
    page = Reader(document(text, {"name": text}, "0" * 64))
    assert page.tags == plain.tags
    assert page.scripts == plain.scripts
    assert json.loads(page.data)["name"] == text
    # Text that runs from right to left is isolated, so that it does not turn what follows.
    assert page.title in (f"{text} – Epochord", f"\u2068{text}\u2069 – Epochord")


def test_the_policy_allows_just_what_is_in_the_page(make_run: MakeRun, tmp_path: Path) -> None:
    """Scripts and style are named by their hashes; there is no way out to any network."""
    page = read(render_page([make_run({"a.weight": [1.0, 2.0]})], tmp_path / "p.html").path)
    policy = dict(part.strip().split(" ", 1) for part in page.policy.split(";"))
    assert policy["default-src"] == "'none'"
    assert "unsafe" not in page.policy
    for texts, directive in ((page.scripts, "script-src"), (page.styles, "style-src")):
        digests = {base64.b64encode(hashlib.sha256(t.encode()).digest()).decode() for t in texts}
        assert {f"'sha256-{digest}'" for digest in digests} == set(policy[directive].split())
    assert set(policy) == {
        "default-src", "script-src", "style-src", "img-src", "media-src", "base-uri",
        "form-action", "require-trusted-types-for",
    }  # fmt: skip
    links = re.findall(r"(?:src|href)=|url\(|@import", "".join(page.styles))
    assert links == []


def test_equal_inputs_give_equal_bytes(make_run: MakeRun, tmp_path: Path) -> None:
    """Made twice, a page is the same; in its place it is made again only if something changed."""
    run = make_run({"a.weight": [1.0, 2.0, nan, 3.0]})
    first = render_page([run], tmp_path / "a.html")
    second = render_page([run], tmp_path / "b.html")
    assert first.path.read_bytes() == second.path.read_bytes()
    assert first.made
    assert not render_page([run], tmp_path / "a.html").made
    assert render_page([run], tmp_path / "a.html", stems=True).made
    assert render_page([run], tmp_path / "a.html", AudioSettings(duration=1.0)).made
    other = make_run({"a.weight": [1.0, 2.0, nan, 4.0]})
    assert render_page([other], tmp_path / "b.html").made


def test_a_minute_of_sound_stays_small(make_run: MakeRun, tmp_path: Path) -> None:
    """60 s of twelve voices are at most 2.5 MB a run."""
    rng = np.random.default_rng(0)
    norms = {f"l{i:02}.weight": rng.lognormal(size=20_000).astype(np.float32) for i in range(12)}
    made = render_page([make_run(norms), make_run(norms, "other")], tmp_path / "page.html")
    data = contents(made.path)
    assert numbers(data["axis"]["times"])[-1] == pytest.approx(60)
    assert made.path.stat().st_size < 2 * 2.5e6


@pytest.mark.parametrize("voicing", ["lanes", "sequence", "original"])
def test_every_voicing_has_a_page(make_run: MakeRun, tmp_path: Path, voicing: str) -> None:
    """The sound is as long as its score, whatever the voicing."""
    settings = AudioSettings(voicing=voicing)
    data = contents(
        render_page([make_run({"a.weight": [1.0] * 30})], tmp_path / "p.html", settings).path
    )
    assert len(sound(data["runs"][0]["tracks"][0])) == data["sound"]["samples"]
    assert np.abs(sound(data["runs"][0]["tracks"][0])).max() > 0.01


def test_what_cannot_be_a_page_is_refused(make_run: MakeRun, tmp_path: Path) -> None:
    """Nothing in common, too many, too long, nowhere to write: said, and nothing is written."""
    run = make_run({"a.weight": [1.0, 2.0]})
    path = tmp_path / "page.html"
    with pytest.raises(LogError, match="no tag in common"):
        render_page([run, make_run({"b.weight": [1.0]})], path)
    with pytest.raises(LogError, match="no measurement"):
        render_page([make_run({})], path)
    with pytest.raises(OutputError, match=f"10 runs; a page holds at most {MOST_RUNS}"):
        render_page([run] * 10, path)
    with pytest.raises(OutputError, match=r"25\.0 min of sound; a page holds at most 20: make it"):
        render_page([run], path, AudioSettings(duration=1500.0))
    with pytest.raises(OutputError, match=r"8 tracks of 18\.3 min.*or leave out --stems"):
        render_page([run] * 4, path, AudioSettings(duration=1100.0), stems=True)
    assert list(tmp_path.iterdir()) == []
    path.write_text("a file")
    with pytest.raises(OutputError, match="cannot write"):
        render_page([run], path / "page.html")
    assert [*tmp_path.iterdir()] == [path]


def test_a_page_goes_where_the_command_puts_it(make_run: MakeRun, tmp_path: Path, monkeypatch):
    """Of one run into its folder, of several above; or where it is told, file or folder."""
    monkeypatch.chdir(tmp_path)
    a, b = make_run({"a.weight": [1.0, 2.0]}, "a"), make_run({"a.weight": [2.0]}, "b")
    assert render_page(a).path == Path("renders/a/page.html")
    assert render_page([a, b]).path == Path("renders/page.html")
    assert render_page(a, "x").path == Path("x/page.html")
    assert render_page(a, "y/it.html").path == Path("y/it.html")
    with pytest.raises(OutputError, match=r"\.wav is not made here; expected \.html"):
        render_page(a, "y/it.wav")


def test_a_notebook_shows_the_page_itself(make_run: MakeRun, tmp_path: Path) -> None:
    """In a frame of its own, so that neither can disturb the other."""
    made = render_page(make_run({"a.weight": [1.0, 2.0]}), tmp_path)
    frame = re.fullmatch(r'<iframe srcdoc="([^"]*)" .*></iframe>', made._repr_html_())
    assert unescape(frame[1]) == made.path.read_text(encoding="utf-8")


def test_values_beyond_float32_are_kept(tmp_path: Path) -> None:
    """Logs of float64 keep numbers that float32 would make infinite or zero."""
    series = Series("loss", [0, 1, 2], np.array([1e300, 1.0, 1e-300]))
    run = Run("big", RunMetadata("big"), {"loss": series})
    data = contents(render_page([run], tmp_path / "p.html").path)
    np.testing.assert_array_equal(numbers(data["runs"][0]["low"]), series.values)


def test_what_is_vendored_is_what_was_published() -> None:
    """Version, licence and hashes of the vendored files are as written down."""
    about = tomllib.loads((UPLOT / "VENDORED.toml").read_text(encoding="utf-8"))
    for name, digest in about["sha256"].items():
        assert hashlib.sha256((UPLOT / name).read_bytes()).hexdigest() == digest
    assert f"(v{about['version']})" in (UPLOT / "uPlot.iife.min.js").read_text(encoding="utf-8")
    assert "MIT" in (UPLOT / "LICENSE").read_text(encoding="utf-8")
