"""A Boltcard as lists and its own page show it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from models.card import Card, CardStage, CardState, TapState
from models.states import PayoutStatus


@dataclass(frozen=True, slots=True)
class CardUse:
    """What a card's current key set and its pull payment say, beside the card itself."""

    pull_payment_name: str
    max_sats: int | None
    version: int
    counter: int
    handed_at: datetime | None
    wiped_at: datetime | None
    first_tap_at: datetime | None
    last_tap_at: datetime | None


@dataclass(frozen=True, slots=True)
class CardView:
    """A card, its UID (masked for most), and what it drew in the last thirty days."""

    card: Card
    use: CardUse
    uid: str | None
    payouts: int
    paid_sats: int

    @property
    def stage(self) -> CardStage:
        """Return where the card is between being made and being used."""
        if self.use.wiped_at is not None:
            return CardStage.WIPED
        if self.card.state is CardState.DISABLED:
            return CardStage.BLOCKED
        if self.use.first_tap_at is not None:
            return CardStage.IN_USE
        return CardStage.UNPROGRAMMED if self.use.handed_at is None else CardStage.AWAITING_TAP

    @property
    def last_seen_at(self) -> datetime | None:
        """Return the last tap, with these keys or with earlier ones."""
        seen = [at for at in (self.use.last_tap_at, self.card.last_used_at) if at is not None]
        return max(seen, default=None)


@dataclass(frozen=True, slots=True)
class TapView:
    """A tap of the history: its counter under which key version, and what came of it."""

    at: datetime
    version: int
    counter: int
    state: TapState
    expires_at: datetime
    payout_id: str | None
    status: PayoutStatus | None
    amount_sats: int | None


@dataclass(frozen=True, slots=True)
class KeyVersion:
    """One key set of a card's past, without its keys."""

    version: int
    is_current: bool
    counter: int
    created_at: datetime
    handed_at: datetime | None
    wiped_at: datetime | None
    first_tap_at: datetime | None


@dataclass(frozen=True, slots=True)
class CardStory:
    """All there is to tell of one card."""

    view: CardView
    newest: list[TapView]
    versions: list[KeyVersion]
