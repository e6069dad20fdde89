"""The state of things in Debian's Chromium: cut off, shut, light or dark, and how far a file is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from models.ids import PAYOUT
from models.payout import EvidenceGrade
from models.states import PayoutState, PayoutStatus
from services.storage import payout as payouts
from services.storage import store as stores
from services.storage.statement import record
from services.vault import Vault, load_master_key
from tests.browser.test_dashboard import LIVE, look
from tests.browser.till import Till
from tests.support.builders import a_payout, a_store, new_id
from tests.support.databases import Raw, raw

pytestmark = [pytest.mark.browser, pytest.mark.slow]

MANY = 30_000
SHUT = "UPDATE wallets SET gate = 'shut', gate_reason = 'by hand', gate_changed_at = {at}"
OPEN = "UPDATE wallets SET gate = 'open', gate_reason = NULL"
# Notes what lies behind the page in every frame from the very first one on.
WATCH_PAINT = """
  window.painted = new Set();
  const note = () => {
    for (const element of [document.documentElement, document.body])
      if (element) window.painted.add(getComputedStyle(element).backgroundColor);
    requestAnimationFrame(note);
  };
  note();
"""
LIGHT_PAGE = "rgb(246, 247, 249)"


@pytest.fixture
def page(browser: Browser, till: Till) -> Iterator[Page]:
    opened = look(browser, till.url)
    yield opened
    opened.context.close()


@pytest.fixture
def books(till: Till) -> Iterator[Raw]:
    with raw(f"sqlite:///{till._folder / 'payouts.db'}") as opened:
        yield opened


def test_a_gate_that_is_shut_says_so_and_leads_to_its_list(page: Page, books: Raw) -> None:
    expect(page.get_by_test_id("wallet-panel")).to_contain_text(
        re.compile(r"Balance\$[\d,]+\.\d\d")
    )
    moment = datetime.now(UTC)
    books.run(SHUT.format(at=int(moment.timestamp() * 1_000_000)))
    try:
        need = page.get_by_test_id("need-gate_shut")
        # Nobody told the hub of it: this is the slow poll that stands behind all hints.
        said = f"Gate shut since {moment:%H:%M}: 0 not settled"
        expect(need).to_have_text(said)
        page.locator(LIVE).click()
        health = page.get_by_role("dialog", name="Connection")
        expect(health).to_contain_text("Prices and invoices")
        expect(health).to_contain_text(f"Shut since {moment:%H:%M}")
        page.keyboard.press("Escape")
        need.click()
        expect(page).to_have_url(re.compile("state=in_flight"))
    finally:
        books.run(OPEN)
    expect(page.get_by_test_id("need-gate_shut")).to_be_hidden()


def test_what_still_works_is_said_when_the_server_is_away(page: Page, till: Till) -> None:
    till.stop()

    banner = page.get_by_role("alert").filter(has_text="No connection to the server since")
    expect(page.locator(LIVE)).to_have_attribute("data-state", "cut-off")
    expect(banner).to_be_visible()
    expect(banner).to_contain_text("Payouts go on without this page")
    till.start()
    till.wait_until_connected()

    expect(page.locator(LIVE)).to_have_attribute("data-state", "live")
    expect(banner).to_be_hidden()


def test_a_chosen_scheme_is_there_from_the_first_paint_on(page: Page) -> None:
    page.get_by_role("button", name="Preferences").click()
    page.get_by_label("Dark").check(force=True)
    expect(page.locator("body")).to_have_class(re.compile("body--dark"))
    page.get_by_role("switch").check()

    page.add_init_script(WATCH_PAINT)
    page.reload()

    expect(page.locator(LIVE)).to_have_attribute("data-state", "live")
    expect(page.locator("body")).to_have_class(re.compile("body--dark"))
    assert LIGHT_PAGE not in page.evaluate("[...window.painted]")
    page.get_by_role("button", name="Preferences").click()
    expect(page.get_by_label("Dark")).to_be_checked()
    expect(page.get_by_role("switch")).to_be_checked()


def test_who_wants_to_hears_a_payout_that_is_paid(page: Page, till: Till) -> None:
    till.tap("in silence")
    page.get_by_role("button", name="Preferences").click()
    assert page.evaluate("window.fpSound.played ?? []") == []
    page.get_by_role("switch").check()
    page.evaluate("window.fpSound.played = []")
    # The toggle itself sounds, and no tone follows within a second.
    page.wait_for_function("performance.now() - window.fpSound.at > 1000")

    # Out of sight, too: there nothing is drawn, but who listens elsewhere is told.
    page.evaluate("emitEvent('fp-hidden', true)")

    till.tap("to be heard")
    page.wait_for_function("window.fpSound.played.includes('done')")
    title = page.title()
    till.claim("to be counted in the title")

    page.wait_for_function("title => document.title !== title", arg=title)


def test_the_keyboard_gets_past_the_navigation(page: Page) -> None:
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#fp-main")).to_be_focused()


def plant(till: Till, books: Raw, count: int) -> None:
    """Put payouts into the database, as if they had been there long ago."""
    store = a_store(id=till.get("wallet")["store_id"])
    vault = Vault(load_master_key(till._folder / "master.key", may_create=False))
    with books.transaction() as tx:
        for key in stores.read_data_keys(tx):
            vault.add_data_key(*key)
    sealer = vault.of(store.id)
    then = datetime.now(UTC) - timedelta(days=200)
    settled = {"state": PayoutState.COMPLETED, "evidence": EvidenceGrade.FLASH_SUCCESS}
    plain = a_payout(store, status=PayoutStatus.COMPLETED, **settled)
    rows = []
    for number in range(count):
        payout_id = new_id(PAYOUT, then)
        sealed = sealer.seal_text("lnbc1", f"payouts/{payout_id}/destination")
        payout = replace(plain, id=payout_id, payment_hash=f"{number:064x}")
        at = then + timedelta(seconds=number)
        rows.append(record(replace(payout, created_at=at, destination_sealed=sealed)))
    with books.transaction() as tx:
        tx.many(payouts._ADD, rows)


def test_a_long_export_tells_how_far_it_is_and_can_be_cancelled(
    page: Page, till: Till, books: Raw
) -> None:
    plant(till, books, MANY)
    panel = page.get_by_test_id("export-progress")

    page.get_by_test_id("export").select_option("xlsx")
    expect(panel).to_contain_text(re.compile(r"[\d,]+ of [\d,]+ payouts"))
    panel.get_by_role("button", name="Cancel").click()
    expect(panel).to_be_hidden()

    with page.expect_download() as expected:
        page.get_by_test_id("export").select_option("csv")
    lines = expected.value.path().read_text("utf-8-sig").splitlines()
    expect(panel).to_contain_text("Export is ready")
    expect(panel).to_contain_text(f"{len(lines) - 1:,} payouts")
    assert len(lines) > MANY
