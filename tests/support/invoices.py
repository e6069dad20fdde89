"""Invoices of our own making, dated by a test's clock."""

from __future__ import annotations

import secrets
from typing import Any

from models.instants import to_seconds
from tests.invoices import sign_invoice
from tests.support.clock import HandClock


def invoice(clock: HandClock, sats: int | None = 1_000, **more: Any) -> str:
    """Return a new invoice that lives an hour."""
    given: dict[str, Any] = {
        "amount_msat": None if sats is None else sats * 1000,
        "payment_hash": secrets.token_bytes(32),
        "timestamp_s": to_seconds(clock.utc_now()),
    }
    return sign_invoice(**given | more)
