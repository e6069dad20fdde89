"""Quotes, holds, the wallet's statement and the books that it closes."""

from pathlib import Path

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make the tables of the money engine."""
    dialect = op.get_bind().dialect.name
    script = Path(__file__).with_name(f"0006_engine.{dialect}.sql").read_text()
    # Without parameters no driver takes the `%` of a statement for a placeholder.
    plainly = {"no_parameters": True}
    for statement in script.split("\n;\n"):
        if statement.strip():
            op.get_bind().exec_driver_sql(statement, execution_options=plainly)
