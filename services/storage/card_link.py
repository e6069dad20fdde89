"""Links that give a card's keys out, and the key sets that they move."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, select, update

from models.card import Card, KeySet
from models.card_link import CardLink
from models.events import CardChanged
from models.tables.base import table_of
from models.tables.card import CardLinkRow, CardRow, KeySetRow
from services.storage.statement import Statement, Transaction, columns, insert_into, record

_links = table_of(CardLinkRow)
_cards = table_of(CardRow)
_key_sets = table_of(KeySetRow)

_ADD = insert_into(_links)
_LOCK = Statement(
    select(*columns(CardLink, _links))
    .where(_links.c.token_hash == bindparam("token_hash"))
    .with_for_update()
)
_COUNT_TRY = Statement(
    update(_links)
    .where(_links.c.token_hash == bindparam("hash"), _links.c.tries < bindparam("most"))
    .values(tries=_links.c.tries + 1)
)
_NOW = bindparam("now", type_=_links.c.expires_at.type)
_END_OTHERS = Statement(
    update(_links)
    .where(
        _links.c.store_id == bindparam("in_store"),
        _links.c.card_id == bindparam("card"),
        _links.c.used_at.is_(None),
        _links.c.expires_at > _NOW,
    )
    .values(expires_at=_NOW)
)
_USE = Statement(
    update(_links)
    .where(
        _links.c.store_id == bindparam("in_store"),
        _links.c.id == bindparam("link"),
        _links.c.used_at.is_(None),
        _links.c.expires_at > _NOW,
    )
    .values(used_at=_NOW, key_set_id=bindparam("gave_key_set"), uid_hash=bindparam("to_uid_hash"))
)
_READ_KEY_SETS = Statement(
    select(*columns(KeySet, _key_sets))
    .where(
        _key_sets.c.store_id == bindparam("store_id"), _key_sets.c.card_id == bindparam("card_id")
    )
    .order_by(_key_sets.c.version.desc())
    .limit(bindparam("limit"))
)
_RETIRE = Statement(
    update(_key_sets)
    .where(
        _key_sets.c.store_id == bindparam("in_store"),
        _key_sets.c.card_id == bindparam("card"),
        _key_sets.c.is_current,
    )
    .values(is_current=False)
)
_SET_HANDED = Statement(
    update(_key_sets)
    .where(_key_sets.c.store_id == bindparam("in_store"), _key_sets.c.id == bindparam("key_set"))
    .values(handed_at=bindparam("at"))
)
_SET_WIPED = Statement(
    update(_key_sets)
    .where(_key_sets.c.store_id == bindparam("in_store"), _key_sets.c.id == bindparam("key_set"))
    .values(wiped_at=bindparam("at"))
)
_REBIND = Statement(
    update(_cards)
    .where(_cards.c.store_id == bindparam("in_store"), _cards.c.id == bindparam("card"))
    .values(uid_hash=bindparam("new_uid_hash"), uid_sealed=bindparam("new_uid_sealed"))
)


def add_link(tx: Transaction, link: CardLink) -> None:
    """Add a link; those that are still open for the same card end now."""
    tx.run(_END_OTHERS, in_store=link.store_id, card=link.card_id, now=link.created_at)
    tx.run(_ADD, **record(link))


def count_try(tx: Transaction, token_hash: str, most: int) -> bool:
    """Count a try of a link; False if there is none, or there were too many."""
    return tx.run(_COUNT_TRY, hash=token_hash, most=most) == 1


def lock_link(tx: Transaction, token_hash: str) -> CardLink | None:
    """Return the link a token opens, which nobody else can use before this transaction ends."""
    return tx.one(CardLink, _LOCK, token_hash=token_hash)


def use_link(
    tx: Transaction, link: CardLink, key_set_id: str, uid_hash: str | None, now: datetime
) -> bool:
    """Use a link up; False if it was used or has expired."""
    touched = tx.run(
        _USE,
        in_store=link.store_id,
        link=link.id,
        gave_key_set=key_set_id,
        to_uid_hash=uid_hash,
        now=now,
    )
    tx.changes.append(CardChanged(link.store_id, link.card_id))
    return touched == 1


def read_key_sets(tx: Transaction, store_id: str, card_id: str, limit: int) -> list[KeySet]:
    """Return the key sets of a card, newest first."""
    return tx.all(KeySet, _READ_KEY_SETS, store_id=store_id, card_id=card_id, limit=limit)


def retire_keys(tx: Transaction, card: Card) -> None:
    """Have a card carry no key set, so that a new one can become current."""
    tx.run(_RETIRE, in_store=card.store_id, card=card.id)


def mark_handed(tx: Transaction, key_set: KeySet, now: datetime) -> None:
    """Remember that somebody outside got the keys, to put them on a card."""
    tx.run(_SET_HANDED, in_store=key_set.store_id, key_set=key_set.id, at=now)


def mark_wiped(tx: Transaction, key_set: KeySet, now: datetime) -> None:
    """Remember that somebody outside got the keys, to take them off a card."""
    tx.run(_SET_WIPED, in_store=key_set.store_id, key_set=key_set.id, at=now)
    tx.changes.append(CardChanged(key_set.store_id, key_set.card_id))


def rebind_uid(tx: Transaction, card: Card, uid_hash: str | None, uid_sealed: bytes | None) -> None:
    """Give a card the UID that it is programmed with; one that is taken breaks a constraint."""
    tx.run(
        _REBIND,
        in_store=card.store_id,
        card=card.id,
        new_uid_hash=uid_hash,
        new_uid_sealed=uid_sealed,
    )
