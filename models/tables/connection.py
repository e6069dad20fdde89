"""How stores reach their wallets: credentials that were entered on the settings page, sealed."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, SQLModel

from models.flash import CredentialKind
from models.tables import base  # noqa: F401
from models.tables.columns import UtcDateTime, Word, one_of


class ConnectionRow(SQLModel, table=True):
    """One credential of one store; the addresses are the operator's alone."""

    __tablename__ = "flash_connections"
    __table_args__ = (one_of("kind", CredentialKind),)

    store_id: str = Field(primary_key=True, foreign_key="stores.id")
    # Tells one from the one before, so that a running worker is known to be out of date.
    id: str
    kind: CredentialKind = Field(sa_type=Word(CredentialKind))
    credential_sealed: bytes
    flash_wallet_id: str
    made_by: str | None
    created_at: datetime = Field(sa_type=UtcDateTime)
