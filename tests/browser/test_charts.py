"""The charts in Debian's Chromium, on a page of their own in a process of its own."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Route, expect

from tests.browser.chart_page import MARK
from tests.browser.chromium import new_page
from tests.support.patience import PATIENCE_S
from tests.support.ports import free_port

pytestmark = pytest.mark.browser

ROOT = Path(__file__).resolve().parents[2]
TREND, CARDS = "[data-testid=trend]", "[data-testid=top-cards]"
COMPLETED, FAILED = 0, 3
# Resolves once nothing has moved for a moment.
AT_REST = """() => new Promise((resolve) => {
  let before = null;
  const look = () => {
    const bars = [...document.querySelectorAll('.bars path')];
    const now = JSON.stringify(bars.map((bar) => bar.getBoundingClientRect()));
    if (now === before) resolve(true);
    else [before] = [now, setTimeout(look, 100)];
  };
  look();
})"""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    port = free_port()
    inherited = {name: value for name, value in os.environ.items() if "PYTEST" not in name}
    command = [sys.executable, "-m", "tests.browser.chart_page", str(port)]
    with subprocess.Popen(command, cwd=ROOT, env=inherited) as process:
        try:
            wait_for(port)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()


def wait_for(port: int) -> None:
    end = time.monotonic() + PATIENCE_S
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert time.monotonic() < end, "the page was not served in time"
        time.sleep(0.05)


class Tab:
    """One page of the browser, with what it asked for, received and complained about."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.asked: list[str] = []
        self.received: list[str] = []
        self.complaints: list[str] = []
        self._address = address
        self._marks = 0
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("websocket", lambda socket: socket.on("framereceived", self._receive))

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)

    def _receive(self, frame: str | bytes) -> None:
        text = frame if isinstance(frame, str) else frame.decode()
        if MARK not in text:
            self.received.append(text)

    def open(self, query: str = "") -> None:
        self.page.goto(f"{self._address}/{query}")
        self.page.wait_for_function("window.did_handshake === true")

    def open_drawn(self, query: str = "") -> None:
        self.open(query)
        for chart in (TREND, CARDS):
            self.page.wait_for_selector(f"{chart} .bars path")
            # From then on it hears clicks.
            self.page.wait_for_selector(f"{chart} .fp-tip", state="attached")
        deadline = time.monotonic() + PATIENCE_S
        while not self._call("drawn"):
            assert time.monotonic() < deadline, "the charts were not drawn in time"
        self.page.evaluate(AT_REST)
        self.catch_up()
        self.received.clear()

    def show(self, query: str) -> None:
        self._call(f"show?{query}")
        self.catch_up()

    def catch_up(self) -> None:
        """Wait until all that was sent so far is here."""
        self._marks += 1
        self._call(f"mark?number={self._marks}")
        self.until(f"{MARK} === {self._marks}")

    def until(self, expression: str) -> None:
        self.page.wait_for_function(expression)

    def until_of(self, of_the_plot: str) -> None:
        """Wait for what is drawn over time."""
        plot = f"document.querySelector('{TREND} .js-plotly-plot')"
        self.until(f"(({{data, layout}}) => {of_the_plot})({plot})")

    def _call(self, what: str) -> Any:
        with urllib.request.urlopen(f"{self._address}/{what}") as answer:
            return json.load(answer)

    def plot(self, chart: str = TREND) -> Locator:
        return self.page.locator(f"{chart} .js-plotly-plot")

    def bar(self, slot: int, series: int = COMPLETED, chart: str = TREND) -> Locator:
        return self.page.locator(f"{chart} .trace.bars").nth(series).locator("path").nth(slot)

    def middle(self, bar: Locator) -> tuple[float, float]:
        box = bar.bounding_box()
        assert box is not None
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def hears(self, text: str) -> None:
        self.page.wait_for_function(
            "text => document.querySelector('[data-testid=said]').textContent === text", arg=text
        )

    def color_of(self, bar: Locator) -> str:
        return str(bar.evaluate("bar => getComputedStyle(bar).fill"))


def new_tab(browser: Browser, address: str, **settings: Any) -> Iterator[Tab]:
    page = new_page(browser, reduced_motion="reduce", **settings)
    tab = Tab(page, address)
    yield tab
    page.context.close()
    assert not tab.complaints


@pytest.fixture
def tab(browser: Browser, address: str) -> Iterator[Tab]:
    yield from new_tab(browser, address, viewport={"width": 1440, "height": 600})


@pytest.fixture
def phone(browser: Browser, address: str) -> Iterator[Tab]:
    small = {"width": 390, "height": 844}
    yield from new_tab(browser, address, viewport=small, has_touch=True, is_mobile=True)


def test_only_the_small_library_is_loaded_and_it_may_be_kept(tab: Tab) -> None:
    tab.open_drawn()

    ours = [url for url in tab.asked if "/charts/" in url]
    assert [url.rsplit("/", 1)[1] for url in ours] == ["charts.mjs", "plotly-basic.min.js"]
    assert not [url for url in tab.asked if "/esm/" in url and url.endswith("index.js")]
    size = 0
    for url in ours:
        with urllib.request.urlopen(url) as answer:
            assert "max-age=31536000" in answer.headers["Cache-Control"]
            size += len(answer.read())
    assert size < 1_300_000


def test_the_library_waits_until_there_is_something_to_show(tab: Tab) -> None:
    tab.open("?wait=1")
    skeleton = tab.page.locator(f"{TREND} .fp-skeleton")
    expect(skeleton).to_be_visible()
    tab.show("number=0")
    empty = tab.page.get_by_text("No payouts in this time")
    expect(empty).to_be_visible()
    assert not [url for url in tab.asked if "/charts/" in url]

    tab.show("number=30")
    tab.page.wait_for_selector(f"{TREND} .bars path")
    expect(skeleton).to_be_hidden()
    expect(empty).to_be_hidden()


def test_a_click_on_a_segment_picks_its_bucket_and_status(tab: Tab) -> None:
    tab.open_drawn()

    tab.page.mouse.click(*tab.middle(tab.bar(28)))
    tab.hears("2026-11-19 23 completed")

    tab.page.mouse.click(*tab.middle(tab.bar(27, FAILED)))
    tab.hears("2026-11-18 23 failed")


def test_a_click_beside_the_bars_picks_nothing(tab: Tab) -> None:
    tab.open_drawn()
    x, y = tab.middle(tab.bar(28))

    tab.page.mouse.click(x, y - 140)
    tab.page.wait_for_timeout(200)

    assert tab.page.get_by_test_id("said").text_content() == ""


def test_a_click_anywhere_in_its_row_picks_a_card(tab: Tab) -> None:
    tab.open_drawn()
    x, y = tab.middle(tab.bar(1, chart=CARDS))

    tab.page.mouse.click(x - 120, y)
    tab.hears("crd_1")


def test_an_alias_is_shown_as_it_was_written(tab: Tab) -> None:
    tab.open_drawn()

    marks = tab.page.locator(f"{CARDS} .ytick text").all_text_contents()
    tab.page.mouse.move(*tab.middle(tab.bar(1, chart=CARDS)))

    assert marks[1] == "<b>bold</b> &amp; <…"
    head = tab.page.locator(f"{CARDS} .fp-tip-head")
    expect(head).to_have_text("<b>bold</b> &amp; <a>co</a>")


def test_pointing_at_a_bucket_lists_its_statuses(tab: Tab) -> None:
    tab.open_drawn()

    tab.page.mouse.move(*tab.middle(tab.bar(27)))

    expect(tab.page.locator(f"{TREND} .fp-tip > *")).to_have_text(
        ["Thu 19 Nov 2026", "●Completed22", "✕Failed6", "Total28 payouts"]
    )


def test_the_keyboard_reaches_every_segment(tab: Tab) -> None:
    tab.open_drawn()
    tab.plot().focus()

    for key in ("ArrowLeft", "ArrowUp", "ArrowUp", "Enter"):
        tab.page.keyboard.press(key)
    tab.hears("2026-11-20 23 failed")
    tab.page.keyboard.press("Escape")
    expect(tab.plot()).not_to_have_attribute("data-shown", re.compile(""))

    tab.plot(CARDS).focus()
    for key in ("ArrowDown", "ArrowDown", "Enter"):
        tab.page.keyboard.press(key)
    tab.hears("crd_1")


def test_a_new_payout_is_a_patch_and_nothing_is_drawn_anew(tab: Tab) -> None:
    tab.open_drawn()
    tab.page.evaluate("window.was = [...document.querySelectorAll('.main-svg, .bars path')]; 0")

    tab.show("extra=3")

    tab.until_of("data[2].y.at(-1) === 3")
    assert tab.page.evaluate("window.was.every(node => node.isConnected)")
    sent = "\n".join(tab.received)
    assert "restyle" in sent
    assert "paper_bgcolor" not in sent  # a whole figure
    assert len(sent) < 1_500


def test_nothing_is_sent_when_nothing_changed(tab: Tab) -> None:
    tab.open_drawn()

    tab.show("number=30")

    assert not [frame for frame in tab.received if len(frame) > 10]  # but for pings


def test_another_bucket_and_another_step_are_patches_too(tab: Tab) -> None:
    tab.open_drawn()

    tab.show("number=31")
    tab.until_of("layout.meta.keys.length === 31")
    tab.show("number=400&step=hour")
    expect(tab.bar(399)).to_have_attribute("d", re.compile(".{7}"))
    tab.show("number=0")
    expect(tab.page.get_by_text("No payouts in this time")).to_be_visible()

    assert "paper_bgcolor" not in "\n".join(tab.received)


def test_what_changes_while_the_library_loads_is_not_lost(tab: Tab) -> None:
    held: list[Route] | None = []

    def hold(route: Route) -> None:
        if held is None:  # a page that had to load itself once more asks again
            route.continue_()
        else:
            held.append(route)

    tab.page.route("**/plotly-basic.min.js", hold)
    with tab.page.expect_request("**/plotly-basic.min.js"):
        tab.open()
    tab.show("extra=7")
    late, held = held, None
    for route in late:
        route.continue_()

    tab.until_of("data?.[2].y.at(-1) === 7")


def test_the_choices_tell_what_is_wanted(tab: Tab) -> None:
    tab.open_drawn()
    trend, cards = tab.page.locator(TREND), tab.page.locator(CARDS)

    trend.get_by_role("button", name="Amount").click()
    tab.hears("amount by day")
    tab.until_of("data[0].y[29] === 20000")
    trend.get_by_role("button", name="Week").click()
    tab.hears("amount by week")
    cards.get_by_role("button", name="Amount").click()
    tab.hears("ranked by amount")
    expect(trend.locator("[aria-pressed=true]")).to_have_text(["Amount", "Week"])


def test_the_scheme_recolors_what_is_drawn(tab: Tab) -> None:
    tab.open_drawn()
    tab.page.evaluate("Quasar.Dark.set(false)")
    mark = tab.page.locator(".xtick text").first
    light = [tab.color_of(tab.bar(3)), tab.color_of(mark)]
    tab.page.evaluate("window.was = document.querySelector('.main-svg'); 0")

    tab.page.evaluate("Quasar.Dark.set(true)")
    expect(tab.bar(3)).not_to_have_css("fill", light[0])
    expect(mark).not_to_have_css("fill", light[1])
    dark = tab.color_of(tab.bar(3))
    tab.show("extra=2")

    tab.until_of("data[2].y.at(-1) === 2")
    assert tab.page.evaluate("window.was.isConnected")
    assert tab.color_of(tab.bar(3)) == dark
    tab.page.evaluate("Quasar.Dark.set(false)")
    expect(tab.bar(3)).to_have_css("fill", light[0])


def test_a_screen_reader_finds_a_sentence_and_a_table(tab: Tab) -> None:
    tab.open_drawn()
    tab.page.wait_for_selector(f"{TREND} table tr", state="attached")
    rows = tab.page.locator(f"{TREND} table tr")
    assert rows.count() == 31
    assert rows.nth(30).locator("th, td").all_text_contents() == [
        *("Sat 21 Nov 2026", "20", "0", "0", "6", "0")
    ]
    sentence = tab.page.locator(f"{TREND} p.fp-sr").text_content() or ""
    assert sentence.startswith("Payouts by day, Fri 23 Oct 2026 to Sat 21 Nov 2026, Europe/Berlin:")


def test_a_phone_shows_everything_and_picks_with_the_second_touch(phone: Tab) -> None:
    phone.open_drawn()
    assert phone.page.evaluate("document.documentElement.scrollWidth") == 390
    bar = phone.middle(phone.bar(12))

    phone.page.touchscreen.tap(*bar)
    expect(phone.page.locator(f"{TREND} .fp-tip")).to_be_visible()
    phone.page.wait_for_timeout(200)
    assert phone.page.get_by_test_id("said").text_content() == ""
    phone.page.touchscreen.tap(*bar)

    phone.hears("2026-11-03 23 completed")
