"""How far a database has come, which a copy that is restored later has not."""

from pathlib import Path

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Make the table."""
    dialect = op.get_bind().dialect.name
    script = Path(__file__).with_name(f"0009_epochs.{dialect}.sql").read_text()
    for statement in script.split("\n;\n"):
        if statement.strip():
            op.get_bind().exec_driver_sql(statement)
