"""Accounts, their tokens and keys, and what stands where."""

from __future__ import annotations

from typing import Any, Final

from starlette.requests import Request

from app.sandbox import ledger_sql as sql
from app.sandbox.accounts import Account, Wallet
from app.sandbox.control.given import BadInput, Given
from app.sandbox.world import DEFAULT_USERNAME, World

MAX_LISTED: Final = 1_000
_SHOWN: Final = 100
_SCOPES: Final = "read:user write:wallet read:transactions"


def account_named(world: World, username: str) -> Account:
    """Return an account by its name.

    Raises:
        BadInput: There is none.
    """
    account = world.accounts.named(username)
    if account is None:
        raise BadInput(f"there is no account {username}")
    return account


def wallet_of(world: World, wallet_id: str | None) -> Wallet:
    """Return a wallet by its id, or the merchant's cash wallet.

    Raises:
        BadInput: There is none.
    """
    if wallet_id is None:
        return world.cash_wallet(account_named(world, DEFAULT_USERNAME))
    try:
        return world.accounts.wallet(wallet_id)
    except KeyError:
        raise BadInput(f"there is no wallet {wallet_id}") from None


def shown_wallet(wallet: Wallet) -> dict[str, Any]:
    """Return a wallet with its book and what is held of it."""
    return {
        "id": wallet.id,
        "currency": wallet.currency,
        "book_nanousd": wallet.book_nanousd,
        "held_nanousd": wallet.held_nanousd,
        "balance_nanousd": wallet.balance_nanousd,
    }


def _shown(world: World, account: Account) -> dict[str, Any]:
    tokens = world.sessions.of_account(account.id, world.clock.now_ms())
    return {
        "id": account.id,
        "username": account.username,
        "token": tokens[-1] if tokens else None,
        "tokens": tokens,
        "wallet": world.cash_wallet(account).id,
        "wallets": [shown_wallet(wallet) for wallet in account.wallets.values()],
    }


async def _state(world: World, _request: Request) -> Any:
    return {
        "default_account": _shown(world, account_named(world, DEFAULT_USERNAME)),
        "accounts": [_shown(world, account) for account in world.accounts.first(_SHOWN)],
        "account_count": len(world.accounts),
        "nanousd_per_btc": world.nanousd_per_btc(),
        "now_ms": world.clock.now_ms(),
        "cutover": world.cutover,
        "profile": world.settings.profile,
        "faults": world.faults.armed(),
    }


async def _accounts(world: World, request: Request) -> Any:
    limit = min(int(request.query_params.get("limit", "100")), MAX_LISTED)
    return {"items": [_shown(world, account) for account in world.accounts.first(limit)]}


async def _totals(world: World, _request: Request) -> Any:
    return {"items": world.ledger.rows(sql.TOTALS)}


async def _audit(world: World, _request: Request) -> Any:
    found = world.ledger.audit()
    return {"is_clean": not any(found.values())} | found


async def _add_account(world: World, request: Request) -> Any:
    given = await Given.read(request)
    username, currency = given.text("username"), given.text("display_currency", "USD")
    given.done()
    now_ms = world.clock.now_ms()
    account, statements = world.accounts.create(username.lower(), currency, now_ms)
    _, more = world.sessions.start(account.id, now_ms)
    await world.ledger.writer.commit([*statements, *more])
    return _shown(world, account)


async def _add_token(world: World, request: Request) -> Any:
    given = await Given.read(request)
    account = account_named(world, given.text("username", DEFAULT_USERNAME))
    given.done()
    session, statements = world.sessions.start(account.id, world.clock.now_ms())
    await world.ledger.writer.commit(statements)
    return {"token": session.token}


async def _revoke(world: World, request: Request) -> Any:
    given = await Given.read(request)
    token = given.text("token")
    given.done()
    statements = world.sessions.revoke(token, world.clock.now_ms())
    await world.ledger.writer.commit(statements)
    return {"revoked": bool(statements)}


async def _add_key(world: World, request: Request) -> Any:
    given = await Given.read(request)
    account = account_named(world, given.text("username", DEFAULT_USERNAME))
    scopes, per_minute = given.text("scopes", _SCOPES), given.number("per_minute", None)
    expires_s = given.number("expires_s", None)
    given.done()
    now_ms = world.clock.now_ms()
    key, text, statements = world.keys.create(
        account.id,
        "sandbox",
        scopes.split(),
        now_ms,
        expires_ms=None if expires_s is None else now_ms + expires_s * 1000,
        per_minute=per_minute,
    )
    await world.ledger.writer.commit(statements)
    return {"id": key.id, "api_key": text, "scopes": sorted(key.scopes)}


ROUTES: Final = {
    "GET state": _state,
    "GET accounts": _accounts,
    "GET totals": _totals,
    "GET audit": _audit,
    "POST accounts": _add_account,
    "POST keys": _add_key,
    "POST tokens": _add_token,
    "POST tokens/revoke": _revoke,
}
