"""The base of all tables: every constraint has a name, so that migrations can name it."""

from __future__ import annotations

from sqlalchemy import Table
from sqlmodel import SQLModel

SQLModel.metadata.naming_convention = {
    "pk": "pk_%(table_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
}


def table_of(model: type[SQLModel]) -> Table:
    """Return the Core table behind a SQLModel class, for the statements in storage."""
    table = model.__table__  # type: ignore[attr-defined]  # SQLModel adds it at class creation
    assert isinstance(table, Table)
    return table
