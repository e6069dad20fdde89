"""Sessions of people."""

from pathlib import Path

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the tables and their indexes."""
    dialect = op.get_bind().dialect.name
    script = Path(__file__).with_name(f"0005_sessions.{dialect}.sql").read_text()
    for statement in script.split("\n;\n"):
        if statement.strip():
            op.get_bind().exec_driver_sql(statement)
