"""What wallets held over time, and an index to find alerts of one kind by."""

from pathlib import Path

from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Make the table and the index."""
    dialect = op.get_bind().dialect.name
    script = Path(__file__).with_name(f"0013_balances.{dialect}.sql").read_text()
    for statement in script.split("\n;\n"):
        if statement.strip():
            op.get_bind().exec_driver_sql(statement)
