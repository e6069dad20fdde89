"""What recipients want shown after a payment, sealed."""

from pathlib import Path

from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Make the table."""
    dialect = op.get_bind().dialect.name
    script = Path(__file__).with_name(f"0015_success_actions.{dialect}.sql").read_text()
    for statement in script.split("\n;\n"):
        if statement.strip():
            op.get_bind().exec_driver_sql(statement)
