"""Core statements compiled once per dialect and run on the driver's own cursor.

A tap is some twenty statements; compiling and wrapping each result again would cost more than
the database does. The types of the columns still convert what goes in and comes out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import partial
from operator import attrgetter, itemgetter
from typing import Any, Protocol, TypeVar, cast

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Dialect,
    Select,
    Table,
    bindparam,
    insert,
    literal_column,
    or_,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import visitors
from sqlalchemy.sql.base import Executable
from sqlalchemy.sql.elements import ClauseElement
from sqlalchemy.sql.selectable import TypedReturnsRows
from sqlalchemy.types import TypeEngine

from models.events import Change
from models.instants import from_us, to_us
from models.tables.columns import UtcDateTime, Word

T = TypeVar("T")
Params = Mapping[str, Any]
Convert = Callable[[Any], Any]
_Fields = tuple[tuple[str, ...], Callable[[Any], tuple[Any, ...]]]

_FIELDS: dict[type, _Fields] = {}

DIALECTS: dict[str, Dialect] = {
    "sqlite": sqlite.dialect(),
    "postgresql": postgresql.psycopg.dialect(),  # type: ignore[no-untyped-call]
}


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A statement in one dialect: its text, its parameters in order, and the conversions."""

    sql: str
    in_order: Callable[[Params], tuple[Any, ...]] | None
    fixed: dict[str, Any]
    # By their place in the order, or by their name where there is no order.
    binders: tuple[tuple[Any, Convert], ...]
    readers: tuple[tuple[int, Convert], ...]

    def bind(self, params: Params) -> Any:
        """Return parameters as the driver takes them."""
        given = {**self.fixed, **params} if self.fixed else params
        values: Any = dict(given) if self.in_order is None else list(self.in_order(given))
        for place, convert in self.binders:
            value = values[place]
            if value is not None:
                values[place] = convert(value)
        return values

    def read(self, row: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return a row with its columns converted."""
        if not self.readers:
            return row
        values = list(row)
        for place, convert in self.readers:
            value = values[place]
            if value is not None:
                values[place] = convert(value)
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
    spelled = visitors.replacement_traverse(clause, {}, partial(_spelled_out, dialect))
    compiled = cast("ClauseElement", spelled).compile(dialect=dialect)
    binders: dict[str, Convert] = {}
    fixed: dict[str, Any] = {}
    for bind, name in compiled.bind_names.items():  # type: ignore[attr-defined]  # SQLCompiler's
        convert = _binder(bind.type, dialect)
        if bind.required:
            if convert is not None:
                binders[name] = convert
        else:
            value = bind.value
            fixed[name] = value if value is None or convert is None else convert(value)
    readers = [
        (place, convert)
        for place, column in enumerate(_columns_of(clause))
        if (convert := _reader(column.type, dialect)) is not None
    ]
    order = compiled.positiontup if compiled.positional else None  # type: ignore[attr-defined]
    places: Iterable[tuple[Any, Convert]] = binders.items()
    if order is not None:
        places = [(place, binders[name]) for place, name in enumerate(order) if name in binders]
    return _Compiled(
        sql=str(compiled),
        in_order=None if order is None else _getter(order),
        fixed=fixed,
        binders=tuple(places),
        readers=tuple(readers),
    )


def _getter(names: Sequence[str]) -> Callable[[Params], tuple[Any, ...]]:
    """Return what takes values by name in an order; the library's own knows no tuple of one."""
    if len(names) > 1:
        return cast("Callable[[Params], tuple[Any, ...]]", itemgetter(*names))
    return lambda params: tuple(params[name] for name in names)


def _spelled_out(dialect: Dialect, element: Any, **_: Any) -> ColumnElement[Any] | None:
    """Write the word that a condition asks for into the text.

    A partial index fits `state = 'live'` by itself. For `state = ?` SQLite would look at the value
    and prepare the statement anew each time, and PostgreSQL's generic plan would not use the index.
    """
    if not isinstance(element, BindParameter) or element.required or element.value is None:
        return None
    if not isinstance(element.type, Word):
        return None
    spell = element.type.dialect_impl(dialect).literal_processor(dialect)
    return None if spell is None else literal_column(spell(element.value), element.type)


def _binder(of_type: TypeEngine[Any], dialect: Dialect) -> Convert | None:
    """Return what turns a value, never None, into what the driver takes."""
    if isinstance(of_type, UtcDateTime):
        return to_us
    if isinstance(of_type, Word):
        return str
    return of_type.dialect_impl(dialect).bind_processor(dialect)


def _reader(of_type: TypeEngine[Any], dialect: Dialect) -> Convert | None:
    """Return what turns what the driver gives, never None, into a value."""
    if isinstance(of_type, UtcDateTime):
        return from_us
    if isinstance(of_type, Word):
        return {str(word): word for word in of_type.words}.__getitem__
    return of_type.dialect_impl(dialect).result_processor(dialect, None)


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
    names, getter = _fields_of(type(value))
    return dict(zip(names, getter(value), strict=True)) | more


def replaced(value: T, **changes: Any) -> T:
    """Do what `dataclasses.replace` does, in a quarter of the time for a payout."""
    return type(value)(**record(value, **changes))


def _fields_of(kind: type) -> _Fields:
    found = _FIELDS.get(kind)
    if found is None:
        names = tuple(field.name for field in fields(kind))
        assert len(names) > 1, "a getter of one name does not return a tuple"
        found = _FIELDS[kind] = names, attrgetter(*names)
    return found


def among(column: ColumnElement[Any], values: Iterable[Any]) -> ColumnElement[bool]:
    """Return the condition that a column holds one of some fixed values.

    Spelled with OR, because an IN list is only written out when it runs.
    """
    return or_(*(column == value for value in values))


def not_by_index(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return the same text in a form that no index has: SQLite then walks another one."""
    return column.concat(literal_column("''"))


class Judged(ColumnElement[Any]):
    """A column by whose index SQLite is not to look rows up; PostgreSQL weighs that itself."""

    inherit_cache = False

    def __init__(self, column: ColumnElement[Any]) -> None:
        self.column = column
        self.type = column.type


@compiles(Judged)
def _as_it_is(element: Judged, compiler: Any, **more: Any) -> str:
    return str(compiler.process(element.column, **more))


@compiles(Judged, "sqlite")
def _without_index(element: Judged, compiler: Any, **more: Any) -> str:
    return f"+{compiler.process(element.column, **more)}"
