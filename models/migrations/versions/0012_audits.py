"""Audits of our own books with what they found, and the last comparisons with Flash."""

from pathlib import Path

from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Make the tables."""
    dialect = op.get_bind().dialect.name
    script = Path(__file__).with_name(f"0012_audits.{dialect}.sql").read_text()
    for statement in script.split("\n;\n"):
        if statement.strip():
            op.get_bind().exec_driver_sql(statement)
