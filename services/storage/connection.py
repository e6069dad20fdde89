"""Credentials that stores keep for their wallets, sealed."""

from __future__ import annotations

from sqlalchemy import bindparam, delete, select

from models.flash import ENVIRONMENT, KeptConnection
from models.tables.base import table_of
from models.tables.connection import ConnectionRow
from services.storage.statement import Statement, Transaction, columns, insert_into, record

_connections = table_of(ConnectionRow)

_ADD = insert_into(_connections)
_READ_ALL = Statement(select(*columns(KeptConnection, _connections)))
_READ = Statement(
    select(*columns(KeptConnection, _connections)).where(
        _connections.c.store_id == bindparam("store_id")
    )
)
_DROP = Statement(delete(_connections).where(_connections.c.store_id == bindparam("store_id")))


def put_connection(tx: Transaction, kept: KeptConnection) -> None:
    """Keep a store's connection in place of the one before."""
    tx.run(_DROP, store_id=kept.store_id)
    tx.run(_ADD, **record(kept))


def drop_connection(tx: Transaction, store_id: str) -> bool:
    """Forget a store's connection; False if there is none."""
    return tx.run(_DROP, store_id=store_id) == 1


def read_connection(tx: Transaction, store_id: str) -> KeptConnection | None:
    """Return a store's connection."""
    return tx.one(KeptConnection, _READ, store_id=store_id)


def is_current(tx: Transaction, store_id: str, connection_id: str) -> bool:
    """Tell whether a credential was not replaced or forgotten; the environment's never is."""
    if connection_id == ENVIRONMENT:
        return True
    kept = read_connection(tx, store_id)
    return kept is not None and kept.id == connection_id


def read_connections(tx: Transaction) -> list[KeptConnection]:
    """Return the connections of all stores."""
    return tx.all(KeptConnection, _READ_ALL)
