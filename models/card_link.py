"""Links that give a card's keys to a programmer app, once and for a short time."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from models.card_keys import CardKeys


class LinkAction(StrEnum):
    """What the keys are fetched for."""

    PROGRAM = "program"
    RESET = "reset"


@dataclass(frozen=True, slots=True)
class CardLink:
    """One link: for one card and one act; `key_set_id` and `uid_hash` say what it gave to whom."""

    id: str
    store_id: str
    card_id: str
    action: LinkAction
    token_hash: str = field(repr=False)
    tries: int
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None
    key_set_id: str | None
    uid_hash: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class MadeLink:
    """A new link with its token, which is shown once and kept nowhere."""

    id: str
    token: str = field(repr=False)
    action: LinkAction
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class HandedKeys:
    """The keys that a link gave out, and what they are for."""

    alias: str
    version: int
    keys: CardKeys = field(repr=False)
