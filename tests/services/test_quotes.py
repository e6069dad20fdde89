"""A quote that somebody agreed to is kept for as long as it was promised, and no longer."""

from __future__ import annotations

from datetime import timedelta

from models.money import Rate
from models.payout import DestinationKind
from models.payout_request import PayoutPreview
from models.quote import QUOTE_LOCK
from services.quotes import held
from tests.support.clock import NOON

PREVIEW = PayoutPreview(
    kind=DestinationKind.ADDRESS,
    destination="anna@example.com",
    host="example.com",
    callback_host="example.com",
    description=None,
    amount_msat=12_000_000,
    amount_sats=12_000,
    units=1_250,
    currency="USD",
    value_cents=1_250,
    rate=Rate("USD", 104, 1_000, "Flash", NOON),
    locked_until=NOON + QUOTE_LOCK,
    invoice_expires_at=None,
    risk=None,
    needs_approval=True,
)


def test_a_quote_holds_until_its_time_is_over() -> None:
    end = NOON + QUOTE_LOCK
    kept = held(PREVIEW, end - timedelta(seconds=1))

    assert kept is not None
    assert (kept.amount_msat, kept.units, kept.rate) == (12_000_000, 1_250, PREVIEW.rate)
    assert kept.is_fiat
    assert held(PREVIEW, end) is None
    assert held(None, NOON) is None
