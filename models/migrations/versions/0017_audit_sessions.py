"""By which sign-in, and from what browser or program, an act of the record was done."""

from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Add the columns; both databases write it alike."""
    op.execute("ALTER TABLE audit ADD COLUMN session_id VARCHAR")
    op.execute("ALTER TABLE audit ADD COLUMN agent VARCHAR")
