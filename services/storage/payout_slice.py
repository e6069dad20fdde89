"""A slice of payouts, by their ids: what an audit looks at in one statement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, String, Table, bindparam, literal_column

from models.tables.base import table_of
from models.tables.payout import PayoutRow
from services.storage.statement import Statement, Transaction

SLICE = 250
PAYOUTS = table_of(PayoutRow)
_NAMES = tuple(f"p{number}" for number in range(SLICE))


def of_store(table: Table) -> ColumnElement[bool]:
    """Return the condition that rows are of the store, in a way that no index has.

    Where keys are given SQLite would else go through all rows of the store for each slice.
    """
    return table.c.store_id + literal_column("''", String) == bindparam("store_id")


# As many parameters as a slice may have ids; a shorter one says its last id again.
IN_SLICE = (
    of_store(PAYOUTS),
    PAYOUTS.c.id.in_([bindparam(name, type_=PAYOUTS.c.id.type) for name in _NAMES]),
)


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A query for what contradicts itself, and how its columns after the subject are said."""

    statement: Statement
    says: str


def contradiction(says: str, query: Any) -> Contradiction:
    """Return a question about payouts; `says` takes the columns after the payout's id."""
    return Contradiction(Statement(query), says)


def contradict(
    tx: Transaction, found: Contradiction, store_id: str, ids: Sequence[str]
) -> list[tuple[str, str]]:
    """Return the payouts of a slice that contradict themselves, each with a sentence."""
    asked = dict(zip(_NAMES, (*ids, *[ids[-1]] * (SLICE - len(ids))), strict=True))
    rows = tx.rows(found.statement, store_id=store_id, **asked)
    return [(str(row[0]), found.says.format(*row[1:])) for row in rows]
