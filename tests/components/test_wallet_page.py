"""What the wallet's page says of books and prices, and what it leaves out."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from components.balance_chart import balance_figure, bounds, change_words
from components.check_panel import CheckPanel
from components.dollars import exact
from components.gate_panel import GateActs, GatePanel, shut_words
from components.wallet_books import AlarmList, book_row
from components.wallet_rates import RateList, deviation
from models.attention import Attention
from models.audit_run import AuditReport, AuditRun, Scope
from models.balance import Balance, BalanceSpan, line_of
from models.books import Chapter, Finding
from models.checked import Checked
from models.invariant import Invariant
from models.money import Rate
from models.reconciliation import (
    Difference,
    KeptReconciliation,
    Reconciliation,
    SeenDifference,
    Span,
)
from models.statement import BookState, ClosedBook
from models.wallet import Gate, Wallet
from models.wallet_sheet import LateAlarm, RateSign
from services.gate import DOUBT
from tests.components.pages import paper
from tests.support.clock import NOON

FLASH = Rate("USD", 100, 1_000, "flash", NOON)
BOOK = ClosedBook(
    id="cb_1",
    store_id="st_1",
    flash_wallet_id="w",
    state=BookState.CLOSED,
    base_id=None,
    balance_nanousd=12_345_678_900,
    sent_nanousd=0,
    fees_nanousd=2_000_000,
    received_nanousd=0,
    difference_nanousd=0,
    rows=0,
    unknown=0,
    at=NOON,
)
WALLET = Wallet(
    id="wa_1",
    store_id="st_1",
    flash_wallet_id=None,
    currency="USD",
    gate=Gate.SHUT,
    gate_reason="paid_after_release",
    gate_changed_at=NOON,
    stopped_at=None,
    short_since=None,
    balance_nanousd=None,
    balance_at=None,
    lease_owner=None,
    lease_until=None,
    fence=0,
    created_at=NOON,
)


@pytest.mark.parametrize(
    ("numerator", "words"), [(101, "+1.00 %"), (100, "+0.00 %"), (99, "\u22121.00 %")]
)
def test_a_price_says_how_far_it_is_from_the_one_in_use(numerator: int, words: str) -> None:
    assert deviation(replace(FLASH, numerator=numerator), FLASH) == words
    assert deviation(FLASH, None) == ""


def test_a_book_shows_differences_to_the_unit() -> None:
    off = replace(BOOK, state=BookState.DIFFERS, difference_nanousd=-1_500_000)
    texts = [cell["text"] for cell in book_row(off, NOON, "UTC")["cells"]]

    assert texts[1:] == [
        "▲ Differs",
        "$12.34",
        "$0.00",
        "$0.002",
        "$0.00",
        "\u2212$0.0015",
        "–",
    ]
    assert exact(0) == "$0.00"


def test_the_balance_of_each_slot_is_the_last_that_was_seen() -> None:
    start = NOON - timedelta(hours=24)
    seen = [
        Balance(start - timedelta(hours=3), 5 * 10**9),
        Balance(start + timedelta(minutes=21), 4 * 10**9),
        Balance(start + timedelta(minutes=29), 7 * 10**9),
    ]
    line = line_of(seen, BalanceSpan.DAY, NOON)
    young = line_of(seen[2:], BalanceSpan.DAY, NOON)
    figure = balance_figure(line, ZoneInfo("Europe/Berlin"))

    assert line.balances_nanousd[:4] == (5 * 10**9, 5 * 10**9, 7 * 10**9, 7 * 10**9)
    assert len(line.balances_nanousd) == 145
    assert young.starts_at == start + timedelta(minutes=20)
    assert young.change_nanousd == 0
    assert change_words(line) == "+$2.00 in 24 h"
    assert change_words(young) == "±$0.00 in 24 h"
    assert line_of([], BalanceSpan.MONTH, NOON).balances_nanousd == ()
    assert bounds([0, 40_000]) == (0, 40_000, [0, 10_000, 20_000, 30_000, 40_000])
    assert bounds([42_000, 43_500]) == (41_500, 44_000, list(range(41_500, 44_001, 500)))
    assert figure["data"][0]["y"][:3] == [500, 500, 700]
    assert figure["layout"]["xaxis"]["ticktext"][0] == "14:00"
    assert len(figure["layout"]["xaxis"]["tickvals"]) <= 6


async def test_a_shut_gate_says_why_and_only_an_owner_opens_it() -> None:
    with paper() as page:
        panel = GatePanel("UTC", GateActs(open_gate=None, stop=None, resume=None))
        panel.show(WALLET, Attention(0, 2, 0, 0), None, 3, NOON)
        told = page.read("gate")
        panel.show(replace(WALLET, gate=Gate.OPEN), Attention(0, 0, 0, 0), None, 0, NOON)
        unconnected = page.read("gate")
        hidden = {text for text in panel._signs._texts.values() if not text.visible}
    assert "○ No wallet" in unconnected
    assert panel._signs._texts["Pace"] in hidden
    assert panel._signs._texts["Gate"] not in hidden
    assert "✕ Gate shut since 12:00" in told
    assert "paid after its money had been given free" in told
    assert "3 sent, not settled" in told
    assert not panel._open.visible
    assert "an owner opens it" in shut_words(WALLET)
    assert "too much is unknown" in shut_words(replace(WALLET, gate_reason=DOUBT))


async def test_contradictions_are_named_and_a_clean_check_is_quiet() -> None:
    run = AuditRun("ar_1", "st_1", Scope.ALL, Chapter.OUTBOX, "", 1_234, 1, NOON, NOON, NOON)
    finding = Finding(Invariant.PLACE, "po_1", "It is failed, but the ledger has 5 reserved.")
    missing = Difference("missing", "po_2", None, 10**9, None, NOON)
    found = Reconciliation(NOON, NOON, 3, 1, (missing,), -(10**6), is_whole=True)
    kept = KeptReconciliation(Span.OPEN, NOON, found, 1)
    with paper() as page:
        panel, rates = CheckPanel("UTC", None), RateList()
        panel.show(Checked(), NOON)
        assert "Not yet Check now Matched – Waiting –" in page.read("checks")
        panel.show(Checked((AuditReport(run, (finding,)),), (kept,)), NOON)
        shown = page.read("checks")
        assert "Matched 3 Waiting 1 Missing 1 Extra 0 Different 0" in shown
        assert "1,234 payouts, 1 found" in shown
        assert "po_1: It is failed, but the ledger has 5 reserved." in shown
        assert finding.next_step in shown
        assert "3 matched, 1 waiting, 1 missing, balance off by \u2212$0.001" in shown
        assert "po_2 is settled, and no row of Flash's list shows it: expected $1.00." in shown
        assert "Seen…" not in shown
        agreed = replace(kept, found=replace(found, balance_difference_nanousd=0))
        told = SeenDifference(missing.key, "It was paid in cash", "us_1", NOON)
        asked: list[Difference] = []
        panel._on_seen = asked.append
        panel.show(Checked((), (agreed,)), NOON)
        assert "Look at this" in page.read("checks")
        assert "Seen…" in page.read("checks")
        panel.show(Checked((), (agreed,), (told,)), NOON)
        shown = page.read("checks")
        assert "● Clean" in shown
        assert "po_2 is settled" in shown
        assert "Seen 12:00: It was paid in cash" in shown
        assert "Seen…" not in shown
        clean = replace(found, differences=(), balance_difference_nanousd=0)
        panel.show(
            Checked(
                (AuditReport(replace(run, found=0), ()),),
                (replace(kept, found=clean, differences=0),),
            ),
            NOON,
        )
        assert "nothing found" in page.read("checks")
        assert "po_" not in page.read("checks")
        old = NOON + timedelta(seconds=90)
        rates.show([RateSign("USD", None, "the last price is too old", (FLASH,))], old)
        assert "Nothing converts to USD: the last price is too old." in page.read("rates")


async def test_what_was_paid_after_release_is_shown_and_else_nothing() -> None:
    with paper() as page:
        alarms = AlarmList("UTC")
        alarms.show((), NOON)
        assert not page.by_testid("alarms").visible
        alarms.show((LateAlarm("po_7", NOON),), NOON)
        assert page.by_testid("alarms").visible
        assert "/payouts/po_7" in str(page.by_testid("alarm-rows").props["rows"])
