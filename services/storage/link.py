"""Links that work once: the first set-up, and invitations to a store."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, delete, select, update

from models.person import Link, LinkPurpose
from models.store import Role
from models.tables.base import table_of
from models.tables.person import LinkRow
from models.tables.store import MembershipRow
from services.storage.statement import Statement, Transaction, columns, insert_into, record

_links = table_of(LinkRow)
_memberships = table_of(MembershipRow)

_ADD = insert_into(_links)
_FIND = Statement(
    select(*columns(Link, _links)).where(
        _links.c.token_hash == bindparam("token_hash"), _links.c.purpose == bindparam("purpose")
    )
)
_USE = Statement(
    update(_links)
    .where(
        _links.c.id == bindparam("link_id"),
        _links.c.used_at.is_(None),
        _links.c.expires_at > bindparam("now"),
    )
    .values(used_at=bindparam("now"))
)
_OPEN = Statement(
    select(*columns(Link, _links))
    .where(
        _links.c.store_id == bindparam("store_id"),
        _links.c.used_at.is_(None),
        _links.c.expires_at > bindparam("now"),
    )
    .order_by(_links.c.created_at.desc(), _links.c.id.desc())
    .limit(200)
)
_DROP = Statement(
    delete(_links).where(
        _links.c.store_id == bindparam("store_id"),
        _links.c.id == bindparam("link_id"),
        _links.c.used_at.is_(None),
    )
)
_DROP_OPEN_OF = Statement(
    delete(_links).where(
        _links.c.store_id == bindparam("store_id"),
        _links.c.email == bindparam("email"),
        _links.c.used_at.is_(None),
    )
)
_DROP_SET_UPS = Statement(
    delete(_links).where(_links.c.purpose == LinkPurpose.SET_UP, _links.c.used_at.is_(None))
)
_ANY_OWNER = Statement(
    select(_memberships.c.user_id).where(_memberships.c.role == Role.OWNER).limit(1)
)


def add_link(tx: Transaction, link: Link, token_hash: str) -> None:
    """Add a link."""
    tx.run(_ADD, **record(link, token_hash=token_hash))


def find_link(tx: Transaction, purpose: LinkPurpose, token_hash: str) -> Link | None:
    """Return the link of a token, used or not."""
    return tx.one(Link, _FIND, purpose=purpose, token_hash=token_hash)


def use_link(tx: Transaction, link: Link, now: datetime) -> bool:
    """Use a link up; False if it was used, or its time is over."""
    return tx.run(_USE, link_id=link.id, now=now) == 1


def read_open_links(tx: Transaction, store_id: str, now: datetime) -> list[Link]:
    """Return the invitations of a store that still work, newest first."""
    return tx.all(Link, _OPEN, store_id=store_id, now=now)


def drop_link(tx: Transaction, store_id: str, link_id: str) -> bool:
    """Take an invitation back; False if there is none such, or it was used."""
    return tx.run(_DROP, store_id=store_id, link_id=link_id) == 1


def drop_open_links(tx: Transaction, store_id: str, email: str) -> None:
    """Take back what was sent to an address before."""
    tx.run(_DROP_OPEN_OF, store_id=store_id, email=email)


def drop_set_ups(tx: Transaction) -> None:
    """Have no set-up link of before work any more."""
    tx.run(_DROP_SET_UPS)


def has_owner(tx: Transaction) -> bool:
    """Tell whether any store has an owner."""
    return tx.row(_ANY_OWNER) is not None
