"""The dashboard in Debian's Chromium, against the real service and sandbox."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.chromium import new_page
from tests.browser.till import Till

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LIVE = "[data-testid=live-state]"
ROWS = "[data-testid=payout-table] .ag-row"


def look(browser: Browser, url: str, width: int = 1440) -> Page:
    page = new_page(browser, width)
    page.goto(url)
    expect(page.locator(LIVE)).to_have_attribute("data-state", "live")
    return page


@pytest.fixture
def page(browser: Browser, till: Till) -> Iterator[Page]:
    opened = look(browser, till.url)
    yield opened
    opened.context.close()


def test_a_tap_appears_without_a_reload(page: Page, till: Till) -> None:
    assert till.tap("espresso for one") == {"status": "OK"}

    expect(page.locator(ROWS).first).to_contain_text("espresso for one")
    expect(page.locator(ROWS).first).to_contain_text("Completed")


def test_the_figures_are_those_of_the_api(page: Page, till: Till) -> None:
    till.tap("a figure")

    stats = till.get("stats")
    card = page.get_by_test_id("stat-completed")

    expect(card).to_contain_text(f"{stats['completed']['count']:,}")
    expect(card).to_contain_text(f"{stats['completed']['amount_sats']:,} sats")


def test_money_is_shown_in_the_stores_currency_after_a_reload_too(page: Page, till: Till) -> None:
    till.tap("worth something")
    card, unit = page.get_by_test_id("stat-completed"), page.get_by_test_id("unit")

    unit.get_by_role("button", name="USD").click()

    expect(page).to_have_url(re.compile(r"\?unit=fiat$"))
    cents = till.get("stats/period")["period"]["completed"]["value_cents"]
    worth = f"${cents // 100:,}.{cents % 100:02d}"
    expect(card).to_contain_text(worth)
    page.reload()
    expect(card).to_contain_text(worth)
    expect(unit.get_by_role("button", name="USD")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_test_id("stat-success")).to_contain_text("%")


def test_a_click_on_a_figure_filters_and_the_filter_survives_a_reload(
    page: Page, till: Till
) -> None:
    till.tap("will not be seen")
    till.claim("waits for somebody")

    page.get_by_test_id("stat-pending").click()

    expect(page).to_have_url(re.compile("status=pending"))
    expect(page.locator(ROWS)).to_have_count(till.get("stats")["pending"]["count"])
    page.reload()
    expect(page.get_by_test_id("filter-status")).to_have_value("pending")
    expect(page.locator(ROWS).first).to_contain_text("waits for somebody")


def test_a_payout_opens_in_a_modal_with_its_own_address(page: Page, till: Till) -> None:
    till.tap("to be explained")

    page.locator(ROWS, has_text="to be explained").click()

    modal = page.get_by_test_id("payout-detail")
    expect(modal).to_contain_text("It was paid.")
    expect(modal).to_contain_text("Flash says it is paid")
    expect(page).to_have_url(re.compile("/payouts/po_"))
    page.keyboard.press("Escape")
    expect(page).to_have_url(re.compile("/$"))


def test_what_waits_can_be_approved_from_its_modal(page: Page, till: Till) -> None:
    till.claim("please approve")

    page.locator(ROWS, has_text="please approve").click()
    page.get_by_test_id("payout-detail").get_by_role("button", name="Approve").click()

    expect(page.get_by_test_id("payout-detail")).to_contain_text("It was paid.")


def test_a_paused_table_counts_what_waits(page: Page, till: Till) -> None:
    page.get_by_role("button", name="Pause").click()

    till.tap("behind the pause")

    resume = page.get_by_role("button", name=re.compile("1 waiting"))
    expect(resume).to_be_visible()
    expect(page.locator(ROWS, has_text="behind the pause")).to_have_count(0)
    resume.click()
    expect(page.locator(ROWS, has_text="behind the pause")).to_have_count(1)


def test_two_browsers_see_what_each_asked_for(browser: Browser, till: Till) -> None:
    paid, waiting = (
        look(browser, f"{till.url}/?status=completed"),
        look(browser, f"{till.url}/?status=pending"),
    )

    till.tap("for the first")
    till.claim("for the second")

    expect(paid.locator(ROWS).first).to_contain_text("for the first")
    expect(waiting.locator(ROWS).first).to_contain_text("for the second")
    expect(paid.locator(ROWS, has_text="for the second")).to_have_count(0)
    paid.context.close()
    waiting.context.close()


def test_a_phone_shows_a_block_for_each_payout(browser: Browser, till: Till) -> None:
    till.tap("on a phone")
    page = look(browser, till.url, width=390)

    expect(page.locator(".fp-block").first).to_contain_text("on a phone")
    wide = page.evaluate("document.documentElement.scrollWidth")

    assert wide <= 390
    page.context.close()


def test_the_page_says_when_it_is_cut_off_and_comes_back(page: Page, till: Till) -> None:
    till.stop()

    expect(page.locator(LIVE)).to_have_attribute("data-state", "cut-off")
    till.start()
    till.wait_until_connected()
    expect(page.locator(LIVE)).to_have_attribute("data-state", "live")
    till.tap("after the return")
    expect(page.locator(ROWS).first).to_contain_text("after the return")


def test_an_export_holds_what_the_filter_shows(page: Page, till: Till) -> None:
    till.tap("for the file")
    page.get_by_test_id("stat-completed").click()
    expect(page).to_have_url(re.compile("status=completed"))

    with page.expect_download() as expected:
        page.get_by_test_id("export").select_option("csv")

    rows = list(csv.DictReader(expected.value.path().read_text("utf-8-sig").splitlines()))
    assert {row["status"] for row in rows} == {"completed"}
    assert len(rows) == till.get("stats")["completed"]["count"]
    assert (
        sum(int(row["amount_sats"]) for row in rows)
        == (till.get("stats")["completed"]["amount_sats"])
    )


def test_sends_can_be_stopped_from_the_page(page: Page, till: Till) -> None:
    page.get_by_role("button", name="Stop payouts").click()

    expect(page.get_by_role("button", name="Resume payouts")).to_be_visible()
    assert till.tap("refused while stopped")["status"] == "ERROR"
    page.get_by_role("button", name="Resume payouts").click()
    expect(page.get_by_role("button", name="Stop payouts")).to_be_visible()
    assert till.tap("after resuming") == {"status": "OK"}
