"""Session tokens: opaque, one account each, dead when revoked or expired."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Final

from app.sandbox import ledger_sql as sql
from app.sandbox.ledger import Ledger
from app.sandbox.writer import Statement

LIFESPAN_MS: Final = 720 * 3_600_000
MAX_SESSIONS: Final = 100_000


@dataclass(slots=True)
class Session:
    """One sign-in."""

    token: str
    account_id: str
    created_ms: int
    expires_ms: int
    revoked_ms: int | None = None

    def is_alive(self, now_ms: int) -> bool:
        """Tell whether the token still opens the door."""
        return self.revoked_ms is None and now_ms < self.expires_ms


class Sessions:
    """All session tokens of the sandbox."""

    def __init__(self) -> None:
        self._by_token: dict[str, Session] = {}
        self._by_account: dict[str, list[Session]] = {}

    def load(self, ledger: Ledger) -> None:
        """Read the tokens from the ledger."""
        for row in ledger.rows(sql.ALL_SESSIONS):
            self._keep(Session(**row))

    def find(self, token: str) -> Session | None:
        """Return what is known of a token, dead or alive."""
        return self._by_token.get(token)

    def of_account(self, account_id: str, now_ms: int) -> list[str]:
        """Return an account's living tokens, the newest last."""
        mine = self._by_account.get(account_id, [])
        return [session.token for session in mine if session.is_alive(now_ms)]

    def start(
        self, account_id: str, now_ms: int, token: str | None = None
    ) -> tuple[Session, list[Statement]]:
        """Sign an account in, with a token of one's own choice if it is new.

        Raises:
            ValueError: The token is taken, or there are too many.
        """
        token = token or f"sandbox_session_{secrets.token_urlsafe(24)}"
        if token in self._by_token or len(self._by_token) >= MAX_SESSIONS:
            raise ValueError("this token cannot be used")
        session = Session(token, account_id, now_ms, now_ms + LIFESPAN_MS)
        self._keep(session)
        row = (token, account_id, session.created_ms, session.expires_ms)
        return session, [(sql.ADD_SESSION, row)]

    def _keep(self, session: Session) -> None:
        self._by_token[session.token] = session
        self._by_account.setdefault(session.account_id, []).append(session)

    def revoke(self, token: str, now_ms: int) -> list[Statement]:
        """End a session; revoking it again changes nothing."""
        session = self._by_token.get(token)
        if session is None or session.revoked_ms is not None:
            return []
        session.revoked_ms = now_ms
        return [(sql.END_SESSION, (now_ms, token))]
