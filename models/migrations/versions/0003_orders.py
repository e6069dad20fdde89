"""Indexes for payouts by amount and by completion."""

from alembic import op

revision = "0003"
down_revision = "0002"

INDEXES = {
    "store_status_amount": """(store_id, status, amount_msat DESC, id DESC, created_at)
        WHERE amount_msat IS NOT NULL""",
    "card_amount": """(card_id, amount_msat DESC, id DESC)
        WHERE card_id IS NOT NULL AND amount_msat IS NOT NULL""",
    "store_completed": """(store_id, completed_at DESC, id DESC, created_at)
        WHERE completed_at IS NOT NULL""",
    "card_completed": """(card_id, completed_at DESC, id DESC)
        WHERE card_id IS NOT NULL AND completed_at IS NOT NULL""",
}


def upgrade() -> None:
    """Make the indexes; both databases write them alike."""
    for name, what in INDEXES.items():
        op.execute(f"CREATE INDEX ix_payouts_{name} ON payouts {' '.join(what.split())}")
