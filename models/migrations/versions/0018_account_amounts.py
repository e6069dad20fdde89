"""Amounts in the index of the ledger's accounts, so that one is added up without its rows."""

from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Make the index anew; both databases write it alike."""
    op.execute("DROP INDEX ix_ledger_account")
    op.execute("CREATE INDEX ix_ledger_account ON ledger (store_id, account, unit, amount)")
