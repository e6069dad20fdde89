"""API keys of the form `fk_<8 hex>_<64 base64url>`: scopes, expiry and a limit per minute."""

from __future__ import annotations

import re
import secrets
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, Literal

from app.sandbox import ledger_sql as sql
from app.sandbox.ledger import Ledger
from app.sandbox.writer import Statement

DEFAULT_PER_MINUTE: Final = 120
MAX_ACTIVE: Final = 10
SHAPE: Final = re.compile(r"fk_([0-9a-f]{8})_([A-Za-z0-9_-]{64})")
_SECRET_BYTES: Final = 48

Status = Literal["ACTIVE", "REVOKED", "EXPIRED"]


@dataclass(slots=True)
class ApiKey:
    """One key; only the digest of its text is kept."""

    id: str
    key_id: str
    account_id: str
    name: str
    digest: str
    scopes: frozenset[str]
    per_minute: int | None
    created_ms: int
    expires_ms: int | None
    revoked_ms: int | None = None
    last_used_ms: int | None = None

    def status(self, now_ms: int) -> Status:
        """Return whether it works, and if not, why."""
        if self.revoked_ms is not None:
            return "REVOKED"
        if self.expires_ms is not None and now_ms >= self.expires_ms:
            return "EXPIRED"
        return "ACTIVE"

    def allows(self, scope: str) -> bool:
        """Tell whether a scope such as `read:wallet` is granted, directly or by a wider one."""
        if "admin" in self.scopes or scope in self.scopes:
            return True
        verb, _, noun = scope.partition(":")
        return verb == "read" and f"write:{noun}" in self.scopes


class KeyRing:
    """All API keys of the sandbox."""

    def __init__(self) -> None:
        self._by_key_id: dict[str, ApiKey] = {}

    def load(self, ledger: Ledger) -> None:
        """Read the keys from the ledger."""
        for row in ledger.rows(sql.ALL_KEYS):
            scopes = frozenset(row.pop("scopes").split())
            self._by_key_id[row["key_id"]] = ApiKey(scopes=scopes, **row)

    def find(self, text: str, now_ms: int) -> ApiKey | None:
        """Return the working key that a header's text spells."""
        match = SHAPE.fullmatch(text)
        key = self._by_key_id.get(match[1]) if match else None
        if key is None or key.digest != _digest(text) or key.status(now_ms) != "ACTIVE":
            return None
        key.last_used_ms = now_ms
        return key

    def of_account(self, account_id: str) -> list[ApiKey]:
        """Return an account's keys, the oldest first."""
        return [key for key in self._by_key_id.values() if key.account_id == account_id]

    def create(
        self,
        account_id: str,
        name: str,
        scopes: Iterable[str],
        now_ms: int,
        *,
        expires_ms: int | None = None,
        per_minute: int | None = None,
        text: str | None = None,
    ) -> tuple[ApiKey, str, list[Statement]]:
        """Make a key and return it with its text, which is never to be had again.

        Raises:
            ValueError: A text of one's own choice has not the shape of a key, or is taken.
        """
        text = text or f"fk_{secrets.token_hex(4)}_{secrets.token_urlsafe(_SECRET_BYTES)}"
        match = SHAPE.fullmatch(text)
        if match is None or match[1] in self._by_key_id:
            raise ValueError("an API key is fk_, eight hex digits, _ and 64 base64url characters")
        key = ApiKey(
            id=str(uuid.uuid4()),
            key_id=match[1],
            account_id=account_id,
            name=name,
            digest=_digest(text),
            scopes=frozenset(scopes),
            per_minute=per_minute,
            created_ms=now_ms,
            expires_ms=expires_ms,
        )
        self._by_key_id[key.key_id] = key
        return key, text, _saved(key)

    def revoke(self, key: ApiKey, now_ms: int) -> list[Statement]:
        """End a key; revoking it again changes nothing."""
        if key.revoked_ms is not None:
            return []
        key.revoked_ms = now_ms
        return _saved(key)


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def _saved(key: ApiKey) -> list[Statement]:
    scopes = " ".join(sorted(key.scopes))
    row = (key.id, key.key_id, key.account_id, key.name, key.digest, scopes)
    times = (key.per_minute, key.created_ms, key.expires_ms, key.revoked_ms)
    return [(sql.SAVE_KEY, row + times)]
