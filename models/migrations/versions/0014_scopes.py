"""To what a key is narrowed within its role."""

from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Add the column; both databases write it alike."""
    op.execute("ALTER TABLE api_keys ADD COLUMN scopes VARCHAR")
