"""The whole schema as statements of one dialect, to freeze in a migration and to compare."""

from __future__ import annotations

from sqlalchemy import Dialect
from sqlalchemy.schema import CreateIndex, CreateTable

from models.tables import METADATA
from models.tables.triggers import TRIGGERS


def schema_statements(dialect: Dialect) -> list[str]:
    """Return the statements that make all tables, indexes and triggers, in order."""
    statements: list[str] = []
    for table in METADATA.sorted_tables:
        # Constraints of a table have no order of their own; by name, the text is stable.
        lines = str(CreateTable(table).compile(dialect=dialect)).strip().splitlines()
        columns = [line for line in lines[1:-1] if not line.strip().startswith("CONSTRAINT")]
        constraints = sorted(line for line in lines[1:-1] if line.strip().startswith("CONSTRAINT"))
        body = [line.strip().rstrip(",") for line in columns + constraints]
        statements.append("\n    ".join([lines[0], ",\n    ".join(body)]) + "\n)")
        indexes = sorted(table.indexes, key=lambda index: str(index.name))
        statements += [
            str(CreateIndex(index).compile(dialect=dialect)).strip() for index in indexes
        ]
    return statements + list(TRIGGERS[dialect.name])
