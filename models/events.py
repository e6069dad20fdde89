"""What the hub carries after a commit: hints to look again, never facts."""

from __future__ import annotations

from dataclasses import dataclass

from models.states import PayoutState


@dataclass(frozen=True, slots=True)
class PayoutChanged:
    """A payout is new or moved."""

    store_id: str
    payout_id: str
    state: PayoutState
    revision: int


@dataclass(frozen=True, slots=True)
class WalletChanged:
    """A wallet's gate, stop, balance or shortness changed."""

    store_id: str
    wallet_id: str


@dataclass(frozen=True, slots=True)
class PullPaymentChanged:
    """A pull payment is new, or was changed by a person."""

    store_id: str
    pull_payment_id: str


@dataclass(frozen=True, slots=True)
class CardChanged:
    """A card is new, was changed, got keys, or was tapped."""

    store_id: str
    card_id: str


Change = PayoutChanged | WalletChanged | PullPaymentChanged | CardChanged
