"""The counter in Debian's Chromium: a new payout by hand, a decision by evidence, the wallet."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.till import Till
from tests.support.postgres import require_or_skip

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


class Counter(Till):
    """A service at whose counter somebody asks for payouts by hand."""

    def invoice(self, memo: str, sats: int = 0, payee: str = "alice") -> str:
        """Return an invoice of a recipient; without sats it names no amount."""
        body = {"amount_msat": sats * 1000 or None, "expiry_s": 600, "memo": memo, "payee": payee}
        made = self.http.post(f"{self.sandbox.control_url}/invoices", json=body)
        return str(made.raise_for_status().json()["pr"])


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    require_or_skip("Chromium", available=Path(CHROMIUM).exists())
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def counter(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Counter]:
    del browser  # without one there is nothing to serve
    counter = Counter(tmp_path_factory.mktemp("counter"))
    try:
        counter.open()
        yield counter
    finally:
        counter.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    opened = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    opened.set_default_timeout(20_000)
    yield opened
    opened.context.close()


def test_an_invoice_that_is_pasted_is_reviewed_approved_and_paid_once(
    page: Page, counter: Counter
) -> None:
    page.goto(counter.url)
    page.get_by_role("button", name="New payout").click()
    page.get_by_label("Pay to").fill("lnbc1nonsense")
    page.get_by_label("Memo").fill("Window cleaner")
    page.get_by_role("button", name="Review").click()
    expect(page.locator("[name=destination][aria-invalid=true]")).to_be_visible()
    expect(page.get_by_label("Memo")).to_have_value("Window cleaner")
    page.get_by_label("Pay to").fill(counter.invoice("Clean <b>windows</b>", 2_100))
    page.get_by_role("button", name="Review").click()
    review = page.get_by_test_id("payout-review")
    expect(review).to_contain_text("2,100 sats")
    expect(review).to_contain_text("Clean <b>windows</b>")
    expect(review).to_contain_text("an estimate")
    review.get_by_role("button", name="Back").click()
    expect(page.get_by_label("Memo")).to_have_value("Window cleaner")
    page.get_by_role("button", name="Review").click()
    review.get_by_role("button", name="Ask for approval").dblclick()

    detail = page.get_by_test_id("payout-detail")
    expect(detail).to_contain_text("Somebody has to approve it")
    expect(page).to_have_url(re.compile(r"/payouts/po_"))
    detail.get_by_role("button", name="Approve").click()
    expect(detail.locator(".fp-status")).to_contain_text("Completed")
    made = [each for each in counter.get("payouts")["items"] if each["memo"] == "Window cleaner"]
    assert [each["status"] for each in made] == ["completed"]
