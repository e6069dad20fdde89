"""What lists of cards and a card's own page show."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime

from sqlalchemy import bindparam, func, select

from models.card import Card
from models.card_view import CardUse, KeyVersion, TapView
from models.rollup import Figure, Grain
from models.states import PayoutStatus
from models.tables.base import table_of
from models.tables.card import CardRow, KeySetRow, TapRow
from models.tables.ledger import CardRollupRow
from models.tables.payout import PayoutRow
from models.tables.pull_payment import PullPaymentRow
from services.storage.statement import Statement, Transaction, columns

_cards = table_of(CardRow)
_key_sets = table_of(KeySetRow)
_taps = table_of(TapRow)
_pulls = table_of(PullPaymentRow)
_payouts = table_of(PayoutRow)
_rollups = table_of(CardRollupRow)

_CARD_FIELDS = len(fields(Card))
_USED = (
    select(
        *columns(Card, _cards),
        _pulls.c.name,
        _pulls.c.max_sats,
        _key_sets.c.version,
        _key_sets.c.last_counter,
        _key_sets.c.handed_at,
        _key_sets.c.wiped_at,
        _key_sets.c.first_tap_at,
        _key_sets.c.last_tap_at,
    )
    .join(_pulls, _pulls.c.id == _cards.c.pull_payment_id)
    .join(_key_sets, (_key_sets.c.card_id == _cards.c.id) & _key_sets.c.is_current)
    .where(_cards.c.store_id == bindparam("store_id"))
)
_NEWEST = Statement(
    _USED.order_by(_cards.c.created_at.desc(), _cards.c.id.desc()).limit(bindparam("limit"))
)
_ONE = Statement(_USED.where(_cards.c.id == bindparam("card_id")))
_DRAWN = Statement(
    select(_rollups.c.card_id, func.sum(_rollups.c.count), func.sum(_rollups.c.amount_sats))
    .where(
        _rollups.c.store_id == bindparam("store_id"),
        _rollups.c.grain == Grain.DAY,
        _rollups.c.status == PayoutStatus.COMPLETED,
        _rollups.c.bucket >= bindparam("since", type_=_rollups.c.bucket.type),
    )
    .group_by(_rollups.c.card_id)
)
_TAPS = Statement(
    select(func.count()).where(
        _taps.c.card_id == bindparam("card_id"), _taps.c.store_id == bindparam("store_id")
    )
)
_TAPS = Statement(
    select(
        _taps.c.at,
        _key_sets.c.version,
        _taps.c.counter,
        _taps.c.state,
        _taps.c.expires_at,
        _taps.c.payout_id,
        _payouts.c.status,
        _payouts.c.amount_sats,
    )
    .join(_key_sets, _key_sets.c.id == _taps.c.key_set_id)
    .outerjoin(_payouts, _payouts.c.id == _taps.c.payout_id)
    .where(_taps.c.store_id == bindparam("store_id"), _taps.c.card_id == bindparam("card_id"))
    .order_by(_taps.c.at.desc(), _taps.c.counter.desc())
    .limit(bindparam("limit"))
)
_VERSIONS = Statement(
    select(
        _key_sets.c.version,
        _key_sets.c.is_current,
        _key_sets.c.last_counter,
        _key_sets.c.created_at,
        _key_sets.c.handed_at,
        _key_sets.c.wiped_at,
        _key_sets.c.first_tap_at,
    )
    .where(
        _key_sets.c.store_id == bindparam("store_id"), _key_sets.c.card_id == bindparam("card_id")
    )
    .order_by(_key_sets.c.version.desc())
    .limit(bindparam("limit"))
)


def read_cards(tx: Transaction, store_id: str, limit: int) -> list[tuple[Card, CardUse]]:
    """Return the newest cards of a store with how they are used."""
    rows = tx.rows(_NEWEST, store_id=store_id, limit=limit)
    return [_split(row) for row in rows]


def read_card_use(tx: Transaction, store_id: str, card_id: str) -> tuple[Card, CardUse] | None:
    """Return a card with how it is used."""
    found = tx.row(_ONE, store_id=store_id, card_id=card_id)
    return None if found is None else _split(found)


def read_drawn(tx: Transaction, store_id: str, since: datetime) -> dict[str, Figure]:
    """Return what each card drew in completed payouts since the day of a moment."""
    rows = tx.rows(_DRAWN, store_id=store_id, since=since)
    return {row[0]: Figure(int(row[1]), int(row[2])) for row in rows}


def read_taps(tx: Transaction, store_id: str, card_id: str, limit: int) -> list[TapView]:
    """Return the newest accepted taps of a card, and what came of them."""
    return tx.all(TapView, _TAPS, store_id=store_id, card_id=card_id, limit=limit)


def read_versions(tx: Transaction, store_id: str, card_id: str, limit: int) -> list[KeyVersion]:
    """Return the key sets a card had, newest first, without their keys."""
    return tx.all(KeyVersion, _VERSIONS, store_id=store_id, card_id=card_id, limit=limit)


def _split(row: tuple[object, ...]) -> tuple[Card, CardUse]:
    return Card(*row[:_CARD_FIELDS]), CardUse(*row[_CARD_FIELDS:])  # type: ignore[arg-type]
