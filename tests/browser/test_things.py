"""Pull payments and Boltcards in Debian's Chromium, from an empty store to its first payout."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.chromium import PATIENCE_MS
from tests.browser.till import Till
from tests.support.cards import VirtualCard

pytestmark = [pytest.mark.browser, pytest.mark.slow]

STAGE = "[data-testid=card-stage]"


class EmptyTill(Till):
    """A service whose store has nothing yet: no pull payment, no card."""

    def stock(self) -> None:
        """Leave it empty."""

    def fetch_keys(self, deeplink: str, uid: bytes) -> VirtualCard:
        """Do what the programmer app does with a link, and return the chip that it wrote."""
        (url,) = parse_qs(urlsplit(deeplink).query)["url"]
        keys = self.http.post(url, json={"UID": uid.hex()}).raise_for_status().json()
        return VirtualCard(uid, bytes.fromhex(keys["k1"]), bytes.fromhex(keys["k2"]))

    def read(self, virtual: VirtualCard) -> str:
        """Hold a chip to a phone; returns the address that it reads."""
        p, c = virtual.read()
        return f"lnurlw://127.0.0.1:{self.port}/boltcard?p={p}&c={c}"


@pytest.fixture(scope="module")
def till(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[EmptyTill]:
    del browser  # without one there is nothing to serve
    with EmptyTill(tmp_path_factory.mktemp("till")) as opened:
        yield opened


def make_pull_payment(page: Page, till: EmptyTill, name: str) -> None:
    page.goto(f"{till.url}/pull-payments")
    page.get_by_role("button", name="New pull payment").click()
    page.get_by_label("Name").fill(name)
    page.get_by_label("Budget").fill("a lot")
    page.get_by_role("button", name="Make it").click()
    expect(page.get_by_text("Give an amount such as 25000.")).to_be_visible()
    expect(page.get_by_label("Name")).to_have_value(name)
    page.get_by_label("Budget").fill("100,000")
    page.get_by_label("Paid at once").check()
    page.get_by_role("button", name="Make it").click()
    expect(page).to_have_url(re.compile(r"/pull-payments/pp_"))


def make_card(page: Page, till: EmptyTill, alias: str, fund: str) -> VirtualCard:
    page.goto(f"{till.url}/boltcards")
    page.get_by_role("button", name="New card").click()
    page.get_by_label("Name").fill(alias)
    page.get_by_label("Draws on").select_option(label=fund)
    page.get_by_role("button", name="Make it").click()
    expect(page.get_by_test_id("program-qr")).to_be_visible()
    return program(page, till, VirtualCard().uid)


def program(page: Page, till: EmptyTill, uid: bytes) -> VirtualCard:
    link = page.get_by_role("link", name="Open on this phone").get_attribute("href")
    virtual = till.fetch_keys(str(link), uid)
    expect(page.get_by_text("Waiting for the first tap…")).to_be_visible()
    return virtual


def another_tab(page: Page) -> Page:
    """Open another tab of the same person."""
    opened = page.context.new_page()
    opened.set_default_timeout(PATIENCE_MS)
    return opened


def test_a_new_store_comes_to_its_first_payout_while_one_looks_on(
    page: Page, till: EmptyTill
) -> None:
    dashboard = another_tab(page)
    dashboard.goto(till.url)
    steps = dashboard.get_by_test_id("first-steps")
    expect(steps.locator(".done", has_text="Connected to Flash.")).to_be_visible()
    make_pull_payment(page, till, "Tips")
    fund_url = page.url
    expect(page.get_by_test_id("claim-qr").locator("svg")).to_be_visible()

    virtual = make_card(page, till, "Anna", "Tips")
    offer = till.http.get(till.read(virtual).replace("lnurlw", "http")).json()

    expect(page.get_by_test_id("programming")).to_contain_text(re.compile(r"First tap, \d"))
    expect(page.locator(STAGE)).to_have_text("● In use")
    expect(steps.locator(".done")).to_have_count(4)
    budget = another_tab(page)
    budget.goto(fund_url)
    expect(budget.get_by_test_id("remaining")).to_have_text("100,000 sats")
    assert till._claim(offer, "the first of all", 5_000) == {"status": "OK"}
    expect(budget.get_by_test_id("remaining")).to_have_text("95,000 sats")
    expect(page.get_by_test_id("taps")).to_contain_text("Completed")
    expect(steps).to_be_hidden()
    page.get_by_role("link", name="See its payouts").click()
    expect(page).to_have_url(re.compile(r"card=bc_"))
    expect(page.locator("[data-testid=payout-table] .ag-row")).to_have_count(1)


def test_a_card_is_blocked_wiped_and_given_new_keys(page: Page, till: EmptyTill) -> None:
    make_pull_payment(page, till, "Wages")
    virtual = make_card(page, till, "Bob", "Wages")
    page.get_by_role("button", name="Block").click()
    expect(page.locator(STAGE)).to_have_text("✕ Blocked")
    assert "switched off" in till.http.get(till.read(virtual).replace("lnurlw", "http")).text
    page.get_by_role("button", name="Unblock").click()
    expect(page.locator(STAGE)).to_have_text("◐ Waiting for a tap")

    page.get_by_role("button", name="Wipe the card").click()
    page.get_by_role("button", name="Make the link").click()
    link = page.get_by_role("link", name="Open on this phone").get_attribute("href")
    (url,) = parse_qs(urlsplit(str(link)).query)["url"]
    till.http.post(url, json={"LNURLW": till.read(virtual)}).raise_for_status()
    expect(page.locator(STAGE)).to_have_text("– Wiped")
    page.get_by_role("button", name="Program this card").click()
    renewed = program(page, till, virtual.uid)
    till.http.get(till.read(renewed).replace("lnurlw", "http"))

    expect(page.locator(STAGE)).to_have_text("● In use")
    page.set_viewport_size({"width": 390, "height": 844})
    for path in ("/boltcards", "/pull-payments"):
        page.goto(till.url + path)
        row = page.locator("li a.fp-row", has_text="Bob" if "card" in path else "Wages")
        expect(row).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
