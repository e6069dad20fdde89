"""What people sign in with, links that work once, and who made an API key."""

from pathlib import Path

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make the tables and their indexes, and add the column."""
    op.execute("ALTER TABLE api_keys ADD COLUMN made_by VARCHAR")
    dialect = op.get_bind().dialect.name
    script = Path(__file__).with_name(f"0007_people.{dialect}.sql").read_text()
    for statement in script.split("\n;\n"):
        if statement.strip():
            op.get_bind().exec_driver_sql(statement)
