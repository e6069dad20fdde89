"""Links that give out a card's keys, and when each key set was handed out, tapped and wiped."""

from pathlib import Path

from alembic import op

revision = "0004"
down_revision = "0003"

NEW_COLUMNS = ("handed_at", "wiped_at", "first_tap_at", "last_tap_at")


def upgrade() -> None:
    """Add the columns, tell them from what is known, and make the table."""
    for column in NEW_COLUMNS:
        op.execute(f"ALTER TABLE key_sets ADD COLUMN {column} BIGINT")
    # Whoever has a card of before got its keys when it was made: they were given by hand.
    op.execute("UPDATE key_sets SET handed_at = created_at")
    # Each key set's first and last counter lead to its taps by an index.
    for column, order in (("first_tap_at", "ASC"), ("last_tap_at", "DESC")):
        op.execute(
            f"UPDATE key_sets SET {column} = (SELECT taps.at FROM taps"
            f" WHERE taps.key_set_id = key_sets.id ORDER BY taps.counter {order} LIMIT 1)"
        )
    dialect = op.get_bind().dialect.name
    script = Path(__file__).with_name(f"0004_card_keys.{dialect}.sql").read_text()
    for statement in script.split("\n;\n"):
        if statement.strip():
            op.execute(statement)
