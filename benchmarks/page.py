"""A page of a million steps in a browser: how soon it opens, how smoothly it moves; beside peers.

Each candidate is one HTML file with the same curves, whose marker follows a clock.  Where
Plotly or Bokeh are not installed they are left out (`pip install plotly bokeh`).
"""

import shutil
import tempfile
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
from playwright.sync_api import Browser, sync_playwright

from benchmarks.measure import cpu_seconds, spread
from benchmarks.processes import in_new_process, peak_mib
from benchmarks.tables import table
from benchmarks.targets import Part, at_least, at_most, joined
from epochord.renderers.page import render_page
from epochord.runlog import Run, RunMetadata, Series

STEPS, VOICES = 1_000_000, 4
ROUNDS = 3
SECONDS = 4  # of playing
ARGUMENTS = ["--no-sandbox", "--disable-gpu"]
OURS, PLOTLY, BOKEH = "Epochord, 1M steps", "Plotly, 1M points", "Bokeh, 1M points"
SMALL = "Epochord, 1,000 steps"

# Moves a marker by the clock, as often as the browser draws, and counts.
COUNT = """async (seconds) => {
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  let frames = 0, longest = 0, before = performance.now();
  const end = before + 1000 * seconds;
  while (performance.now() < end) {
    await frame();
    if (window.move) await window.move((performance.now() % 4000) / 4000);
    const now = performance.now();
    longest = Math.max(longest, now - before);
    before = now;
    frames += 1;
  }
  return [frames / seconds, longest];
}"""


def report() -> str:
    """Measure all candidates and return the tables."""
    path = next(filter(None, map(shutil.which, ("chromium", "google-chrome"))), None)
    if path is None:
        return "Not measured: no browser is installed."
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        makers = {OURS: _ours, SMALL: _small, PLOTLY: _plotly, BOKEH: _bokeh}
        there = {title: make for title, make in makers.items() if _can_make(title)}
        built = {title: in_new_process(_built, make, folder) for title, make in there.items()}
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
            seen: dict[str, list[tuple[float, float, float]]] = {title: [] for title in there}
            for _ in range(ROUNDS):
                for title in there:
                    seen[title].append(_opened(browser, built[title][0]))
            browser_version = browser.version
            browser.close()
        rows = [_row(title, built[title], seen[title]) for title in there]
    head = ["page", "built, CPU s", "peak, MiB", "size, MB", "opens in, s", "frames a second",
            "longest frame, ms"]  # fmt: skip
    title = f"Pages of {VOICES} voices in Chromium {browser_version}, {ROUNDS} rounds: medians"
    ours = np.median(seen[OURS], axis=0)
    targets = [
        at_most("page of 1M steps a voice: opens in, s", ours[0], 3.0),
        at_least("page of 1M steps a voice: frames a second", ours[1], 50.0),
    ]
    return joined([Part([table(title, head, rows)], targets, _versions(there))])


def _run(steps: int) -> Run:
    walks = np.random.default_rng(0).normal(0, 0.01, (VOICES, steps)).cumsum(axis=1)
    series = {
        f"grad_norm/layer{n}.weight": Series(
            f"grad_norm/layer{n}.weight", np.arange(steps), (10**row).astype(np.float32)
        )
        for n, row in enumerate(walks)
    }
    return Run("walk", RunMetadata("walk"), series)


def _ours(path: Path) -> None:
    render_page([_run(STEPS)], path)


def _small(path: Path) -> None:
    render_page([_run(1000)], path)


def _plotly(path: Path) -> None:
    import plotly.graph_objects as go

    run = _run(STEPS)
    lines = [go.Scattergl(x=one.steps, y=one.values, name=tag) for tag, one in run.series.items()]
    figure = go.Figure(lines)
    figure.update_yaxes(type="log")
    figure.add_vline(x=0)
    move = f"""
      const plot = document.querySelector('.plotly-graph-div');
      window.move = (at) => Plotly.relayout(plot, {{'shapes[0].x0': at * {STEPS},
        'shapes[0].x1': at * {STEPS}}});
      document.documentElement.dataset.ready = 'yes';
    """
    figure.write_html(path, include_plotlyjs=True, post_script=move)


def _bokeh(path: Path) -> None:
    from bokeh.embed import file_html
    from bokeh.models import Span
    from bokeh.plotting import figure
    from bokeh.resources import INLINE

    run = _run(STEPS)
    plot = figure(y_axis_type="log", width=1000, height=400)
    for one in run.series.values():
        plot.line(one.steps, one.values)
    span = Span(location=0, dimension="height", name="here")
    plot.add_layout(span)
    ready = f"""<script>
      const wait = setInterval(() => {{
        const [shown] = Bokeh.documents;
        if (!shown || !shown.is_idle) return;
        clearInterval(wait);
        const span = shown.get_model_by_name('here');
        window.move = (at) => {{ span.location = at * {STEPS}; }};
        document.documentElement.dataset.ready = 'yes';
      }}, 20);
    </script>"""
    html = file_html(plot, INLINE, "walk").replace("</body>", f"{ready}</body>")
    path.write_text(html, encoding="utf-8")


def _can_make(title: str) -> bool:
    try:
        return title in (OURS, SMALL) or bool(version(title.split(",")[0].lower()))
    except PackageNotFoundError:
        return False


def _built(make: Callable[[Path], None], folder: Path) -> tuple[Path, float, float]:
    """Make a page; return where it is, CPU seconds and the peak of memory in MiB."""
    path = folder / f"{make.__name__}.html"
    _small(folder / "warm-up.html")  # numba's cache is read
    return path, cpu_seconds(lambda: make(path)), peak_mib()


def _opened(browser: Browser, path: Path) -> tuple[float, float, float]:
    """Open a page; return seconds until it is ready, frames a second, longest frame in ms."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(path.as_uri(), wait_until="commit")
    page.wait_for_selector("html[data-ready=yes]", timeout=120_000, state="attached")
    opened = page.evaluate("performance.now() / 1000")
    if page.locator("#play").count():
        page.click("#play")
        page.wait_for_timeout(300)
    frames, longest = page.evaluate(COUNT, SECONDS)
    page.close()
    return opened, frames, longest


def _row(
    title: str, built: tuple[Path, float, float], seen: list[tuple[float, float, float]]
) -> list[str]:
    opened, frames, longest = (spread(column) for column in zip(*seen, strict=True))
    path, cpu, peak = built
    return [
        title, f"{cpu:.1f}", f"{peak:.0f}", f"{path.stat().st_size / 1e6:.2f}",
        opened.text(2), frames.text(1), longest.text(0),
    ]  # fmt: skip


def _versions(there: dict[str, Callable[[Path], None]]) -> list[str]:
    names = [title.split(",")[0].lower() for title in there if title in (PLOTLY, BOKEH)]
    return [f"{name} {version(name)}" for name in names]
