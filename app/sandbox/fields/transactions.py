"""Transactions as Flash lists them: the newest hundred, without hash, memo or status."""

from __future__ import annotations

import base64
import csv
import io
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from app.sandbox.accounts import Account, Wallet
from app.sandbox.amounts import dollars_number, dollars_text, whole_cents
from app.sandbox.caller import Call
from app.sandbox.faults import Subject
from app.sandbox.fields.root import Root
from app.sandbox.ledger import Row
from app.sandbox.problems import Problem, top_level
from app.sandbox.statement import PAGE
from models.instants import from_us, iso

_CURSOR: Final = re.compile(r"[0-9a-f]{24}")
_LIGHTNING: Final = (1, 2)
_ONCHAIN: Final = (3, 4)
_SATS_PER_DOLLAR: Final = 10**17
_HEADER: Final = (
    "Id, Wallet Id, Type, Direction, Amount, Display Amount, Fee, Display Fee, Currency, "
    "Timestamp, Status, Memo"
)


def node(row: Row, currency: str) -> dict[str, Any]:
    """Return one Transaction; the amount's meaning depends on the wallet's currency."""
    amount, fee = row["amount_nanousd"], row["fee_nanousd"]
    is_usdt = currency == "USDT"
    shown = whole_cents(amount) if is_usdt else dollars_number(amount)
    return {
        "id": row["id"],
        "direction": "RECEIVE" if shown > 0 else "SEND",
        "status": "SUCCESS",
        "memo": None,
        "createdAt": row["at_ms"] // 1000,
        "settlementAmount": shown,
        "settlementFee": whole_cents(fee) if is_usdt else dollars_number(fee),
        "settlementCurrency": currency,
        "settlementDisplayAmount": dollars_text(amount),
        "settlementDisplayFee": dollars_text(fee) if row["has_fee"] else "undefined",
        "settlementDisplayCurrency": "USD",
        "settlementPrice": _price(row),
        **_via(row["type_id"]),
    }


def _price(row: Row) -> dict[str, Any]:
    sats_per_dollar = _SATS_PER_DOLLAR // row["nanousd_per_btc"]
    return {
        "base": sats_per_dollar,
        "offset": 0,
        "currencyUnit": "MINOR",
        "formattedAmount": str(sats_per_dollar),
    }


def _via(type_id: int) -> dict[str, Any]:
    if type_id in _LIGHTNING:
        return {
            "initiationVia": {"__typename": "InitiationViaLn", "paymentHash": ""},
            "settlementVia": {"__typename": "SettlementViaLn", "preImage": None},
        }
    if type_id in _ONCHAIN:
        return {
            "initiationVia": {"__typename": "InitiationViaOnChain", "address": ""},
            "settlementVia": {"__typename": "SettlementViaOnChain", "transactionHash": ""},
        }
    return {
        "initiationVia": {"__typename": "InitiationViaIntraLedger"},
        "settlementVia": {"__typename": "SettlementViaIntraLedger"},
    }


def _connection(call: Call, wallets: list[Wallet], args: dict[str, Any]) -> dict[str, Any]:
    first, last = _page(args)
    world = call.world
    rows: list[tuple[Row, str]] = []
    for wallet in wallets:
        if _is_silent(call, wallet):
            continue
        statements = world.statements
        listed = statements.newest(wallet.id, first) if last is None else None
        if listed is None:
            listed = statements.oldest(wallet.id, first)
        rows += [(row, wallet.currency) for row in listed]
    nodes = [node(row, currency) for row, currency in rows[:first]]
    edges = [{"cursor": each["id"], "node": each} for each in nodes]
    return {
        "edges": edges,
        "pageInfo": {
            "hasNextPage": len(rows) > first,
            "hasPreviousPage": False,
            "startCursor": edges[0]["cursor"] if edges else None,
            "endCursor": edges[-1]["cursor"] if edges else None,
        },
    }


def _page(args: dict[str, Any]) -> tuple[int, int | None]:
    """Return how many rows, and whether from the old end; a cursor leads nowhere."""
    for name in ("after", "before"):
        cursor = args.get(name)
        if cursor is not None and _CURSOR.fullmatch(cursor) is None:
            message = f'Argument "{name}" must be a valid cursor'
            raise top_level(Problem(message, "INVALID_INPUT"))
    first, last = args.get("first"), args.get("last")
    for name, number in (("first", first), ("last", last)):
        if number is not None and not 0 < number <= PAGE:
            message = f'Argument "{name}" must be between 1 and {PAGE}'
            raise top_level(Problem(message, "INVALID_INPUT"))
    if first is not None or last is None:
        return first or PAGE, None
    return last, last


def _is_silent(call: Call, wallet: Wallet) -> bool:
    """Tell whether the list is to be empty, as when the upstream did not answer."""
    faults = call.world.faults
    if not faults.wants("read"):
        return False
    return faults.draw("read", Subject("transactions", wallet.id), "empty_transactions") is not None


def _history(call: Call, account: Account) -> list[Wallet]:
    """Return whose rows make up the list: after the cutover USDT rows, then the legacy ones."""
    if call.world.settings.profile == "2025-08":
        return [account.usd]
    return [account.usdt, account.usd] if call.world.is_migrated else [account.usd]


def _of_wallet(_wallet: Wallet, call: Call, **args: Any) -> dict[str, Any]:
    call.caller.require_scope("read:transactions")
    return _connection(call, _history(call, call.caller.require()), args)


def _of_account(account: Account, call: Call, **args: Any) -> dict[str, Any]:
    call.caller.require_scope("read:transactions")
    return _connection(call, _history(call, account), args)


def _by_address(_wallet: Wallet, call: Call, **args: Any) -> dict[str, Any]:
    call.caller.require_scope("read:transactions")
    return _connection(call, [], args)


def _csv(account: Account, call: Call, **_args: Any) -> str:
    """Return all rows of all wallets as base64 CSV, whichever wallets were asked for."""
    call.caller.require_scope("read:transactions")
    text = io.StringIO()
    text.write(_HEADER + "\n")
    writer = csv.writer(text, lineterminator="\n")
    for wallet in _history(call, account):
        if _is_silent(call, wallet):
            continue
        for row in call.world.statements.everything(wallet.id):
            writer.writerow(_csv_row(row, wallet))
    return base64.b64encode(text.getvalue().encode()).decode()


def _csv_row(row: Row, wallet: Wallet) -> list[Any]:
    shown = node(row, wallet.currency)
    kind = "lightning" if row["type_id"] in _LIGHTNING else "onchain"
    return [
        shown["id"],
        wallet.id,
        kind,
        shown["direction"],
        shown["settlementAmount"],
        shown["settlementDisplayAmount"],
        shown["settlementFee"],
        shown["settlementDisplayFee"],
        wallet.currency,
        _js_date(from_us(row["at_ms"] * 1000)),
        "success",
        "",
    ]


def _js_date(moment: datetime) -> str:
    return moment.strftime("%a %b %d %Y %H:%M:%S GMT+0000 (Coordinated Universal Time)")


def _details(call: Call, **args: Any) -> dict[str, Any]:
    row = call.world.statements.one(args["input"]["transactionId"])
    if row is None:
        return {"errors": [{"message": "Transaction not found"}], "transactionDetails": None}
    at = iso(from_us(row["at_ms"] * 1000))
    details: dict[str, Any] = {
        "id": row["id"],
        "accountId": row["wallet_id"],
        "amount": dollars_number(abs(row["amount_nanousd"])),
        "currency": "",
        "status": "completed",
        "type": "",
        "createdAt": at,
        "updatedAt": at,
        "fee": dollars_number(row["fee_nanousd"]),
    }
    # Only a receipt tells its invoice; a send keeps it to itself.
    is_receipt = row["amount_nanousd"] > 0 and row["payment_hash"] is not None
    invoice = call.world.invoices.find(row["payment_hash"]) if is_receipt else None
    if invoice is not None:
        details |= {
            "invoice": invoice.request,
            "paymentHash": invoice.payment_hash,
            "paymentPreimage": invoice.preimage,
            "memo": invoice.memo,
        }
    return {"errors": [], "transactionDetails": details}


ROOTS: Final = {"transactionDetails": Root(_details, scope="read:transactions")}
TYPES: Final[dict[tuple[str, str], Callable[..., Any]]] = {
    ("ConsumerAccount", "transactions"): _of_account,
    ("ConsumerAccount", "csvTransactions"): _csv,
    **{
        (kind, name): resolver
        for kind in ("UsdWallet", "UsdtWallet")
        for name, resolver in (("transactions", _of_wallet), ("transactionsByAddress", _by_address))
    },
}
