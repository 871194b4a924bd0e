"""A person's way through the test in a real browser, from the first word to the stored file."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from epochord.renderers.listening import ListeningTest
from epochord.renderers.listening.answers import read_answers, read_key
from epochord.renderers.listening.detection import Share
from epochord.renderers.listening.scoring import scored

Open = Callable[..., Page]

PHONE = {"width": 375, "height": 812}


def until(page: Page, condition: str) -> None:
    for _ in range(200):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(50)
    pytest.fail(f"never came true: {condition}")


def begin(page: Page, code: str = "P-1") -> None:
    page.fill("#person", code)
    page.check("input[name=device][value=headphones]")
    page.click("#begin button")


def hear(page: Page) -> None:
    """Play the clip and go near its end, which then comes by itself."""
    page.click("#play")
    until(page, "session.clip.currentTime > 0 && session.clip.duration > 0")
    page.evaluate("session.clip.currentTime = session.clip.duration - 0.2")
    until(page, "!document.querySelector('#healthy').disabled")


def say(page: Page, kind: str, layer: int | str = "all") -> None:
    page.check(f"input[name=healthy][value={'yes' if kind == 'healthy' else 'no'}]")
    if kind != "healthy":
        page.check(f"input[name=kind][value={kind}]")
        page.check(f"input[name=layer][value='{layer}']")
    page.click("#next")


def practise(page: Page) -> None:
    for _ in range(2):
        hear(page)
        say(page, "healthy")
        page.click("#next")


def assert_accessible(page: Page) -> None:
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0, "the page can be scrolled sideways"


def test_from_start_to_the_stored_file(
    made: ListeningTest, open_page: Open, tmp_path: Path
) -> None:
    """Who answers as the key says stores a file that scores as all right; practice is no part."""
    key = read_key(made.key)
    page = open_page(made.page, accept_downloads=True)
    begin(page)
    assert page.inner_text("#trial-heading") == "Practice clip 1 of 2"
    hear(page)
    say(page, "spike", 1)
    assert page.inner_text("#told") == "This one was healthy."
    page.click("#next")
    hear(page)
    say(page, "healthy")
    assert page.inner_text("#told").startswith("This was a drift:")
    assert "It was layer" in page.inner_text("#told")
    page.click("#next")
    for number in range(1, 5):
        assert page.inner_text("#trial-heading") == f"Clip {number} of 4"
        hear(page)
        if number == 2:
            hear(page)
        truth = key.clips[page.evaluate("session.now.id")]
        say(page, truth.answer, truth.layer or "all")
        assert page.inner_text("#told") == ""
    with page.expect_download() as download:
        page.click("#store")
    assert download.value.suggested_filename == "listening-test-P-1.json"
    stored = tmp_path / "stored.json"
    download.value.save_as(stored)
    assert page.input_value("#text") == stored.read_text()
    about = json.loads(stored.read_text())
    assert about["device"] == "headphones"
    assert [one["kind"] for one in about["practice"]] == ["spike", "healthy"]
    assert [one["plays"] for one in about["answers"]] == [1, 2, 1, 1]
    (person,) = read_answers([stored], key)
    found = scored(person, key)
    assert (person.name, found.right, found.who.count) == ("P-1", Share(4, 4), found.who.of)


def test_a_clip_is_answered_after_it_was_heard(made: ListeningTest, open_page: Open) -> None:
    """Not before its end; and not healthy asks what and which layer, which healthy does not."""
    page = open_page(made.page)
    begin(page)
    assert page.is_disabled("#next")
    assert page.is_disabled("input[name=healthy][value=yes]")
    hear(page)
    page.check("input[name=healthy][value=no]")
    page.click("#next")  # what and which layer are missing
    assert page.inner_text("#told") == ""
    assert page.is_visible("#trouble")
    page.check("input[name=healthy][value=yes]")
    assert page.is_hidden("#trouble")
    page.click("#next")
    assert page.inner_text("#told") == "This one was healthy."


def test_nobody_begins_without_a_code(made: ListeningTest, open_page: Open) -> None:
    """A code of letters and digits, and what is listened with."""
    page = open_page(made.page)
    page.click("#begin button")
    assert page.is_visible("#intro")
    begin(page, "a name/with more")
    assert page.is_visible("#intro")
    begin(page, "p_7")
    assert page.is_visible("#trial")


def test_the_order_is_each_persons_own(made: ListeningTest, open_page: Open) -> None:
    """All clips once, behind those for practice; of twelve people two at least differ."""
    page = open_page(made.page)
    orders = page.evaluate(
        "Array.from({ length: 12 }, () => shuffled(session.data.clips).map(({ id }) => id))"
    )
    assert all(sorted(order) == sorted(read_key(made.key).clips) for order in orders)
    assert len({tuple(order) for order in orders}) > 1
    assert page.evaluate("session.order.slice(0, 2).every((clip) => 'kind' in clip)")


def test_all_of_it_works_by_keyboard(made: ListeningTest, open_page: Open) -> None:
    """The heading has the focus, P and L play, Tab, Space and arrows answer; it is said aloud."""
    page = open_page(made.page)
    page.focus("#person")
    page.keyboard.type("pl")  # which are letters here, and no keys
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "trial-heading"
    page.keyboard.press("l")
    until(page, "!session.layers.paused")
    page.keyboard.press("p")
    until(page, "!session.clip.paused && session.layers.paused")
    assert page.inner_text("#status") == "Playing."
    page.evaluate("session.clip.currentTime = session.clip.duration - 0.2")
    until(page, "document.querySelector('#status').textContent.includes('answer')")
    page.focus("input[name=healthy]")
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    assert page.is_checked("input[name=healthy][value=no]")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    assert page.is_checked("input[name=kind][value=spike]")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    assert page.inner_text("#told") == "This one was healthy."


@pytest.mark.parametrize(
    "how",
    [{"color_scheme": "light"}, {"color_scheme": "dark"}, {"viewport": PHONE}],
    ids=["light", "dark", "phone"],
)
def test_nobody_is_left_out(made: ListeningTest, open_page: Open, how: dict) -> None:
    """Axe finds nothing wrong, at the beginning, in a clip, where an answer is told, at the end."""
    page = open_page(made.page, **how)
    assert_accessible(page)
    begin(page)
    assert_accessible(page)
    hear(page)
    page.check("input[name=healthy][value=no]")
    assert_accessible(page)
    say(page, "drift", 2)
    assert_accessible(page)
    page.evaluate("session.finish()")
    assert_accessible(page)
