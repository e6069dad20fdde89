"""Filters that people keep under a name."""

from pathlib import Path

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Make the table and its indexes."""
    dialect = op.get_bind().dialect.name
    script = Path(__file__).with_name(f"0008_saved_views.{dialect}.sql").read_text()
    # Without parameters no driver takes the `%` of a statement for a placeholder.
    plainly = {"no_parameters": True}
    for statement in script.split("\n;\n"):
        if statement.strip():
            op.get_bind().exec_driver_sql(statement, execution_options=plainly)
