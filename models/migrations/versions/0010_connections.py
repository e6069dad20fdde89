"""Credentials for Flash that owners enter on the settings page, sealed."""

from pathlib import Path

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Make the table."""
    dialect = op.get_bind().dialect.name
    script = Path(__file__).with_name(f"0010_connections.{dialect}.sql").read_text()
    for statement in script.split("\n;\n"):
        if statement.strip():
            op.get_bind().exec_driver_sql(statement)
