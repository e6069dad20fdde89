"""Every column that holds a sealed value, and the place that each was sealed for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, delete, select, tuple_, update

from models.tables import METADATA
from models.tables.base import table_of
from models.tables.card import CardLinkRow
from models.tables.store import DataKeyRow
from services.storage.statement import Statement, Transaction

_data_keys = table_of(DataKeyRow)
_DROP_DATA_KEY = Statement(
    delete(_data_keys).where(
        _data_keys.c.store_id == bindparam("in_store"), _data_keys.c.version == bindparam("old")
    )
)
_links = table_of(CardLinkRow)
_REHASH_LINKS = Statement(
    update(_links).where(_links.c.uid_hash == bindparam("old")).values(uid_hash=bindparam("new"))
)


@dataclass(frozen=True, slots=True)
class Envelope:
    """A sealed column; `place` names columns of its row, `store` the one with the data key's."""

    table: str
    column: str
    place: str
    # Without a store it is sealed by the key for people.
    store: str | None = "store_id"
    # The column by whose keyed hash of the secret the row is found.
    hashed: str | None = None


ENVELOPES = (
    Envelope("stores", "issuer_key_sealed", "stores/{id}/issuer_key", "id"),
    Envelope("idempotency", "answer", "idempotency/{route}/{key}"),
    Envelope("pull_payments", "claim_token_sealed", "pull_payments/{id}/claim_token"),
    Envelope("second_factors", "secret_sealed", "second_factors/{user_id}/secret", None),
    Envelope("cards", "uid_sealed", "cards/{id}/uid", hashed="uid_hash"),
    Envelope("key_sets", "keys_sealed", "key_sets/{card_id}/keys", hashed="k1_hash"),
    Envelope("payouts", "destination_sealed", "payouts/{id}/destination"),
    Envelope("attempts", "invoice_sealed", "attempts/{id}/invoice"),
    Envelope("attempts", "verify_sealed", "attempts/{id}/verify"),
    Envelope("success_actions", "action_sealed", "success_actions/{attempt_id}/action"),
    Envelope("evidence", "preimage_sealed", "evidence/{payout_id}/preimage"),
    Envelope("flash_connections", "credential_sealed", "flash_connections/{id}/credential"),
)


class Envelopes:
    """Pages through the sealed values of one column, and replaces them."""

    def __init__(self, envelope: Envelope) -> None:
        table = METADATA.tables[envelope.table]
        keys = list(table.primary_key.columns)
        sealed = table.c[envelope.column]
        self._envelope = envelope
        self._keys = [column.name for column in keys]
        self._names = [column.name for column in table.columns]
        page = select(table).where(sealed.is_not(None)).order_by(*keys).limit(bindparam("limit"))
        self._first = Statement(page)
        after = tuple_(*(bindparam(f"after_{key.name}", type_=key.type) for key in keys))
        self._next = Statement(page.where(tuple_(*keys) > after))
        self._replace = Statement(
            update(table)
            .where(
                *(key == bindparam(f"of_{key.name}", type_=key.type) for key in keys),
                sealed == bindparam("was"),
            )
            .values(
                {envelope.column: bindparam("becomes")}
                | ({} if envelope.hashed is None else {envelope.hashed: bindparam("new_hash")})
            )
        )

    def page(
        self, tx: Transaction, after: dict[str, Any] | None, limit: int
    ) -> list[dict[str, Any]]:
        """Return rows behind a row, with all their columns."""
        if after is None:
            rows = tx.rows(self._first, limit=limit)
        else:
            keys = {f"after_{name}": after[name] for name in self._keys}
            rows = tx.rows(self._next, limit=limit, **keys)
        return [dict(zip(self._names, row, strict=True)) for row in rows]

    def sealed(self, row: dict[str, Any]) -> bytes:
        """Return the sealed value of a row."""
        return bytes(row[self._envelope.column])

    def replace(
        self, tx: Transaction, row: dict[str, Any], becomes: bytes, new_hash: str | None = None
    ) -> bool:
        """Put another sealed value into a row, with its hash, unless it has another one by now."""
        given = {f"of_{name}": row[name] for name in self._keys}
        if self._envelope.hashed is not None:
            given["new_hash"] = new_hash
        was = row[self._envelope.column]
        if tx.run(self._replace, was=was, becomes=becomes, **given) != 1:
            return False
        if self._envelope.table == "cards":
            # A link that was used remembers by the same hash which card it gave its keys to.
            tx.run(_REHASH_LINKS, old=row["uid_hash"], new=new_hash)
        return True


def drop_data_key(tx: Transaction, store_id: str, version: int) -> None:
    """Forget a data key that seals nothing any more."""
    tx.run(_DROP_DATA_KEY, in_store=store_id, old=version)
