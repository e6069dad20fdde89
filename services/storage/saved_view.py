"""Saved views: each read and write names the person and the store."""

from __future__ import annotations

from sqlalchemy import bindparam, delete, select, update

from models.saved_view import SavedView
from models.tables.base import table_of
from models.tables.saved_view import SavedViewRow
from services.storage.statement import Statement, Transaction, columns, insert_into, record

_table = table_of(SavedViewRow)
_IS_THEIRS = (
    _table.c.store_id == bindparam("in_store"),
    _table.c.owner_id == bindparam("of_owner"),
)
_ADD = insert_into(_table)
_ALL = Statement(
    select(*columns(SavedView, _table)).where(*_IS_THEIRS).order_by(_table.c.name_key, _table.c.id)
)
_RENAME = Statement(
    update(_table)
    .where(*_IS_THEIRS, _table.c.id == bindparam("renamed"))
    .values(name=bindparam("new_name"), name_key=bindparam("new_key"))
)
_REMOVE = Statement(delete(_table).where(*_IS_THEIRS, _table.c.id == bindparam("removed")))


def add_view(tx: Transaction, view: SavedView) -> None:
    """Add a view; a slot or name that is taken breaks a unique index."""
    tx.run(_ADD, **record(view))


def read_views(tx: Transaction, store_id: str, owner_id: str) -> list[SavedView]:
    """Return a person's views of a store, by name."""
    return tx.all(SavedView, _ALL, in_store=store_id, of_owner=owner_id)


def rename_view(
    tx: Transaction, store_id: str, owner_id: str, view_id: str, name: str, name_key: str
) -> bool:
    """Give a view another name; False if this person has no such view."""
    who = {"in_store": store_id, "of_owner": owner_id}
    return tx.run(_RENAME, **who, renamed=view_id, new_name=name, new_key=name_key) == 1


def remove_view(tx: Transaction, store_id: str, owner_id: str, view_id: str) -> bool:
    """Remove a view; False if this person has no such view."""
    return tx.run(_REMOVE, in_store=store_id, of_owner=owner_id, removed=view_id) == 1
