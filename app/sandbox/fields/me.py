"""The signed-in user, the account and its wallets, as this caller is shown them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from app.sandbox.accounts import Account, Wallet
from app.sandbox.amounts import usd_wallet_cents, usdt_wallet_cents
from app.sandbox.caller import Call
from app.sandbox.faults import Subject
from app.sandbox.fields.prices import realtime_price
from app.sandbox.fields.root import Root
from app.sandbox.problems import CUTOVER, top_level

_Resolvers = dict[str, Callable[..., Any]]

_DAY_S: Final = 86_400
_LIMIT_CENTS: Final = 1_000_000
_LIMITS: Final = [
    {
        "__typename": "OneDayAccountLimit",
        "interval": _DAY_S,
        "remainingLimit": _LIMIT_CENTS,
        "totalLimit": _LIMIT_CENTS,
    }
]


def refuse_in_cutover(call: Call, subject: Subject) -> None:
    """Refuse to show wallets while money is being moved between them.

    Raises:
        GraphQLError: The cutover is in progress, or a fault says so.
    """
    world = call.world
    fault = None
    if world.faults.wants("read"):
        fault = world.faults.draw("read", subject, "cutover_in_progress")
    if fault is not None or world.cutover == "IN_PROGRESS":
        raise top_level(CUTOVER)


def _me(call: Call) -> Account:
    return call.caller.require()


def _wallets(account: Account, call: Call) -> list[Wallet]:
    call.caller.require_scope("read:wallet")
    wallet = call.presented(account)
    refuse_in_cutover(call, Subject("me", wallet.id))
    return [wallet]


def _default_wallet_id(account: Account, call: Call) -> str:
    return call.presented(account).id


def _balance(wallet: Wallet, call: Call) -> float | None:
    """Return cents; the legacy wallet shows what is in the USDT wallet after the cutover."""
    call.caller.require_scope("read:wallet")
    world = call.world
    if world.faults.wants("read"):
        fault = world.faults.draw("read", Subject("me", wallet.id), "balance_null", "balance_zero")
        if fault is not None:
            return None if fault.kind == "balance_null" else 0
    if wallet.currency == "USDT":
        return usdt_wallet_cents(wallet.balance_nanousd)
    account = world.accounts.owner(wallet.id)
    source = account.usdt if account is not None and world.is_migrated else wallet
    cents = usd_wallet_cents(source.balance_nanousd)
    # The older schema carries whole cents.
    return int(cents) if world.settings.profile == "2025-08" else cents


def _pending(_wallet: Wallet, call: Call) -> int:
    call.caller.require_scope("read:wallet")
    return 0


def _lnurlp(wallet: Wallet, call: Call) -> str | None:
    account = call.world.accounts.owner(wallet.id)
    return None if account is None else call.world.lnurlp(account)


def _capabilities(_account: Account, _call: Call) -> dict[str, bool]:
    return {"bankPayout": False, "business": True, "usdAccount": False, "verified": True}


def _notifications(_account: Account, _call: Call) -> dict[str, Any]:
    return {"push": {"enabled": True, "disabledCategories": []}}


def _limits(_account: Account, _call: Call) -> dict[str, Any]:
    return {"convert": _LIMITS, "internalSend": _LIMITS, "withdrawal": _LIMITS}


def _nothing(_source: Any, _call: Call) -> None:
    return None


def _none_of_these(_source: Any, _call: Call, **_args: Any) -> list[Any]:
    return []


ROOTS: Final = {"me": Root(_me, needs_account=True, scope="read:user")}

_USER: Final[_Resolvers] = {
    "bankAccounts": _none_of_these,
    "contacts": _none_of_these,
    "createdAt": lambda account, _call: account.created_ms // 1000,
    "defaultAccount": lambda account, _call: account,
    "email": _nothing,
    "language": lambda _account, _call: "",
    "npub": _nothing,
    "phone": _nothing,
    "quizQuestions": _none_of_these,
    "totpEnabled": lambda _account, _call: False,
}
_ACCOUNT: Final[_Resolvers] = {
    "callbackEndpoints": _none_of_these,
    "capabilities": _capabilities,
    "defaultWalletId": _default_wallet_id,
    "displayCurrency": lambda account, _call: account.display_currency,
    "level": lambda _account, _call: "TWO",
    "limits": _limits,
    "notificationSettings": _notifications,
    "quiz": _none_of_these,
    "realtimePrice": lambda account, call: realtime_price(call.world, account.display_currency),
    "statusHeadline": lambda _account, _call: "VERIFIED",
    "wallets": _wallets,
}
_WALLET: Final[_Resolvers] = {
    "accountId": lambda wallet, _call: wallet.account_id,
    "walletCurrency": lambda wallet, _call: wallet.currency,
    "isExternal": lambda _wallet, _call: False,
    "balance": _balance,
    "pendingIncomingBalance": _pending,
    "lnurlp": _lnurlp,
}
TYPES: Final[dict[tuple[str, str], Callable[..., Any]]] = {
    **{("User", name): resolver for name, resolver in _USER.items()},
    **{("ConsumerAccount", name): resolver for name, resolver in _ACCOUNT.items()},
    **{
        (kind, name): resolver
        for kind in ("UsdWallet", "UsdtWallet")
        for name, resolver in _WALLET.items()
    },
}
