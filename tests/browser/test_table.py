"""The table of payouts and the filter above it, in Debian's Chromium."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, Page, WebSocketRoute, expect

from models.payout import EvidenceGrade
from models.states import PayoutState, PayoutStatus
from services.storage import payout as payouts
from services.storage.rollup import roll_up
from services.storage.statement import record
from services.vault import Vault, load_master_key
from tests.browser.test_dashboard import LIVE, ROWS, look
from tests.browser.till import Till
from tests.support.builders import a_payout, a_store
from tests.support.databases import raw
from tests.support.patience import PATIENCE_S

pytestmark = [pytest.mark.browser, pytest.mark.slow]

MANY = 130
# Resolves when the lowest row that fits in is drawn, with all rows above it.
SCROLL = """(grid, by) => new Promise((resolve) => {
  grid.scrollTop += by;
  const look = () => {
    const content = grid.querySelector('.ag-center-cols-container');
    const boxes = [grid, content].map((element) => element.getBoundingClientRect().bottom);
    const rows = [...grid.querySelectorAll('.ag-row')];
    const isDrawn = rows.every((row) => row.querySelector('[col-id=memo]'))
      && rows.some((row) => row.getBoundingClientRect().bottom >= Math.min(...boxes) - 1);
    if (isDrawn) resolve();
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
})"""
CHIPS = "filter-chips"
GRID = "[data-testid=payout-table] .ag-body-viewport"


@pytest.fixture(scope="module")
def past(till: Till) -> Till:
    """Payouts of each status a minute apart, amounts in an order of their own."""
    vault = Vault(load_master_key(till._folder / "master.key", may_create=False))
    now = datetime.now(UTC) - timedelta(days=2)
    with raw(f"sqlite:///{till._folder / 'payouts.db'}") as books, books.transaction() as tx:
        ((store_id, version, sealed),) = tx._cursor.execute(
            "SELECT store_id, version, sealed_key FROM data_keys"
        ).fetchall()
        vault.add_data_key(store_id, version, sealed)
        store = replace(a_store(), id=store_id)
        for number in range(MANY):
            at = now - timedelta(minutes=number)
            is_paid = number % 3 > 0
            payout = a_payout(
                store,
                sats=100_000 + number * 7919 % 1_000,
                created_at=at,
                completed_at=at + timedelta(seconds=number % 90) if is_paid else None,
                state=PayoutState.COMPLETED if is_paid else PayoutState.FAILED,
                status=PayoutStatus.COMPLETED if is_paid else PayoutStatus.FAILED,
                evidence=EvidenceGrade.PERSON if is_paid else None,
                pull_payment_id=till.fund,
                memo=f"old {number}",
            )
            secret = vault.of(store_id).seal_text("lnbc1", f"payouts/{payout.id}/destination")
            tx.run(payouts._ADD, **record(replace(payout, destination_sealed=secret)))
            roll_up(tx, None, payout)
    return till


@pytest.fixture
def page(browser: Browser, past: Till) -> Iterator[Page]:
    opened = look(browser, past.url)
    yield opened
    opened.context.close()


def memos(page: Page) -> list[str]:
    return page.locator(f"{ROWS} [col-id=memo]").all_inner_texts()


def begins_with(page: Page, wanted: list[str]) -> None:
    """Wait until the first rows are these."""
    deadline = time.monotonic() + PATIENCE_S
    while (found := memos(page)[: len(wanted)]) != wanted:
        assert time.monotonic() < deadline, found
        page.wait_for_timeout(50)


def scrolling(page: Page, by: int) -> Iterator[None]:
    """Go down, and wait below until more comes, as long as somebody asks for it."""
    grid, deadline = page.locator(GRID), time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        grid.evaluate(SCROLL, by)
        yield


def of_api(till: Till, **query: str | int) -> list[str]:
    return [item["memo"] or "" for item in till.get("payouts", **query)["items"]]


def test_every_order_is_that_of_the_api_as_far_as_one_scrolls(page: Page, past: Till) -> None:
    for header, sort in (("Amount, sats", "amount"), ("Time", "created")):
        page.get_by_role("button", name=header, exact=True).click()
        cell = page.get_by_role("columnheader", name=header)
        expect(cell).to_have_attribute("aria-sort", "descending")
        expect(page.locator(ROWS).first).to_contain_text(of_api(past, sort=sort, limit=1)[0])
        begins_with(page, of_api(past, sort=sort, limit=20))
    expect(page).to_have_url(re.compile("/$"))

    page.get_by_test_id("sort").select_option("completed")
    expect(page).to_have_url(re.compile("sort=completed"))
    expect(page.get_by_text("only completed payouts are listed")).to_be_visible()
    wanted = of_api(past, sort="completed", limit=200)
    expect(page.locator(ROWS).first).to_contain_text(wanted[0])
    seen: dict[str, None] = dict.fromkeys(memos(page))
    for _ in scrolling(page, 400):
        seen |= dict.fromkeys(memos(page))
        if wanted[-1] in seen:
            break
    assert [memo for memo in seen if memo] == [memo for memo in wanted if memo]


def test_rows_arrive_where_the_order_has_them(browser: Browser, past: Till) -> None:
    page = look(browser, f"{past.url}/?sort=amount")
    expect(page.locator(ROWS).first).to_be_visible()

    past.tap("the largest", sats=200_000)
    expect(page.locator(ROWS).first).to_contain_text("the largest")
    past.tap("in the middle", sats=150_000)
    expect(page.locator(ROWS).nth(1)).to_contain_text("in the middle")
    expect(page.locator(ROWS).nth(1)).to_contain_text("Completed")
    page.reload()
    expect(page.locator(ROWS).first).to_contain_text("the largest")
    page.context.close()


def test_a_row_far_below_changes_with_its_payout(browser: Browser, past: Till) -> None:
    past.claim("far below", sats=50)
    page = look(browser, f"{past.url}/?sort=amount")
    expect(page.locator(ROWS).first).to_be_visible()
    row = page.locator(ROWS, has_text="far below")
    for _ in scrolling(page, 800):
        if row.count():
            break
    expect(row).to_contain_text("Pending")

    (asked,) = past.get("payouts", status="pending", q="far below")["items"]
    past.post(f"payouts/{asked['id']}/approve", revision=asked["revision"])

    expect(row).to_contain_text("Completed")
    page.context.close()


def test_filters_are_told_in_words_and_taken_away_one_by_one(page: Page, past: Till) -> None:
    page.get_by_test_id("filter-status").select_option("failed")
    page.get_by_test_id("filter-more").click()
    page.get_by_test_id("filter-pull_payment").select_option(label="Tips")
    page.get_by_test_id("filter-min_sats").fill("100,500")
    page.get_by_test_id("filter-min_sats").press("Enter")

    chips = page.get_by_test_id(CHIPS)
    for words in ("Status: failed", "Pull payment: Tips", "At least 100,500 sats"):
        expect(chips).to_contain_text(words)
    query = {"status": "failed", "pull_payment": past.fund, "min_sats": "100500"}
    stats = past.get("stats", **query)["total"]
    foot = f"{stats['count']:,} payouts · {stats['amount_sats']:,} sats"
    expect(page.get_by_text(foot)).to_be_visible()

    page.reload()
    expect(page.get_by_test_id(CHIPS)).to_contain_text("Pull payment: Tips")
    page.get_by_role("button", name="Remove Status: failed").click()
    expect(page).not_to_have_url(re.compile("status="))
    page.get_by_test_id("filter-clear").click()
    expect(page.get_by_test_id(CHIPS)).to_have_count(0)
    expect(page).to_have_url(re.compile("/$"))


def test_nothing_that_somebody_chose_or_types_is_lost_to_an_answer(page: Page, past: Till) -> None:
    page.get_by_test_id("filter-more").click()
    pulls = page.get_by_test_id("filter-pull_payment")
    expect(pulls).to_contain_text("Tips")
    least = page.get_by_test_id("filter-min_sats")
    least.press_sequentially("100,5")
    # Two changes in one breath, as a slow line delivers them, while the field keeps the focus.
    page.evaluate(
        """fund => {
          for (const [name, value] of [["pull_payment", fund], ["status", "failed"]]) {
            const select = document.querySelector(`[data-testid=filter-${name}]`);
            select.value = value;
            select.dispatchEvent(new Event("change"));
          }
        }""",
        past.fund,
    )
    chips = page.get_by_test_id(CHIPS)
    expect(chips).to_contain_text("Status: failed")
    expect(chips).to_contain_text("Pull payment: Tips")
    expect(least).to_have_value("100,5")
    least.press_sequentially("00")
    least.press("Enter")
    expect(chips).to_contain_text("At least 100,500 sats")
    expect(page).to_have_url(re.compile("status=failed.*pull_payment=.*min_sats=100500"))


def test_a_wrong_value_is_explained_and_what_was_typed_stays(page: Page, past: Till) -> None:
    page.get_by_test_id("filter-more").click()
    least, most = page.get_by_test_id("filter-min_sats"), page.get_by_test_id("filter-max_sats")
    least.fill("many")
    least.press("Enter")
    expect(page.get_by_role("alert").filter(has_text="whole number of sats")).to_be_visible()
    expect(least).to_have_value("many")
    expect(least).to_have_attribute("aria-invalid", "true")

    search = page.get_by_test_id("filter-q")
    search.press_sequentially("be")
    past.tap("while somebody types")
    expect(page.locator(ROWS).first).to_contain_text("while somebody types")
    expect(search).to_have_value("be")
    search.press("Enter")
    expect(page.get_by_role("alert").filter(has_text="at least 3 characters")).to_be_visible()

    least.fill("500")
    least.press("Enter")
    expect(page).to_have_url(re.compile("min_sats=500"))
    most.fill("20")
    most.press("Enter")
    expect(page.get_by_role("alert").filter(has_text="below the lower one")).to_be_visible()
    expect(most).to_have_value("20")


def test_a_filter_is_saved_picked_renamed_and_deleted(page: Page) -> None:
    page.get_by_test_id("filter-status").select_option("failed")
    expect(page).to_have_url(re.compile("status=failed"))
    page.get_by_test_id("saved-views").click()
    page.get_by_test_id("view-name").fill("Bad ones")
    page.get_by_role("button", name="Save", exact=True).click()
    menu = page.get_by_test_id("views-menu")
    expect(menu.get_by_role("button", name="Bad ones", exact=True)).to_be_visible()
    page.get_by_test_id("view-name").fill("bad ONES")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(menu.get_by_role("alert")).to_contain_text("of this name")

    menu.get_by_role("button", name="Rename Bad ones").click()
    menu.get_by_label("New name").fill("Failed")
    menu.get_by_role("button", name="Rename", exact=True).click()
    expect(menu.get_by_role("button", name="Failed", exact=True)).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_test_id("filter-clear").click()
    expect(page).to_have_url(re.compile("/$"))

    page.reload()
    page.get_by_test_id("saved-views").click()
    menu.get_by_role("button", name="Failed", exact=True).click()
    expect(page).to_have_url(re.compile("status=failed"))
    expect(page.get_by_test_id("filter-status")).to_have_value("failed")
    page.get_by_test_id("saved-views").click()
    menu.get_by_role("button", name="Delete Failed").click()
    expect(menu).to_contain_text("Keep a filter you use often")


def test_a_name_that_is_typed_before_the_views_have_come_stays(page: Page) -> None:
    held: list[str | bytes] | None = None
    sockets: list[WebSocketRoute] = []

    def tell(text: str | bytes) -> None:
        if held is None:
            sockets[-1].send(text)
        else:
            held.append(text)

    def carry(socket: WebSocketRoute) -> None:
        sockets.append(socket)
        socket.connect_to_server().on_message(tell)

    page.route_web_socket(re.compile("_nicegui_ws"), carry)
    page.goto(f"{page.url}?status=completed")
    expect(page.locator(LIVE)).to_have_attribute("data-state", "live")
    expect(page.locator(ROWS).first).to_be_visible()

    held = []
    page.get_by_test_id("saved-views").click()
    page.get_by_test_id("view-name").fill("Paid ones")
    deadline = time.monotonic() + PATIENCE_S
    while not any("views" in str(text) for text in held):
        assert time.monotonic() < deadline, held
        page.wait_for_timeout(20)
    late, held = held, None
    for text in late:
        sockets[-1].send(text)
    page.get_by_role("button", name="Save", exact=True).click()

    menu = page.get_by_test_id("views-menu")
    expect(menu.get_by_role("button", name="Paid ones", exact=True)).to_be_visible()
    expect(page.get_by_test_id("view-name")).to_have_value("")
    menu.get_by_role("button", name="Delete Paid ones").click()
    expect(menu).to_contain_text("Keep a filter you use often")


def test_the_keyboard_reaches_search_rows_and_back(page: Page, past: Till) -> None:
    expect(page.locator(ROWS).first).to_be_visible()

    page.keyboard.press("/")
    expect(page.get_by_test_id("filter-q")).to_be_focused()
    page.keyboard.type("old 7")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id(CHIPS)).to_contain_text("Text: old 7")
    expect(page.get_by_text("Nothing matches")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_test_id(CHIPS)).to_have_count(0)
    expect(page.get_by_test_id("filter-q")).to_have_value("")
    expect(page.locator(ROWS).nth(1)).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("filter-q")).not_to_be_focused()

    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    wanted = past.get("payouts", limit=2)["items"][1]["id"]
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"/payouts/{wanted}"))
    page.keyboard.press("Escape")
    expect(page).to_have_url(re.compile("/$"))


def test_a_phone_filters_and_sorts_from_a_sheet(browser: Browser, past: Till) -> None:
    page = look(browser, past.url, width=390)
    expect(page.get_by_test_id("filter-status")).to_be_hidden()

    page.get_by_test_id("filter-more").click()
    page.get_by_test_id("filter-status").select_option("completed")
    page.get_by_role("button", name="Done").click()
    page.get_by_test_id("sort").select_option("amount")

    expect(page).to_have_url(re.compile("status=completed&sort=amount"))
    expect(page.get_by_test_id("filter-status")).to_be_hidden()
    largest = past.get("payouts", status="completed", sort="amount", limit=1)["items"][0]
    expect(page.locator(".fp-block").first).to_contain_text(f"{largest['amount_sats']:,} sats")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.context.close()
