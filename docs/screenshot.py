"""Takes the README's picture of a page, from the repository's root.

make record-sgd record-adam page RUNS="sgd adam"
.venv/bin/python -m docs.screenshot
"""

import shutil
from pathlib import Path

from playwright.sync_api import sync_playwright

PAGE = Path("renders/page.html")
PICTURE = Path("docs/page.png")
SIZE = {"width": 1100, "height": 860}


def main() -> None:
    """Write docs/page.png: Adam when its last layer is about to die, SGD behind it."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        page = chromium.new_page(viewport=SIZE)
        page.goto(PAGE.resolve().as_uri())
        page.wait_for_selector("html[data-ready=yes]")
        page.keyboard.press("2")
        page.evaluate("page.seek(page.axis.timeOf(124))")
        page.screenshot(path=PICTURE)
        chromium.close()


if __name__ == "__main__":
    main()
