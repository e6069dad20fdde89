"""How far a store has come since its database was restored from a copy."""

from pathlib import Path

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Make the table."""
    dialect = op.get_bind().dialect.name
    script = Path(__file__).with_name(f"0011_restorations.{dialect}.sql").read_text()
    for statement in script.split("\n;\n"):
        if statement.strip():
            op.get_bind().exec_driver_sql(statement)
