"""An index of the payouts whose money came back: few among all that were completed."""

from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """Make the index; both databases write it alike."""
    op.execute(
        "CREATE INDEX ix_payouts_reversed ON payouts (store_id, created_at DESC, id DESC) "
        "WHERE state = 'reversed'"
    )
