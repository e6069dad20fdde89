"""Rollups of known fees, filled from the payouts that are there."""

from pathlib import Path

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make both tables and count what is known so far."""
    dialect = op.get_bind().dialect.name
    script = Path(__file__).with_name(f"0002_fees.{dialect}.sql").read_text()
    # Without parameters no driver takes the `%` of a statement for a placeholder.
    plainly = {"no_parameters": True}
    for statement in script.split("\n;\n"):
        if statement.strip():
            op.get_bind().exec_driver_sql(statement, execution_options=plainly)
