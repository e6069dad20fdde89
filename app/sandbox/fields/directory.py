"""What anybody may ask: settings, the state of the cutover, and other users' wallets."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit

from app.sandbox.accounts import Account
from app.sandbox.caller import Call
from app.sandbox.fields.root import public
from app.sandbox.problems import Problem, top_level


def _globals(call: Call) -> dict[str, Any]:
    fees = {"minBankFee": "0", "minBankFeeThreshold": "0", "ratio": "0"}
    return {
        "bridgeEnabled": False,
        "buildInformation": {"commitHash": "sandbox", "helmRevision": 0},
        "cashoutEnabled": False,
        "feesInformation": {"deposit": fees},
        "fygaroTopup": None,
        "lightningAddressDomain": urlsplit(call.world.origin).netloc,
        "lightningAddressDomainAliases": [],
        "network": "mainnet",
        "nodesIds": [],
        "referralRewardEnabled": False,
        "supportedCountries": [],
        "topupEnabled": False,
    }


def _cutover(call: Call) -> dict[str, Any]:
    return {
        "state": call.world.cutover,
        "cutoverVersion": 1,
        "updatedAt": call.world.clock.now_s(),
    }


def _named(call: Call, username: str) -> Account:
    account = call.world.accounts.named(username)
    if account is None:
        message = f"Account does not exist for username {username}"
        raise top_level(Problem(message, "NOT_FOUND"))
    return account


def _default_wallet(call: Call, **args: Any) -> dict[str, Any]:
    account = _named(call, args["username"])
    wallet = call.presented(account)
    currency = args.get("walletCurrency")
    if currency is not None and currency != wallet.currency:
        matching = [w for w in account.wallets.values() if w.currency == currency]
        if not matching:
            raise top_level(Problem(f"No {currency} wallet for this username", "NOT_FOUND"))
        wallet = matching[0]
    return {
        "id": wallet.id,
        "walletCurrency": wallet.currency,
        "lnurlp": call.world.lnurlp(account),
    }


def _default_wallet_id(call: Call, **args: Any) -> str:
    return call.presented(_named(call, args["username"])).id


def _is_available(call: Call, **args: Any) -> bool:
    return call.world.accounts.named(args["username"]) is None


ROOTS: Final = {
    "globals": public(_globals),
    "cashWalletCutover": public(_cutover),
    "accountDefaultWallet": public(_default_wallet),
    "userDefaultWalletId": public(_default_wallet_id),
    "usernameAvailable": public(_is_available),
    "mobileVersions": public(lambda _call: []),
}
