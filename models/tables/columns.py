"""Column types and checks that every table shares."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Dialect, Integer, String, TypeDecorator

from models.instants import from_us, to_us
from models.money import MAX_MSAT

# SQLite gives only a column typed INTEGER PRIMARY KEY its own row number.
BigKey = BigInteger().with_variant(Integer(), "sqlite")

# Prefix search walks an index by range, which on PostgreSQL needs byte order.
Prefixed = String().with_variant(String(collation="C"), "postgresql")


class UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC time, kept as microseconds since 1970 in a BIGINT.

    Both databases then sort, compare and return it alike; naive time is refused.
    """

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Turn aware time into microseconds."""
        del dialect
        return None if value is None else to_us(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        """Turn microseconds into aware time."""
        del dialect
        return None if value is None else from_us(value)


class Word(TypeDecorator[StrEnum]):
    """A StrEnum kept as its value, not its name; the table's CHECK lists the words."""

    impl = String
    cache_ok = True

    def __init__(self, words: type[StrEnum]) -> None:
        super().__init__()
        self.words = words

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """Write the word."""
        del dialect
        return None if value is None else str(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> StrEnum | None:
        """Read the word back as its enum."""
        del dialect
        return None if value is None else self.words(value)


def whole(column: str, *, least: int | None = 0, most: int = MAX_MSAT) -> tuple[Any, Any]:
    """Return the checks of a column of whole numbers.

    SQLite would keep any text in a BIGINT column, so there its type is checked as well.
    """
    low = -most if least is None else least
    return (
        CheckConstraint(f"{column} >= {low} AND {column} <= {most}", name=f"{column}_range"),
        CheckConstraint(
            f"{column} IS NULL OR typeof({column}) = 'integer'",
            name=f"{column}_whole",
        ).ddl_if(dialect="sqlite"),
    )


def one_of(column: str, words: type[StrEnum] | tuple[str, ...]) -> CheckConstraint:
    """Return the check that a column holds one of the words."""
    listed = ", ".join(f"'{word}'" for word in words)
    return CheckConstraint(f"{column} IN ({listed})", name=f"{column}_word")
