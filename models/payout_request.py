"""A payout that somebody asks for, and what it would come to."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from models.money import Rate
from models.payout import DestinationKind

# What stands beside a payout that the machine cannot protect as well as the others.
AMOUNTLESS_RISK = "amountless_no_key"


@dataclass(frozen=True, slots=True)
class PayoutRequest:
    """What is asked for; the amount is in minor units of the currency (SATS, USD…)."""

    destination: str
    amount: int | None = None
    currency: str | None = None
    pull_payment_id: str | None = None
    memo: str | None = None
    metadata: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PayoutPreview:
    """What a request would come to, for a person to read before it is made.

    Attributes:
        destination: In the form that is stored and shown.
        host: The domain that a Lightning Address or LNURL belongs to; show it.
        callback_host: Who gives out the invoice, where that is another host; show it too.
        description: The recipient's words, a stranger's text.
        units: What leaves the budget, in minor units of `currency`.
        locked_until: Until when a converted amount stays as it is; later it is quoted anew.
        risk: `amountless_no_key` where a send cannot be repeated safely.
        needs_approval: Whether somebody has to approve it.
    """

    kind: DestinationKind
    destination: str
    host: str | None
    callback_host: str | None
    description: str | None
    amount_msat: int
    amount_sats: int
    units: int
    currency: str
    value_cents: int | None
    rate: Rate | None
    locked_until: datetime | None
    invoice_expires_at: datetime | None
    risk: str | None
    needs_approval: bool
