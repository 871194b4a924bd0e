"""Runs as pages, opened in a real browser."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from epochord.renderers.audio import AudioSettings
from epochord.renderers.page import render_page
from epochord.runlog import Run

Open = Callable[..., Page]


@pytest.fixture
def page_of(tmp_path: Path, open_page: Open) -> Callable[..., Page]:
    """Render runs as a page and open it."""

    def open_(*runs: Run, stems: bool = False, voicing: str = "lanes", **how: Any) -> Page:
        settings = AudioSettings(voicing=voicing)
        made = render_page(runs, tmp_path / "page.html", settings, stems=stems)
        return open_page(made.path, **how)

    return open_
