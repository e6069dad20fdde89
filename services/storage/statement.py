"""Core statements compiled once per dialect and run on the driver's own cursor.

A tap is some twenty statements; compiling and wrapping each result again would cost more than
the database does. The types of the columns still convert what goes in and comes out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Protocol, TypeVar, cast

from sqlalchemy import ColumnElement, Dialect, Select, Table, bindparam, insert, or_
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.base import Executable
from sqlalchemy.sql.elements import ClauseElement
from sqlalchemy.sql.selectable import TypedReturnsRows

from models.events import Change

T = TypeVar("T")
Params = Mapping[str, Any]
Convert = Callable[[Any], Any]

DIALECTS: dict[str, Dialect] = {
    "sqlite": sqlite.dialect(),
    "postgresql": postgresql.psycopg.dialect(),  # type: ignore[no-untyped-call]
}


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A statement in one dialect: its text, its parameters in order, and the conversions."""

    sql: str
    order: tuple[str, ...] | None
    fixed: dict[str, Any]
    binders: dict[str, Convert]
    readers: tuple[tuple[int, Convert], ...]

    def bind(self, params: Params) -> Any:
        values = {**self.fixed, **params}
        for name, convert in self.binders.items():
            if name in params:
                values[name] = convert(values[name])
        if self.order is None:
            return values
        return [values[name] for name in self.order]

    def read(self, row: Iterable[Any]) -> tuple[Any, ...]:
        if not self.readers:
            return tuple(row)
        values = list(row)
        for place, convert in self.readers:
            values[place] = convert(values[place])
        return tuple(values)


class Statement:
    """A Core statement, compiled at its first use in each dialect."""

    def __init__(self, clause: Executable) -> None:
        self._clause = cast("ClauseElement", clause)
        self._compiled: dict[str, _Compiled] = {}

    def compiled(self, dialect: str) -> _Compiled:
        """Return the compiled form for `sqlite` or `postgresql`."""
        found = self._compiled.get(dialect)
        if found is None:
            found = self._compiled[dialect] = _compile(self._clause, DIALECTS[dialect])
        return found


def _compile(clause: ClauseElement, dialect: Dialect) -> _Compiled:
    compiled = clause.compile(dialect=dialect)
    binders: dict[str, Convert] = {}
    fixed: dict[str, Any] = {}
    for name, bind in compiled.binds.items():  # type: ignore[attr-defined]  # SQLCompiler has it
        convert = bind.type.dialect_impl(dialect).bind_processor(dialect)
        if convert is not None:
            binders[name] = convert
        if not bind.required:
            fixed[name] = convert(bind.value) if convert is not None else bind.value
    readers = []
    for place, column in enumerate(_columns_of(clause)):
        convert = column.type.dialect_impl(dialect).result_processor(dialect, None)
        if convert is not None:
            readers.append((place, convert))
    order = compiled.positiontup if compiled.positional else None  # type: ignore[attr-defined]
    return _Compiled(
        sql=str(compiled),
        order=None if order is None else tuple(order),
        fixed=fixed,
        binders=binders,
        readers=tuple(readers),
    )


def _columns_of(clause: ClauseElement) -> list[ColumnElement[Any]]:
    if isinstance(clause, TypedReturnsRows | Select):
        return list(clause.selected_columns) if hasattr(clause, "selected_columns") else []
    returning: tuple[ColumnElement[Any], ...] = getattr(clause, "_returning", ())
    return list(returning)


class Cursor(Protocol):
    """What both drivers' cursors share."""

    @property
    def rowcount(self) -> int:
        """Return how many rows the last statement touched."""
        ...

    def execute(self, sql: Any, params: Any = ..., /) -> Any:
        """Run one statement."""
        ...

    def executemany(self, sql: Any, params: Any, /) -> Any:
        """Run one statement for many rows."""
        ...

    def fetchone(self) -> Any:
        """Return the next row."""
        ...

    def fetchall(self) -> Any:
        """Return all rows."""
        ...


class Transaction:
    """An open transaction: runs statements and collects what to tell after the commit."""

    __slots__ = ("_cursor", "changes", "dialect", "shard")

    def __init__(self, cursor: Cursor, dialect: str, shard: int = 0) -> None:
        self._cursor = cursor
        self.dialect = dialect
        self.shard = shard
        self.changes: list[Change] = []

    def run(self, statement: Statement, **params: Any) -> int:
        """Run a statement and return how many rows it touched."""
        compiled = statement.compiled(self.dialect)
        self._cursor.execute(compiled.sql, compiled.bind(params))
        return self._cursor.rowcount

    def many(self, statement: Statement, rows: list[dict[str, Any]]) -> None:
        """Run a statement once for each row."""
        if rows:
            compiled = statement.compiled(self.dialect)
            self._cursor.executemany(compiled.sql, [compiled.bind(row) for row in rows])

    def row(self, statement: Statement, **params: Any) -> tuple[Any, ...] | None:
        """Return the first row, or nothing; the rest is read and dropped."""
        rows = self.rows(statement, **params)
        return rows[0] if rows else None

    def rows(self, statement: Statement, **params: Any) -> list[tuple[Any, ...]]:
        """Return all rows."""
        compiled = statement.compiled(self.dialect)
        self._cursor.execute(compiled.sql, compiled.bind(params))
        return [compiled.read(row) for row in self._cursor.fetchall()]

    def one(self, as_value: Callable[..., T], statement: Statement, **params: Any) -> T | None:
        """Return the first row as a value whose fields are the statement's columns."""
        found = self.row(statement, **params)
        return None if found is None else as_value(*found)

    def all(self, as_value: Callable[..., T], statement: Statement, **params: Any) -> list[T]:
        """Return all rows as values whose fields are the statement's columns."""
        return [as_value(*row) for row in self.rows(statement, **params)]


def columns(value_type: type, table: Table) -> list[ColumnElement[Any]]:
    """Return the table's columns in the order of a value's fields."""
    return [table.c[field.name] for field in fields(value_type)]


def insert_into(table: Table, *, without: frozenset[str] = frozenset()) -> Statement:
    """Return the statement that inserts one row; the database fills what is left out."""
    names = [column.name for column in table.columns if column.name not in without]
    return Statement(insert(table).values({name: bindparam(name) for name in names}))


def record(value: Any, **more: Any) -> dict[str, Any]:
    """Return a value's fields as parameters, with further columns beside them."""
    return {field.name: getattr(value, field.name) for field in fields(value)} | more


def among(column: ColumnElement[Any], values: Iterable[Any]) -> ColumnElement[bool]:
    """Return the condition that a column holds one of some fixed values.

    Spelled with OR, because an IN list is only written out when it runs.
    """
    return or_(*(column == value for value in values))
