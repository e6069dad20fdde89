"""Boltcards, their key sets and single taps."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class CardState(StrEnum):
    """Whether a card's taps are taken."""

    ACTIVE = "active"
    DISABLED = "disabled"


class CardStage(StrEnum):
    """Where a card is between being made and being used, as people see it."""

    UNPROGRAMMED = "unprogrammed"
    AWAITING_TAP = "awaiting_tap"
    IN_USE = "in_use"
    BLOCKED = "blocked"
    WIPED = "wiped"


class TapState(StrEnum):
    """Whether a tap's k1 can still be used."""

    OPEN = "open"
    USED = "used"


@dataclass(frozen=True, slots=True)
class Card:
    """A Boltcard that draws from a pull payment; its UID is sealed and found by a keyed hash."""

    id: str
    store_id: str
    pull_payment_id: str
    alias: str
    state: CardState
    uid_hash: str | None = field(repr=False)
    uid_sealed: bytes | None = field(repr=False)
    created_at: datetime
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class KeySet:
    """The keys a card was programmed with; counters count per key set, never per card.

    `handed_at` is when somebody outside got the keys, to put them on a card; `wiped_at` is when
    somebody got them again, to take them off.
    """

    id: str
    store_id: str
    card_id: str
    version: int
    is_current: bool
    k1_hash: str = field(repr=False)
    keys_sealed: bytes = field(repr=False)
    last_counter: int
    created_at: datetime
    handed_at: datetime | None = None
    wiped_at: datetime | None = None
    first_tap_at: datetime | None = None
    last_tap_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Tap:
    """One read of a card: opens a single withdrawal for a short time."""

    id: str
    store_id: str
    card_id: str
    key_set_id: str
    pull_payment_id: str
    counter: int
    state: TapState
    k1_hash: str = field(repr=False)
    payout_id: str | None
    hint: str | None
    at: datetime
    expires_at: datetime
