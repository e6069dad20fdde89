"""The house: all tables of the first version, frozen as statements of each dialect."""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make every table, index and trigger."""
    dialect = op.get_bind().dialect.name
    script = Path(__file__).with_name(f"0001_house.{dialect}.sql").read_text()
    # Without parameters no driver takes the `%` of a statement for a placeholder.
    plainly = {"no_parameters": True}
    for statement in script.split("\n;\n"):
        if statement.strip():
            op.get_bind().exec_driver_sql(statement, execution_options=plainly)
