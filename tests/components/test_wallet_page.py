"""What the wallet's page says of books and prices, and what it leaves out."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from components.check_panel import CheckPanel
from components.dollars import exact
from components.gate_panel import GateActs, GatePanel, shut_words
from components.wallet_books import balance_figure, book_row
from components.wallet_rates import RateList, deviation
from models.attention import Attention
from models.audit_run import AuditReport, AuditRun, Scope
from models.books import Chapter, Finding
from models.checked import Checked
from models.invariant import Invariant
from models.money import Rate
from models.reconciliation import Difference, KeptReconciliation, Reconciliation, Span
from models.statement import BookState, ClosedBook
from models.wallet import Gate, Wallet
from models.wallet_sheet import RateSign
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


def test_the_balance_is_drawn_from_the_oldest_to_the_newest() -> None:
    books = [replace(BOOK, id=f"cb_{n}", balance_nanousd=n * 10**9) for n in range(30)]
    figure = balance_figure(books, NOON, "UTC")

    assert figure["data"][0]["y"] == [n * 100 for n in range(30)]
    assert figure["layout"]["yaxis"]["range"][1] >= 2_900
    assert len(figure["layout"]["xaxis"]["tickvals"]) <= 6


async def test_a_shut_gate_says_why_and_only_an_owner_opens_it() -> None:
    with paper() as page:
        panel = GatePanel("UTC", GateActs(open_gate=None, stop=None, resume=None))
        panel.show(WALLET, Attention(0, 2, 0, 0), None, 3, NOON)
        told = page.read("gate")
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
        panel, rates = CheckPanel("UTC"), RateList()
        panel.show(Checked(), NOON)
        assert "Not yet" in page.read("checks")
        panel.show(Checked((AuditReport(run, (finding,)),), (kept,)), NOON)
        shown = page.read("checks")
        assert "1,234 payouts, 1 found" in shown
        assert "po_1: It is failed, but the ledger has 5 reserved." in shown
        assert finding.next_step in shown
        assert "3 matched, 1 waiting, 1 missing, balance off by \u2212$0.001" in shown
        assert "po_2 is settled, and no row of Flash's list shows it: expected $1.00." in shown
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
