"""An index of the rows of a statement that no payout explains: few among many."""

from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Make the index; both databases write it alike."""
    op.execute(
        "CREATE INDEX ix_statement_rows_extra ON statement_rows (store_id, at) "
        "WHERE state = 'extra'"
    )
