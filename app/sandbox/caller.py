"""Who is calling, by session token or API key, and what a key may do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from graphql import GraphQLError

from app.sandbox.accounts import Account, Wallet
from app.sandbox.keys import ApiKey
from app.sandbox.problems import Problem, not_authorized, top_level

if TYPE_CHECKING:
    from app.sandbox.world import World

CAPABILITY: Final = "cash-wallet-usdt-v1"
_BEARER: Final = "Bearer "


class BadCredential(Exception):
    """A credential was given and is not good; the answer is HTTP 401."""

    def __init__(self, kind: Literal["token", "key"]) -> None:
        self.kind = kind
        super().__init__(kind)


@dataclass(frozen=True, slots=True)
class Caller:
    """One caller: anonymous, a session, or an API key."""

    account: Account | None = None
    key: ApiKey | None = None
    sees_usdt: bool = False

    def require(self) -> Account:
        """Return the account.

        Raises:
            GraphQLError: The caller is anonymous.
        """
        if self.account is None:
            raise not_authorized()
        return self.account

    def require_scope(self, scope: str | None) -> None:
        """Let sessions through, and keys that have the scope; without one no key may.

        Raises:
            GraphQLError: The key may not do this.
        """
        if self.key is None:
            return
        if scope is None:
            raise GraphQLError("API keys cannot access this operation")
        if not self.key.allows(scope):
            raise top_level(Problem(f"API key missing required scope: {scope}"))


@dataclass(frozen=True, slots=True)
class Call:
    """What every resolver gets: the world, and who asks."""

    world: World
    caller: Caller

    def presented(self, account: Account) -> Wallet:
        """Return the one cash wallet this caller is shown."""
        shows_usdt = self.world.is_migrated and self.caller.sees_usdt
        return account.usdt if shows_usdt else account.usd

    def own_wallet(self, wallet_id: str, *, reroutes: bool = True) -> Wallet | None:
        """Return the caller's wallet; the legacy id leads to the USDT wallet where it reroutes."""
        account = self.caller.require()
        wallet = account.wallets.get(wallet_id)
        if wallet is account.usd and reroutes and self.world.is_migrated:
            return account.usdt
        return wallet


def identify(world: World, headers: Mapping[bytes, bytes]) -> Caller:
    """Return who sends these headers; no credential is fine, a bad one is not.

    Raises:
        BadCredential: The token or key is unknown, expired or revoked.
    """
    sees_usdt = CAPABILITY.encode() in headers.get(b"x-flash-client-capabilities", b"")
    bearer = headers.get(b"authorization", b"").decode("latin-1")
    if bearer.startswith(_BEARER):
        account = account_of(world, bearer.removeprefix(_BEARER))
        if account is None:
            raise BadCredential("token")
        return Caller(account, sees_usdt=sees_usdt)
    text = headers.get(b"x-api-key", b"").decode("latin-1")
    if text and world.settings.profile != "2025-08":
        key = world.keys.find(text, world.clock.now_ms())
        account = None if key is None else world.accounts.get(key.account_id)
        if key is None or account is None:
            raise BadCredential("key")
        return Caller(account, key, sees_usdt)
    return Caller(sees_usdt=sees_usdt)


def account_of(world: World, token: str) -> Account | None:
    """Return the account of a living session token."""
    session = world.sessions.find(token)
    if session is None or not session.is_alive(world.clock.now_ms()):
        return None
    return world.accounts.get(session.account_id)
