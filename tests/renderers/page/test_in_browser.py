"""Pages in a real browser: what plays, moves, aligns, answers keys, and can be read aloud."""

from collections.abc import Callable

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page
from scipy.signal import stft

from epochord.runlog import Run, RunMetadata, Series

MakeRun = Callable[..., Run]
PageOf = Callable[..., Page]

nan, inf = float("nan"), float("inf")
RATE = 44_100
NASTY = "<img src=x onerror=alert(1)>"
PLACE = "new DOMMatrix(getComputedStyle(document.querySelector('#curves .playhead')).transform).m41"
WIDTH = "document.querySelector('#curves .u-over').clientWidth"


@pytest.fixture
def walk(make_run: MakeRun) -> Callable[..., Run]:
    """Make a run whose layers' norms walk at random."""

    def make(name: str = "walk", steps: int = 200, seed: int = 0, layers: int = 2) -> Run:
        walks = np.random.default_rng(seed).normal(0, 0.2, (layers, steps)).cumsum(axis=1)
        return make_run({f"layer{n}.weight": 10**row for n, row in enumerate(walks)}, name)

    return make


def share(page: Page) -> float:
    """Where the playhead stands, from 0 to 1."""
    return page.evaluate(f"{PLACE} / {WIDTH}")


def step(page: Page) -> int:
    return int(page.inner_text("#where").split()[1].replace(",", ""))


def listed(page: Page) -> list[list[str]]:
    """Return the cells of the table of events."""
    rows = page.locator("#events tbody tr")
    return [
        [text.strip() for text in row.locator("th, td").all_inner_texts()] for row in rows.all()
    ]


def recorded(page: Page) -> np.ndarray:
    """Return what went to the speakers so far [shape=(channels, n)], from the clock's zero on."""
    frames, left, right = zip(
        *page.evaluate("recorded.map(([frame, ...sides]) => [frame, ...sides.map((s) => [...s])])"),
        strict=True,
    )
    sound = np.zeros((2, frames[-1] + 128))  # zeros also where no source was playing
    sound[:, np.array(frames)[:, None] + np.arange(128)] = left, right
    return sound


def started(page: Page) -> int:
    """Return the sample of the clock at which the sources began."""
    return round(page.evaluate("page.player.started") * RATE)


def lag(heard: np.ndarray, sound: np.ndarray) -> int:
    """Return where in a sound, at the page's volume, what was heard differs from it the least."""
    part = 0.8**2 * sound
    size = len(heard) + len(part)
    product = np.fft.irfft(np.fft.rfft(part, size) * np.conj(np.fft.rfft(heard, size)), size)
    energy = np.concatenate([[0], np.cumsum(part**2)])
    places = np.arange(len(part) - len(heard) + 1)
    differences = energy[places + len(heard)] - energy[places] - 2 * product[places]
    return int(differences.argmin())


def until(page: Page, condition: str) -> None:
    """Wait for a condition; playwright's own way to do so needs what the page's policy forbids."""
    for _ in range(100):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(50)
    pytest.fail(f"never came true: {condition}")


def decoded(page: Page, run: int = 0) -> np.ndarray:
    return np.array(page.evaluate(f"Array.from(page.player.buffers[{run}][0].getChannelData(0))"))


def test_the_playhead_moves_as_time_does(page_of: PageOf, walk: Callable[..., Run]) -> None:
    """Over three seconds, the playhead covers three seconds of the sound, within one per cent."""
    page = page_of(walk())
    page.click("#play")
    page.wait_for_timeout(500)
    moved = page.evaluate(
        f"""async () => {{
          const frame = () => new Promise((done) => requestAnimationFrame(done));
          const reading = async () => {{
            await frame();
            return [performance.now() / 1000, {PLACE}];
          }};
          const from = await reading();
          while (performance.now() / 1000 < from[0] + 3) await frame();
          const to = await reading();
          return (to[1] - from[1]) / {WIDTH} * page.seconds / (to[0] - from[0]);
        }}"""
    )
    assert moved == pytest.approx(1, abs=0.01)
    page.click("#play")
    before = share(page)
    page.wait_for_timeout(200)
    assert share(page) == before


@pytest.mark.parametrize("chart", ["#curves", "#spectrogram"])
@pytest.mark.parametrize("at", [0.25, 0.75])
def test_a_click_goes_there(
    page_of: PageOf, walk: Callable[..., Run], chart: str, at: float
) -> None:
    """A click on either picture takes the sound there, within one per cent."""
    page = page_of(walk())
    box = page.locator(f"{chart} .u-over").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + at * box["width"], box["y"] + box["height"] / 2)
    assert share(page) == pytest.approx(at, abs=0.01)
    assert page.evaluate("page.player.position / page.seconds") == pytest.approx(at, abs=0.01)


def test_what_is_clicked_is_heard(page_of: PageOf, walk: Callable[..., Run]) -> None:
    """From where the position was set, the speakers get the sound, to the sample."""
    page = page_of(walk(), tap=True)
    page.evaluate("page.seek(5)")
    page.click("#play")
    page.wait_for_timeout(1500)
    begin = started(page) + 20_000
    place = lag(recorded(page)[0][begin : begin + 20_000], decoded(page))
    assert place == pytest.approx(5 * RATE + 20_000, abs=1)


def test_runs_are_switched_without_a_gap(page_of: PageOf, walk: Callable[..., Run]) -> None:
    """Two runs of one log: through switches, what is heard is the one sound, to the sample."""
    page = page_of(walk("a"), walk("b"), tap=True)
    page.evaluate("page.seek(2)")
    page.click("#play")
    page.wait_for_timeout(1000)
    for key in ("2", "1", "x"):
        page.keyboard.press(key)
        page.wait_for_timeout(500)
    begin = started(page) + 10_000
    heard, sound = recorded(page)[0][begin:], decoded(page)
    expected = 0.8**2 * sound[2 * RATE + 10_000 :][: len(heard)]
    assert len(heard) > 1.5 * RATE
    np.testing.assert_allclose(heard, expected, atol=0.02 * np.abs(expected).max())


def test_after_a_switch_the_other_run_is_heard(page_of: PageOf, walk: Callable[..., Run]) -> None:
    """The second run is heard at the moment at which the first one was: less than 1 ms apart."""
    page = page_of(walk("a"), walk("b", seed=1), tap=True)
    page.click("#play")
    page.wait_for_timeout(900)
    page.keyboard.press("2")
    page.wait_for_timeout(900)
    heard = recorded(page)[0]
    begin, end = started(page) + 10_000, len(heard) - 15_000
    skews = (
        lag(heard[begin : begin + 15_000], decoded(page, 0)) - (begin - started(page)),
        lag(heard[end:], decoded(page, 1)) - (end - started(page)),
    )
    assert abs(skews[1] - skews[0]) < 0.001 * RATE
    assert page.is_checked("#runs input[value='1']")


@pytest.mark.parametrize("tag", ["grad_norm/a.weight", "loss"])
def test_curves_and_spectrogram_are_aligned(page_of: PageOf, tag: str) -> None:
    """A jump of the values lies in both pictures at the same place, to two pixels."""
    series = Series(tag, np.arange(100), np.where(np.arange(100) < 60, 1.0, 1000.0))
    run = Run("jump", RunMetadata("jump"), {tag: series})
    page = page_of(run, viewport={"width": 1280, "height": 900})
    curve, sound = page.evaluate(
        """() => ['#curves', '#spectrogram'].map((id) => {
          const canvas = document.querySelector(`${id} canvas`);
          const { width, height } = canvas;
          const { data } = canvas.getContext('2d').getImageData(0, 0, width, height);
          const left = canvas.getBoundingClientRect().left;
          const dark = Array.from({ length: width }, (_, x) => Array.from({ length: height },
            (_, y) => data[4 * (y * width + x) + 3] * (255 - data[4 * (y * width + x) + 1])));
          return [left, canvas.getBoundingClientRect().width / width, dark];
        })"""
    )
    over = page.locator("#curves .u-over").bounding_box()
    assert over is not None

    def inside(picture: list) -> tuple[float, np.ndarray]:
        left, scale, dark = picture
        columns = np.arange(len(dark)) * scale + left
        wanted = (columns > over["x"] + 3) & (columns < over["x"] + over["width"] - 3)
        return columns[wanted][0], np.array(dark)[wanted]

    first, darkness = inside(curve)
    jump = first + int((darkness > 20_000).sum(axis=1).argmax())
    first, darkness = inside(sound)
    loudest = darkness[:, 12:190].argmax(axis=1)
    switch = first + int(np.abs(np.diff(loudest)).argmax())
    assert abs(jump - switch) <= 2
    assert jump == pytest.approx(over["x"] + 0.6 * over["width"], abs=2)
    boxes = [page.locator(f"{id_} .u-over").bounding_box() for id_ in ("#curves", "#spectrogram")]
    assert boxes[0]["x"] == boxes[1]["x"]  # type: ignore[index]
    assert boxes[0]["width"] == boxes[1]["width"]  # type: ignore[index]


def test_keys_do_what_the_list_says(page_of: PageOf, make_run: MakeRun) -> None:
    """Every key of the list acts, also while a button has the focus."""
    bad = 1 + 0.1 * np.sin(np.arange(100.0))
    bad[40:49] = bad[60:69] = nan
    page = page_of(make_run({"a.weight": bad}, "a"), make_run({"a.weight": [1.0] * 100}, "b"))
    page.keyboard.press("ArrowRight")
    assert step(page) == 1
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    assert step(page) == 1
    page.keyboard.press("Shift+ArrowRight")
    assert page.evaluate("page.time") == pytest.approx(1.06, abs=0.01)
    page.keyboard.press("End")
    assert step(page) == 99
    page.keyboard.press("Home")
    assert step(page) == 0
    page.keyboard.press("n")
    assert step(page) == 40
    page.keyboard.press("n")
    assert step(page) == 60
    page.keyboard.press("p")
    assert step(page) == 40
    page.keyboard.press("2")
    assert page.is_checked("#runs input[value='1']")
    page.keyboard.press("x")
    assert page.is_checked("#runs input[value='0']")
    page.keyboard.press(">")
    assert page.input_value("#speed") == "1.25"
    page.keyboard.press("<")
    assert page.input_value("#speed") == "1"
    page.keyboard.press("ArrowDown")
    assert float(page.input_value("#volume")) == pytest.approx(0.7)
    page.keyboard.press("ArrowUp")
    assert float(page.input_value("#volume")) == pytest.approx(0.8)
    page.keyboard.press("+")
    assert page.is_visible("#whole")
    page.keyboard.press("-")
    assert page.is_hidden("#whole")
    page.keyboard.press("+")
    page.keyboard.press("0")
    assert page.is_hidden("#whole")
    page.keyboard.press("Home")
    page.keyboard.press("Space")
    until(page, "page.time > 0.2")
    assert page.inner_text("#play") == "Pause"
    page.keyboard.press("k")
    assert page.inner_text("#play") == "Play"
    page.keyboard.press("?")
    assert page.is_visible("#keys")
    page.keyboard.press("Escape")
    assert page.is_hidden("#keys")
    page.focus("#play")
    page.keyboard.press("Space")
    until(page, "page.player.playing")
    page.keyboard.press("ArrowRight")  # a button does not know it
    page.keyboard.press("Space")
    assert page.inner_text("#play") == "Play"


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        ([1e-3, 1.0, 1e17], ["0.01", "1", "100", "1e18"]),
        ([-3.0, 0.0, 2.0], ["-3", "0", "2"]),
        ([0.25, 0.3, 0.5], ["0.3", "0.5"]),
        ([1.0, 1.0, 1.0], ["1"]),
        ([1e-300, 1.0, 1e300], ["1e-69"]),
        ([-1.7e308, 0.0, 1.7e308], ["5e307"]),
        ([-1e-9, 0.0, 2e-9], ["1e-9"]),
    ],
)
def test_every_range_of_values_has_an_axis(
    page_of: PageOf, values: list[float], labels: list[str]
) -> None:
    """From negative values to three hundred decades: round ticks, and not too many."""
    series = Series("loss", [0, 1, 2], np.array(values))
    page = page_of(Run("wide", RunMetadata("wide"), {"loss": series}))
    shown = page.evaluate("page.charts.above.axes[1]._values")
    assert 1 <= len(shown) <= 14
    assert set(labels) & set(shown)


@pytest.mark.parametrize("speed", [0.5, 2.0])
def test_another_speed_keeps_the_pitch(page_of: PageOf, make_run: MakeRun, speed: float) -> None:
    """At half and at twice the speed, the position runs so, and every voice keeps its pitch."""
    run = make_run({"a.weight": [1.0] * 100, "b.weight": [30.0] * 100})
    page = page_of(run, tap=True)
    page.select_option("#speed", f"{speed:g}")
    page.click("#play")
    page.wait_for_timeout(400)
    ran = page.evaluate(
        """async () => {
          const reading = () => [performance.now() / 1000, page.time];
          const from = reading();
          await new Promise((done) => setTimeout(done, 1500));
          const to = reading();
          return (to[1] - from[1]) / (to[0] - from[0]);
        }"""
    )
    assert ran == pytest.approx(speed, rel=0.02)
    heard = recorded(page)[0]
    first = started(page) + 4000
    expected, found = (
        np.sort(np.abs(np.fft.rfft(part * np.hanning(len(part)), 1 << 18)).argsort()[-1:])
        for part in (decoded(page)[4000:44_000], heard[first : first + 40_000])
    )
    assert found == pytest.approx(expected, rel=0.01)


def test_pointing_reads_the_log(page_of: PageOf, make_run: MakeRun) -> None:
    """The pointer shows the step below it and each voice's value there, as it was logged."""
    values = np.geomspace(0.01, 100, 50).astype(np.float32)
    values[30] = nan
    page = page_of(make_run({"a.weight": values, "b.weight": np.zeros(50)}))
    box = page.locator("#curves .u-over").bounding_box()
    assert box is not None
    for wanted, expected in ((10, f"{float(f'{values[10]:.4g}'):g}"), (30, "NaN")):
        page.mouse.move(box["x"] + box["width"] * (wanted + 0.5) / 50, box["y"] + 40)
        said = page.inner_text(".tip").split()
        assert said[:3] == ["at", "step", str(wanted)]
        assert said[3:] == ["a", expected, "b", "0"]
        assert page.inner_text("#voices tbody tr:first-child td") == expected
    page.mouse.move(0, 0)
    assert page.is_hidden(".tip")


def test_what_is_no_number_is_marked_listed_and_counted(page_of: PageOf, make_run: MakeRun) -> None:
    """NaN, the infinities and zeros have marks, a place in the list of events, and a count."""
    rows = {
        "a.weight": [1.0] * 10 + [nan] * 5 + [1.0] * 15,
        "b.weight": [1.0] * 20 + [inf] * 10,
        "c.weight": [1.0] * 5 + [0.0] * 25,
    }
    page = page_of(make_run(rows))
    glyphs, _, events = page.inner_text("#legend").partition("○")
    assert glyphs.split() == ["×", "NaN", "▲", "+∞", "0", "exactly", "zero"]
    assert "listed below" in events
    marks = page.evaluate("page.charts.marks[0].flat().map(({name, from, to}) => [name, from, to])")
    seconds = page.evaluate("page.seconds")
    each = seconds / 30
    assert marks == [
        ["nan", pytest.approx(10 * each), pytest.approx(15 * each)],
        ["positive_infinity", pytest.approx(20 * each), pytest.approx(seconds)],
        ["zero", pytest.approx(5 * each), pytest.approx(seconds)],
    ]
    assert listed(page) == [
        ["step 5", "0.7 s", "c", "dead", "zero", "c: dead from step 5 to the end, zero"],
        ["step 10", "1.3 s", "a", "NaN", "–", "a: NaN in steps 10…14"],
        ["step 20", "2.7 s", "b", "+∞", "–", "b: +inf from step 20 to the end"],
    ]
    counts = page.locator("#voices tbody tr td:nth-child(5)").all_inner_texts()
    assert counts == ["5 NaN", "10 +∞", "25 zero"]
    page.click("#events button:has-text('step 20')")
    assert step(page) == 20
    page.click("#events td:has-text('NaN in steps')")
    assert step(page) == 10


def test_a_switch_changes_what_is_read(page_of: PageOf, make_run: MakeRun) -> None:
    """While the pointer rests, another run's values take the place of the first one's."""
    page = page_of(make_run({"a.weight": [1.0] * 9}, "a"), make_run({"a.weight": [2.0] * 9}, "b"))
    box = page.locator("#curves .u-over").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 40)
    assert page.inner_text(".tip b") == "1"
    page.keyboard.press("2")
    assert page.inner_text(".tip b") == page.inner_text("#voices tbody td") == "2"


def test_a_name_that_runs_backwards_turns_nothing_else(page_of: PageOf, make_run: MakeRun) -> None:
    """After a tag with a right-to-left override, the value still reads as it was logged."""
    page = page_of(make_run({"\u202etag.weight": [2.757] * 9}))
    page.mouse.move(600, 350)
    edges = page.evaluate(
        """() => {
          const text = document.querySelector('.tip b').firstChild;
          return [0, 4].map((at) => {
            const range = document.createRange();
            range.setStart(text, at);
            range.setEnd(text, at + 1);
            return range.getBoundingClientRect().left;
          });
        }"""
    )
    assert edges[0] < edges[1]


def test_events_of_long_runs_have_their_own_steps(page_of: PageOf) -> None:
    """Though a frame of the sound holds many steps, an event is at the one of the log."""
    values = np.ones(100_000)
    values[33_333:34_444] = nan
    page = page_of(Run("long", RunMetadata("long"), {"loss": Series("loss", range(10**5), values)}))
    (event,) = listed(page)
    assert event[0] == "step 33,333"
    assert event[-1] == "loss: NaN in steps 33333…34443"
    page.click("#events button >> nth=0")
    assert "NaN" in page.inner_text("#voices tbody td")
    assert step(page) == 33_333


def test_exceptions_are_counted_as_they_were_logged(page_of: PageOf) -> None:
    """One NaN of a series that is logged every tenth step is one, however long it holds."""
    coarse = Series("eval_loss", range(0, 100, 10), [1.0, nan, *[1.0] * 8])
    fine = Series("loss", range(100), np.ones(100))
    run = Run("paces", RunMetadata("paces"), {"loss": fine, "eval_loss": coarse})
    page = page_of(run, Run("coarse", RunMetadata("coarse"), {"eval_loss": coarse}))
    for key in ("1", "2"):
        page.keyboard.press(key)
        row = page.locator("#voices tbody tr", has_text="eval_loss").inner_text()
        assert "1 NaN" in row
        assert "10 NaN" not in row


def test_a_device_that_wakes_slowly_is_not_started_twice(
    page_of: PageOf, walk: Callable[..., Run]
) -> None:
    """Pressed again before the sound begins, the button takes its wish back."""
    page = page_of(walk())
    page.evaluate(
        """() => {
          const resume = AudioContext.prototype.resume;
          AudioContext.prototype.resume = async function () {
            await new Promise((done) => setTimeout(done, 300));
            return resume.call(this);
          };
        }"""
    )
    page.click("#play")
    assert page.inner_text("#play") == "Pause"
    page.click("#play")
    assert page.inner_text("#play") == "Play"
    page.wait_for_timeout(500)
    assert page.evaluate("[page.player.playing, page.player.sources.length]") == [False, 0]
    page.click("#play")
    page.wait_for_timeout(500)
    assert page.evaluate("[page.player.playing, page.player.sources.length]") == [True, 1]


def test_controls_keep_only_the_keys_that_are_theirs(page_of: PageOf, make_run: MakeRun) -> None:
    """Space plays from a radio button or a slider too; in a list, arrows scroll it."""
    bad = np.ones(600)
    bad[20::40] = nan
    page = page_of(make_run({"a.weight": bad}, "a"), make_run({"a.weight": bad}, "b"))
    for control in ("#runs input[value='1']", "#position", "#volume"):
        page.focus(control)
        page.keyboard.press("Space")
        until(page, "page.player.playing")
        page.keyboard.press("Space")
        until(page, "!page.player.playing")
    page.focus("#events")
    before = page.evaluate("[page.time, page.player.volume]")
    page.keyboard.press("ArrowDown")
    until(page, "document.querySelector('#events').scrollTop > 0")
    assert page.evaluate("[page.time, page.player.volume]") == before


def test_a_double_click_only_shows_all(page_of: PageOf, walk: Callable[..., Run]) -> None:
    """It takes the zoom back, and leaves the position where it was."""
    page = page_of(walk())
    page.evaluate("page.seek(3)")
    page.keyboard.press("+")
    page.locator("#curves .u-over").dblclick()
    until(page, "!page.charts.zoomed")
    assert page.evaluate("page.time") == pytest.approx(3)


def test_the_playhead_is_never_out_of_sight(page_of: PageOf, walk: Callable[..., Run]) -> None:
    """Going to a place outside of what is zoomed in on shows that place."""
    page = page_of(walk())
    for _ in range(3):
        page.keyboard.press("+")
    page.keyboard.press("End")
    assert 0 <= share(page) <= 1
    assert page.evaluate("page.charts.zoomed")


def test_many_long_names_leave_room(page_of: PageOf, walk: Callable[..., Run]) -> None:
    """Nine runs with endless names do not cover a phone's screen; their folder is said once."""
    names = [f"content/runs/{'x' * 70}_{i}" for i in range(9)]
    page = page_of(*(walk(n, steps=5) for n in names), viewport={"width": 360, "height": 740})
    height = page.evaluate("document.querySelector('#transport').clientHeight")
    assert height < 300
    labels = page.locator("#runs label").all_inner_texts()
    assert labels[0].split() == ["1", "x" * 70 + "_0"]
    assert page.inner_text("h1") == "9 runs"


def test_loudness_and_gain_are_said(page_of: PageOf, walk: Callable[..., Run]) -> None:
    """The settings say how loud the sound is, and on what scale."""
    page = page_of(walk())
    page.click("summary >> nth=1")
    said = page.inner_text("#settings")
    assert "LUFS, gain" in said
    assert "gradient norm: " in said


def test_speed_can_be_chosen_before_all_is_decoded(
    page_of: PageOf, walk: Callable[..., Run]
) -> None:
    """What was chosen while the sound was still being read is what is heard."""
    page = page_of(walk())
    page.evaluate(
        """() => {
          const { buffers, player } = page.player;
          page.player.buffers = undefined;
          page.player.setSpeed(2);
          page.player.buffers = page.player.heard;
          page.player.setSpeed(page.player.speed);
        }"""
    )
    lengths = page.evaluate("[page.player.heard, page.player.buffers].map((b) => b[0][0].length)")
    assert lengths[0] == pytest.approx(lengths[1] / 2, abs=2)


def test_at_other_speeds_a_jump_is_where_it_is_seen(page_of: PageOf, make_run: MakeRun) -> None:
    """A jump at 3 s is heard at 1.5 s of a sound at twice the speed, within 10 ms."""
    page = page_of(make_run({"a.weight": [1.0] * 50 + [1000.0] * 50}))
    for speed in (2.0, 0.5):
        page.select_option("#speed", f"{speed:g}")
        sound = np.array(page.evaluate("Array.from(page.player.heard[0][0].getChannelData(0))"))
        frequency, time, power = stft(sound, RATE, nperseg=1024, noverlap=1024 - 64)
        loudest = frequency[np.abs(power).argmax(axis=0)]
        jump = time[np.abs(np.diff(loudest)).argmax()]
        assert jump * speed == pytest.approx(3.0, abs=0.012)


def test_stems_are_muted_one_by_one(page_of: PageOf, make_run: MakeRun) -> None:
    """A voice alone is what is left of the sound; muting both leaves silence."""
    run = make_run({"a.weight": [1.0] * 100, "b.weight": [1.0] * 100})
    page = page_of(run, stems=True, tap=True)
    page.click("button[aria-label^='Solo'][aria-label*='b']")
    assert (
        page.get_attribute("button[aria-label^='Solo'][aria-label*='b']", "aria-pressed") == "true"
    )
    page.click("#play")
    page.wait_for_timeout(1000)
    heard = recorded(page)[0][-16_384:]
    loudest = np.abs(np.fft.rfft(heard * np.hanning(16_384))).argmax() * RATE / 16_384
    low, high = page.evaluate("page.data.voices[1].register")
    assert low <= loudest <= high
    page.click("button[aria-label^='Mute'][aria-label*='a']")
    assert page.evaluate("page.player.muted[0]") == [True, False]
    page.click("button[aria-label^='Mute'][aria-label*='b']")
    page.wait_for_timeout(700)
    assert np.abs(recorded(page)[:, -8192:]).max() < 1e-3


def test_zooming_moves_both_pictures(page_of: PageOf, walk: Callable[..., Run]) -> None:
    """Dragging on one picture shows that stretch in both; a double click shows all again."""
    page = page_of(walk())
    box = page.locator("#spectrogram .u-over").bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 0.25 * box["width"], middle)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.5 * box["width"], middle, steps=5)
    page.mouse.up()
    for chart in ("above", "below"):
        x = page.evaluate(f"page.charts.{chart}.scales.x")
        seconds = page.evaluate("page.seconds")
        assert x["min"] / seconds == pytest.approx(0.25, abs=0.01)
        assert x["max"] / seconds == pytest.approx(0.5, abs=0.01)
    assert share(page) <= 0.01  # a drag does not seek
    page.mouse.dblclick(box["x"] + 10, middle)
    until(page, "!page.charts.zoomed")


def test_a_long_run_keeps_its_extremes(page_of: PageOf, make_run: MakeRun) -> None:
    """Of 200,000 steps, the one spike is drawn, and read by pointing at it."""
    values = np.ones(200_000, np.float32)
    values[123_456] = 5000.0
    page = page_of(make_run({"a.weight": values}))
    assert "steps each" in page.inner_text("#curves-note")
    assert page.evaluate("Math.max(...page.charts.plotted[0][0])") == 5000
    assert page.evaluate("page.axis.stepAt(page.axis.timeOf(123456))") == 123_456
    page.evaluate("page.seek(page.axis.timeOf(123456))")
    assert page.inner_text("#voices tbody td") == "1 … 5000"


def test_text_of_a_log_is_only_text(page_of: PageOf, make_run: MakeRun) -> None:
    """Names that look like markup or end the script are shown as they are, and do nothing."""
    other = "</script><script>alert(2)</script>"
    runs = [make_run({NASTY: [1.0, nan, 2.0]}, NASTY), make_run({NASTY: [1.0, 2.0]}, other)]
    page = page_of(*runs)
    # Of a name, what lies below a folder that all have in common is the label: here, all.
    assert page.inner_text("h1") == f"{NASTY} · {other}"
    assert page.title() == f"{NASTY} · {other} – Epochord"
    assert NASTY in page.inner_text("#voices tbody th")
    assert page.locator("img").count() == 0
    assert page.evaluate("document.scripts.length") == len(page.query_selector_all("script"))
    page.keyboard.press("2")
    page.wait_for_timeout(200)


@pytest.mark.parametrize(
    "how",
    [
        {"color_scheme": "light"},
        {"color_scheme": "dark"},
        {"color_scheme": "light", "viewport": {"width": 375, "height": 812}},
    ],
    ids=["light", "dark", "phone"],
)
def test_nobody_is_left_out(page_of: PageOf, make_run: MakeRun, how: dict) -> None:
    """Axe finds nothing wrong, on a screen, in the dark, on a phone, nor with all opened."""
    runs = [make_run({"a.weight": [1.0, nan, 0.0, 2.0]}, name) for name in ("one", "two")]
    page = page_of(*runs, stems=True, **how)
    for summary in page.query_selector_all("summary"):
        summary.click()
    assert_accessible(page)
    page.click("#help")
    assert_accessible(page)
    page.keyboard.press("Escape")
    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0, "the page can be scrolled sideways"


def assert_accessible(page: Page) -> None:
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def test_the_table_holds_the_values(page_of: PageOf, make_run: MakeRun) -> None:
    """What the curves show can be read as a table, a row a step."""
    page = page_of(make_run({"a.weight": [0.5, nan, inf, 2.0]}))
    page.click("summary >> nth=0")
    rows = page.locator("#values tbody tr").all_inner_texts()
    assert [row.split() for row in rows] == [["0", "0.5"], ["1", "NaN"], ["2", "+∞"], ["3", "2"]]


def test_uneven_steps_are_labelled_where_they_are(page_of: PageOf) -> None:
    """Each recorded step has the same time; the axis says which step is where."""
    steps = np.concatenate([np.arange(0, 10), np.arange(100, 1100, 100)])
    series = Series("loss", steps, np.linspace(1, 2, 20))
    page = page_of(Run("uneven", RunMetadata("uneven"), {"loss": series}))
    seconds = page.evaluate("page.seconds")
    for point, at in enumerate(steps):
        assert page.evaluate(f"page.axis.stepAt({(point + 0.5) * seconds / 20})") == at
        assert page.evaluate(f"page.axis.timeOf({at})") == pytest.approx(point * seconds / 20)
