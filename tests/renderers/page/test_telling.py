"""What happened is listed once, marked where it is, and told as it is passed, if it is wished."""

from collections.abc import Callable
from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page

from epochord.renderers.audio import AudioSettings
from epochord.renderers.audio.scoring.compose import scores_together
from epochord.renderers.findings import findings
from epochord.renderers.page import render_page
from epochord.renderers.page.events import MOST_TOLD
from epochord.runlog import Run, RunMetadata, Series

MakeRun = Callable[..., Run]
PageOf = Callable[..., Page]

nan, inf = float("nan"), float("inf")

# A voice that says nothing, but takes its time, and keeps what it was asked to say.
VOICE = """
window.spoken = [];
window.atOnce = 0;
const synthesis = Object.assign(new EventTarget(), {
  queue: [],
  getVoices: () => window.mute ? [] : [{ name: 'Nobody', lang: 'en' }],
  speak(utterance) {
    this.queue.push(utterance);
    window.atOnce = Math.max(window.atOnce, this.queue.length);
    window.spoken.push(utterance.text);
    setTimeout(() => {
      if (!this.queue.includes(utterance)) return;
      this.queue = this.queue.filter((one) => one !== utterance);
      utterance.dispatchEvent(new Event('end'));
    }, 300);
  },
  cancel() { this.queue = []; },
});
Object.defineProperty(window, 'speechSynthesis', { value: synthesis });
"""
NO_VOICE = "window.mute = true;" + VOICE
NO_SPEECH = "Object.defineProperty(window, 'speechSynthesis', { value: undefined });"


@pytest.fixture
def troubled(make_run: MakeRun) -> Run:
    """Make a run of 100 steps, 6 s, in which four things happen, two of them almost at once."""
    steps = np.arange(100)
    norms = {f"{layer}.weight": np.exp(0.1 * np.sin(steps + n)) for n, layer in enumerate("abc")}
    norms["a.weight"][20] *= 100
    norms["b.weight"][22] *= 40
    norms["c.weight"][60:] = 0
    norms["a.weight"][70:] = nan
    return make_run(norms, "troubled")


def sentences(run: Run) -> list[str]:
    return [found.sentence for found in findings(run)]


def shown(page: Page) -> list[str]:
    return page.locator("#events tbody td:last-child").all_inner_texts()


def play_from(page: Page, step: int, seconds: float) -> None:
    """Let it play from a step on."""
    page.evaluate(f"page.seek(page.axis.timeOf({step}))")
    page.click("#play")
    page.wait_for_timeout(1000 * seconds)


def test_each_thing_that_happened_is_listed_once(page_of: PageOf, troubled: Run) -> None:
    """In the words of the findings, though NaN and deaths are earcons, too."""
    page = page_of(troubled)
    assert shown(page) == sentences(troubled)
    factors = page.locator("#events tbody td:nth-child(5)").all_inner_texts()
    assert [factor[0] for factor in factors] == ["×", "×", "z", "–"]


def test_ends_of_epochs_are_listed_among_them(page_of: PageOf) -> None:
    """By their step and time; they have no voice."""
    values = np.ones(90)
    values[50:] = nan
    epoch = Series("epoch", range(90), np.floor(np.arange(90) / 30))
    run = Run("x", RunMetadata("x"), {"loss": Series("loss", range(90), values), "epoch": epoch})
    page = page_of(run)
    assert shown(page) == ["end of an epoch", sentences(run)[0], "end of an epoch"]
    starts = page.locator("#events tbody button").all_inner_texts()
    assert starts == ["step 30", "step 50", "step 60"]
    assert page.evaluate("page.charts.happened[0].length") == 1


def test_marks_lie_on_the_curves(page_of: PageOf, troubled: Run) -> None:
    """At the step of the finding, at its voice's value; what is no number has a line alone."""
    page = page_of(troubled)
    marks = page.evaluate("page.charts.happened[0]")
    each = page.evaluate("page.seconds") / 100
    assert [mark["time"] for mark in marks] == pytest.approx([each * n for n in (20, 22, 60, 70)])
    norms = {name: troubled[f"grad_norm/{name}.weight"].values for name in "ab"}
    assert marks[0]["rings"] == [{"voice": 0, "value": pytest.approx(float(norms["a"][20]))}]
    assert marks[1]["rings"] == [{"voice": 1, "value": pytest.approx(float(norms["b"][22]))}]
    assert [mark["rings"][0]["value"] for mark in marks[2:]] == [None, None]


def test_a_mark_of_a_long_run_is_at_the_extreme(page_of: PageOf, make_run: MakeRun) -> None:
    """Though a point of the curve is many steps: at the greatest of them."""
    values = np.exp(0.1 * np.sin(np.arange(200_000))).astype(np.float32)
    values[123_456] = 5000
    page = page_of(make_run({"a.weight": values}))
    ((mark,),) = page.evaluate("page.charts.happened")
    assert mark["rings"] == [{"voice": 0, "value": 5000}]
    assert page.evaluate(f"page.axis.stepAt({mark['time']})") == 123_456


def test_marks_are_drawn(page_of: PageOf, make_run: MakeRun) -> None:
    """The picture of the curves has more ink where something happened, and only there."""
    steady = np.exp(0.05 * np.sin(np.arange(100)))
    spike = steady.copy()
    spike[50] *= 30
    page = page_of(make_run({"a.weight": spike}))
    chart = page.locator("#curves")
    pictures = []
    for forget in ("", "page.charts.happened[0] = []; page.charts.above.redraw(false)"):
        page.evaluate(forget)
        page.wait_for_timeout(200)
        pictures.append(np.asarray(Image.open(BytesIO(chart.screenshot())).convert("RGB")))
    changed = np.flatnonzero((pictures[0] != pictures[1]).any(axis=(0, 2)))
    box, over = chart.bounding_box(), page.locator("#curves .u-over").bounding_box()
    middle = over["x"] - box["x"] + over["width"] / 2
    assert len(changed)
    assert np.abs(changed - middle).max() < 8


def test_what_is_passed_is_spoken_one_after_the_other(page_of: PageOf, troubled: Run) -> None:
    """Also where the next thing happens before the first is said; each is in the live region."""
    page = page_of(troubled, before=VOICE)
    page.check("#speak")
    play_from(page, 15, 1.6)
    assert page.evaluate("spoken") == sentences(troubled)[:2]
    assert page.evaluate("atOnce") == 1
    assert page.inner_text("#status") == sentences(troubled)[1]
    assert page.get_attribute("#status", "role") == "status"


def test_nothing_is_spoken_that_was_not_asked_for(page_of: PageOf, troubled: Run) -> None:
    """By default no word; screen readers get the sentence all the same."""
    page = page_of(troubled, before=VOICE)
    assert not page.is_checked("#speak")
    play_from(page, 18, 0.8)
    assert page.evaluate("spoken") == []
    assert page.inner_text("#status") == sentences(troubled)[1]


def test_an_event_that_is_gone_to_is_spoken_from_there(page_of: PageOf, troubled: Run) -> None:
    """When it plays; not before, not what lies before, and not twice."""
    page = page_of(troubled, before=VOICE)
    page.keyboard.press("s")
    assert page.is_checked("#speak")
    page.click("#events tbody tr >> nth=2")
    page.wait_for_timeout(300)
    assert page.evaluate("spoken") == []
    page.click("#play")
    page.wait_for_timeout(500)
    page.click("#play")
    page.click("#play")
    page.wait_for_timeout(700)
    assert page.evaluate("spoken") == sentences(troubled)[2:]


@pytest.mark.parametrize(
    "act", ["page.toggle()", "page.seek(0)", "document.querySelector('#speak').click()"]
)
def test_who_pauses_wants_silence(page_of: PageOf, troubled: Run, act: str) -> None:
    """Nothing that waits to be said is said after a pause, a jump, or without the wish."""
    page = page_of(troubled, before=VOICE)
    page.check("#speak")
    play_from(page, 18, 0.32)
    assert len(page.evaluate("spoken")) == 1
    page.evaluate(f"void {act}")
    page.wait_for_timeout(500)
    assert len(page.evaluate("spoken")) == 1
    assert page.evaluate("speechSynthesis.queue") == []


def test_of_very_many_only_the_strongest_are_told(page_of: PageOf, make_run: MakeRun) -> None:
    """All are listed."""
    values = 1 + 0.01 * np.sin(np.arange(3000))
    values[20 + 45 * np.arange(60)] = 10 + np.random.default_rng(0).permutation(60)
    page = page_of(make_run({"a.weight": values}), before=VOICE)
    events = page.evaluate("page.data.runs[0].events.map(({ told, factor }) => [told, factor])")
    assert len(events) == page.locator("#events tbody tr").count() == 60
    assert sum(told for told, _ in events) == MOST_TOLD
    weakest = min(factor for told, factor in events if told)
    assert max(factor for told, factor in events if not told) <= weakest


@pytest.mark.parametrize("missing", [NO_VOICE, NO_SPEECH])
def test_where_there_is_no_voice_none_is_offered(
    page_of: PageOf, troubled: Run, missing: str
) -> None:
    """Nor does its key do anything; sentences are in the live region all the same."""
    page = page_of(troubled, before=missing)
    assert page.is_hidden("#speak-choice")
    page.keyboard.press("s")
    assert not page.is_checked("#speak")
    play_from(page, 18, 0.8)
    assert page.inner_text("#status") == sentences(troubled)[1]


def test_a_voice_that_comes_late_is_offered(page_of: PageOf, troubled: Run) -> None:
    """Browsers look for voices in their own time."""
    page = page_of(troubled, before=NO_VOICE)
    page.evaluate("window.mute = false; speechSynthesis.dispatchEvent(new Event('voiceschanged'))")
    assert page.is_visible("#speak-choice")


def test_another_run_has_its_own_events(page_of: PageOf, make_run: MakeRun, troubled: Run) -> None:
    """What is listed, marked and told is that of the run that is heard."""
    fine = make_run({f"{layer}.weight": np.ones(100) for layer in "abc"}, "fine")
    page = page_of(troubled, fine, before=VOICE)
    page.check("#speak")
    page.keyboard.press("2")
    assert page.inner_text("#events") == "None."
    play_from(page, 15, 1.0)
    assert page.evaluate("spoken") == []
    assert page.evaluate("page.charts.happened[1]") == []


@pytest.fixture
def held_page(tmp_path, open_page, hold, monkeypatch) -> Callable[..., Page]:
    """Open a page whose scores hold some frames."""

    def open_(runs: list[Run], lengths: dict[int, int], **settings) -> Page:
        def scored(*arguments):
            scores, scales = scores_together(*arguments)
            return [hold(score, lengths) for score in scores], scales

        monkeypatch.setattr("epochord.renderers.page.render.scores_together", scored)
        settings = AudioSettings(voicing="lanes", **settings)
        return open_page(render_page(runs, tmp_path / "page.html", settings).path)

    return open_


def test_a_held_step_is_seen_as_long_as_it_is_heard(held_page, troubled: Run) -> None:
    """The step, the curves, the ticks, the events and the keys follow the sound."""
    page = held_page([troubled], {20: 7})
    each = 0.06
    assert page.evaluate("page.seconds") == pytest.approx(106 * each)
    assert page.evaluate("page.player.seconds") >= 106 * each
    times = {0: 0, 19: 19, 20: 20, 21: 27, 60: 66, 99: 105}
    for step, frame in times.items():
        assert page.evaluate(f"page.axis.timeOf({step})") == pytest.approx(frame * each)
        assert page.evaluate(f"page.axis.stepAt({(frame + 0.5) * each})") == step
    assert page.evaluate(f"page.axis.stepAt({26.5 * each})") == 20
    x = page.evaluate("page.charts.above.data[0]")
    assert (x[20], x[21], x[-1]) == pytest.approx((20 * each, 27 * each, 106 * each))
    marks = page.evaluate("page.charts.happened[0].map(({ time }) => time)")
    assert marks == pytest.approx([each * n for n in (20, 28, 66, 76)])
    page.click("#events tbody tr >> nth=2")
    assert page.evaluate("page.time") == pytest.approx(66 * each)
    assert page.inner_text("#where").startswith("step 60 ")
    page.evaluate(f"page.seek({24 * each})")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("page.time") == pytest.approx(27 * each)


def test_the_spectrogram_shows_what_is_held_at_its_place(held_page, make_run: MakeRun) -> None:
    """A jump of the values behind a held frame lies in both pictures at one time."""
    values = np.where(np.arange(100) < 60, 1.0, 1000.0)
    page = held_page([make_run({"a.weight": values})], {30: 41})
    end = page.evaluate("page.seconds")
    picture = page.evaluate(
        """() => {
          const canvas = page.charts.pictures[0];
          const { width, height } = canvas;
          const { data } = canvas.getContext('2d').getImageData(0, 0, width, height);
          return Array.from({ length: width }, (_, x) => Array.from({ length: height },
            (_, y) => 255 - data[4 * (y * width + x) + 1]));
        }"""
    )
    start, stop = page.evaluate("[page.data.runs[0].picture.start, page.data.runs[0].picture.end]")
    highest = np.array(picture).argmax(axis=1)
    jump = start + (stop - start) * (1 + np.abs(np.diff(highest)).argmax()) / len(picture)
    assert page.evaluate("page.axis.timeOf(60)") == pytest.approx(100 * 0.06)
    assert jump == pytest.approx(100 * 0.06, abs=0.03)
    assert end == pytest.approx(140 * 0.06)


def test_in_a_frame_of_many_steps_each_has_its_time(held_page, make_run: MakeRun) -> None:
    """An event is gone to, and marked, at its very step; the last step of the frame is held."""
    values = np.exp(0.1 * np.sin(np.arange(50_000)))
    values[33_333] = 400
    page = held_page([make_run({"a.weight": values})], {666: 7})
    begin = 666 * 0.06
    page.click("#events button")
    time = page.evaluate("page.time")
    assert begin < time < begin + 0.06
    assert page.inner_text("#where").startswith("step 33,333 ")
    ((mark,),) = page.evaluate("page.charts.happened")
    assert mark["time"] == pytest.approx(time)
    assert page.evaluate(f"page.axis.stepAt({begin + 0.4})") == 33_349
