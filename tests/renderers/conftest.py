"""What tests of several kinds of results use: frames that are held, and a real browser."""

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from epochord.renderers.audio.scoring.score import Score

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# Keeps what the page sends to the speakers, on the audio thread, which misses nothing.
TAP = """
window.recorded = [];
const source = `registerProcessor('tap', class extends AudioWorkletProcessor {
  process([[left, right]]) {
    if (left) this.port.postMessage([currentFrame, left.slice(), (right ?? left).slice()]);
    return true;
  }
})`;
const connect = AudioNode.prototype.connect;
AudioNode.prototype.connect = function (target, ...rest) {
  if (target instanceof AudioDestinationNode && this instanceof GainNode) {
    const module = `data:text/javascript,${encodeURIComponent(source)}`;
    this.context.audioWorklet.addModule(module).then(() => {
      const tap = new AudioWorkletNode(this.context, 'tap');
      tap.port.onmessage = ({ data }) => window.recorded.push(data);
      connect.call(this, tap);
      connect.call(tap, target);
    });
  }
  return connect.call(this, target, ...rest);
};
"""

Open = Callable[..., Page]
Hold = Callable[[Score, Mapping[int, int]], Score]


@pytest.fixture
def hold() -> Hold:
    """Let some frames of a score, by number, sound several times in a row."""

    def held(score: Score, lengths: Mapping[int, int]) -> Score:
        times = np.ones(score.frames.count, int)
        times[list(lengths)] = list(lengths.values())
        first = np.cumsum(times) - times

        def repeated(whole, names):
            arrays = {name: getattr(whole, name) for name in names}
            return {
                name: np.repeat(array, times, axis=-1)
                for name, array in arrays.items()
                if array is not None and array.shape[-1:] == (len(times),)
            }

        frames = replace(score.frames, **repeated(score.frames, (
            "steps", "low", "high", "values", "low_step", "high_step", "measured", "nan",
            "positive_infinity", "negative_infinity",
        )))  # fmt: skip
        length = score.frame_length
        events = tuple(
            replace(each, sample=int(first[each.sample // length]) * length + each.sample % length)
            for each in score.events
        )
        moved = repeated(score, ("pitch", "gain", "state", "pan", "brightness"))
        return replace(score, frames=frames, events=events, **moved)

    return held


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, without a screen; EPOCHORD_BROWSER names another one."""
    named = os.environ.get("EPOCHORD_BROWSER")
    path = named or next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        pytest.skip(f"no browser: none of {', '.join(BROWSERS)} is installed")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Open]:
    """Open a file; at the end nothing may have gone wrong in it, nor been asked of any network."""
    wrong: list[str] = []
    contexts = []

    def open_(
        path: Path, *, ready: bool = True, tap: bool = False, before: str = "", **context: Any
    ) -> Page:
        # The tap is a script of its own, which the page's policy would not let in.
        contexts.append(browser.new_context(bypass_csp=tap, **context))
        page = contexts[-1].new_page()
        page.add_init_script(before + (TAP if tap else ""))
        page.on("console", lambda message: wrong.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: wrong.append(f"error: {error}"))
        page.on("dialog", lambda dialog: wrong.append(f"dialog: {dialog.message}"))
        page.on("request", lambda request: _note_request(request.url, path, wrong))
        page.goto(path.as_uri())
        if ready:
            page.wait_for_selector("html[data-ready=yes]")
        return page

    yield open_
    for context in contexts:
        context.close()
    assert wrong == []


def _note_request(url: str, path: Path, wrong: list[str]) -> None:
    if url != path.as_uri() and not url.startswith(("data:", "blob:")):
        wrong.append(f"request: {url}")
