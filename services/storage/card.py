"""Cards, their key sets and taps."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, func, select, tuple_, update

from models.card import Card, KeySet, Tap, TapState
from models.events import CardChanged
from models.tables.base import table_of
from models.tables.card import CardRow, KeySetRow, TapRow
from services.storage.statement import Statement, Transaction, columns, insert_into, record

_cards = table_of(CardRow)
_key_sets = table_of(KeySetRow)
_taps = table_of(TapRow)
_CARD_COLUMNS = columns(Card, _cards)

_ADD_CARD = insert_into(_cards)
_ADD_KEY_SET = insert_into(_key_sets)
_ADD_TAP = insert_into(_taps)
_READ_CARD = Statement(
    select(*_CARD_COLUMNS).where(
        _cards.c.store_id == bindparam("store_id"), _cards.c.id == bindparam("id")
    )
)
_LOCK_CARD = Statement(
    select(*_CARD_COLUMNS)
    .where(_cards.c.store_id == bindparam("store_id"), _cards.c.id == bindparam("id"))
    .with_for_update()
)
_FIND_ALIAS = Statement(
    select(*_CARD_COLUMNS).where(
        _cards.c.store_id == bindparam("store_id"), _cards.c.alias_key == bindparam("alias_key")
    )
)
_FIND_UID = Statement(select(*_CARD_COLUMNS).where(_cards.c.uid_hash == bindparam("uid_hash")))
_CURRENT_KEYS = Statement(
    select(*columns(KeySet, _key_sets)).where(
        _key_sets.c.store_id == bindparam("store_id"),
        _key_sets.c.card_id == bindparam("card_id"),
        _key_sets.c.is_current,
    )
)
_UNBOUND = Statement(
    select(*columns(KeySet, _key_sets))
    .join(_cards, _cards.c.id == _key_sets.c.card_id)
    .where(
        _cards.c.uid_hash.is_(None),
        _key_sets.c.is_current,
        _key_sets.c.k1_hash == bindparam("k1_hash"),
    )
    .limit(bindparam("limit"))
)
_BIND_UID = Statement(
    update(_cards)
    .where(
        _cards.c.store_id == bindparam("in_store"),
        _cards.c.id == bindparam("card"),
        _cards.c.uid_hash.is_(None),
    )
    .values(uid_hash=bindparam("new_uid_hash"), uid_sealed=bindparam("new_uid_sealed"))
)
_TAPPED_AT = bindparam("tapped_at", type_=_key_sets.c.last_tap_at.type)
# NT4H2421Gx 9.3: only a counter above the last one is new; one statement, so no two taps share it.
_ADVANCE = Statement(
    update(_key_sets)
    .where(
        _key_sets.c.store_id == bindparam("in_store"),
        _key_sets.c.id == bindparam("key_set"),
        _key_sets.c.is_current,
        _key_sets.c.last_counter < bindparam("counter"),
    )
    .values(
        last_counter=bindparam("counter"),
        first_tap_at=func.coalesce(_key_sets.c.first_tap_at, _TAPPED_AT),
        last_tap_at=_TAPPED_AT,
    )
)
_FIND_TAP = Statement(select(*columns(Tap, _taps)).where(_taps.c.k1_hash == bindparam("k1_hash")))
_USE_TAP = Statement(
    update(_taps)
    .where(
        _taps.c.store_id == bindparam("in_store"),
        _taps.c.id == bindparam("tap"),
        _taps.c.state == TapState.OPEN,
        _taps.c.expires_at > bindparam("now", type_=_taps.c.expires_at.type),
    )
    .values(state=TapState.USED, payout_id=bindparam("by_payout"))
)
_ONE_KEY_SET_PER_K1 = Statement(
    select(*columns(KeySet, _key_sets)).where(
        _key_sets.c.id.in_(select(func.min(_key_sets.c.id)).group_by(_key_sets.c.k1_hash))
    )
)
_SET_CARD = Statement(
    update(_cards)
    .where(_cards.c.store_id == bindparam("in_store"), _cards.c.id == bindparam("card"))
    .values(
        alias=bindparam("new_alias"),
        alias_key=bindparam("new_alias_key"),
        state=bindparam("new_state"),
        pull_payment_id=bindparam("new_pull_payment_id"),
    )
)
_NEWEST = select(*_CARD_COLUMNS).where(_cards.c.store_id == bindparam("store_id"))
_ORDER = (_cards.c.created_at.desc(), _cards.c.id.desc())
_FIRST_PAGE = Statement(_NEWEST.order_by(*_ORDER).limit(bindparam("limit")))
_NEXT_PAGE = Statement(
    _NEWEST.where(
        tuple_(_cards.c.created_at, _cards.c.id)
        < tuple_(
            bindparam("before_at", type_=_cards.c.created_at.type),
            bindparam("before_id", type_=_cards.c.id.type),
        )
    )
    .order_by(*_ORDER)
    .limit(bindparam("limit"))
)


def alias_key(alias: str) -> str:
    """Return the form in which aliases are compared: any case is the same."""
    return alias.strip().casefold()


def add_card(tx: Transaction, card: Card) -> None:
    """Add a card; an alias or UID that is taken breaks a unique constraint."""
    tx.run(_ADD_CARD, **record(card, alias_key=alias_key(card.alias)))
    tx.changes.append(CardChanged(card.store_id, card.id))


def add_key_set(tx: Transaction, key_set: KeySet) -> None:
    """Add a key set; a card has one current set."""
    tx.run(_ADD_KEY_SET, **record(key_set))


def read_card(tx: Transaction, store_id: str, card_id: str) -> Card | None:
    """Return a card of a store."""
    return tx.one(Card, _READ_CARD, store_id=store_id, id=card_id)


def lock_card(tx: Transaction, store_id: str, card_id: str) -> Card | None:
    """Return a card that nobody else can change before this transaction ends."""
    return tx.one(Card, _LOCK_CARD, store_id=store_id, id=card_id)


def find_alias(tx: Transaction, store_id: str, alias: str) -> Card | None:
    """Return the card of a store with an alias, in any case."""
    return tx.one(Card, _FIND_ALIAS, store_id=store_id, alias_key=alias_key(alias))


def find_uid(tx: Transaction, uid_hash: str) -> Card | None:
    """Return the card with a UID (keyed hash); the tap is what says which store."""
    return tx.one(Card, _FIND_UID, uid_hash=uid_hash)


def change_card(tx: Transaction, card: Card) -> None:
    """Write the editable fields of a card."""
    tx.run(
        _SET_CARD,
        in_store=card.store_id,
        card=card.id,
        new_alias=card.alias,
        new_alias_key=alias_key(card.alias),
        new_state=card.state,
        new_pull_payment_id=card.pull_payment_id,
    )
    tx.changes.append(CardChanged(card.store_id, card.id))


def current_keys(tx: Transaction, store_id: str, card_id: str) -> KeySet | None:
    """Return the key set a card carries now."""
    return tx.one(KeySet, _CURRENT_KEYS, store_id=store_id, card_id=card_id)


def unbound_key_sets(tx: Transaction, k1_hash: str, limit: int) -> list[KeySet]:
    """Return current key sets, of all stores, whose card has not shown its UID yet."""
    return tx.all(KeySet, _UNBOUND, k1_hash=k1_hash, limit=limit)


def bind_uid(
    tx: Transaction, store_id: str, card_id: str, uid_hash: str, uid_sealed: bytes
) -> bool:
    """Give a card the UID it showed at its first tap; False if it has one."""
    return (
        tx.run(
            _BIND_UID,
            in_store=store_id,
            card=card_id,
            new_uid_hash=uid_hash,
            new_uid_sealed=uid_sealed,
        )
        == 1
    )


def advance_counter(tx: Transaction, key_set: KeySet, counter: int, now: datetime) -> bool:
    """Take a counter if it is higher than any before; False is a replay."""
    touched = tx.run(
        _ADVANCE, in_store=key_set.store_id, key_set=key_set.id, counter=counter, tapped_at=now
    )
    if touched:
        tx.changes.append(CardChanged(key_set.store_id, key_set.card_id))
    return touched == 1


def add_tap(tx: Transaction, tap: Tap) -> None:
    """Add an accepted tap."""
    tx.run(_ADD_TAP, **record(tap))


def find_tap(tx: Transaction, k1_hash: str) -> Tap | None:
    """Return the tap that a k1 (hashed) belongs to."""
    return tx.one(Tap, _FIND_TAP, k1_hash=k1_hash)


def use_tap(tx: Transaction, tap: Tap, payout_id: str, now: datetime) -> bool:
    """Use a tap up for a payout; False if it was used or has expired."""
    return tx.run(_USE_TAP, in_store=tap.store_id, tap=tap.id, by_payout=payout_id, now=now) == 1


def one_key_set_per_k1(tx: Transaction) -> list[KeySet]:
    """Return one key set for every distinct K1, of all stores."""
    return tx.all(KeySet, _ONE_KEY_SET_PER_K1)


def page_cards(
    tx: Transaction, store_id: str, limit: int, before: tuple[object, str] | None
) -> list[Card]:
    """Return cards, newest first, from before a (created_at, id)."""
    if before is None:
        return tx.all(Card, _FIRST_PAGE, store_id=store_id, limit=limit)
    return tx.all(
        Card,
        _NEXT_PAGE,
        store_id=store_id,
        limit=limit,
        before_at=before[0],
        before_id=before[1],
    )
