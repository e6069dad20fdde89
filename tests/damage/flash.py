"""A Flash whose every answer is damaged: the client either understands it or says what is wrong."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from typing import Any

from models.errors import ServiceError
from models.flash import FlashConnection, Mutation, SendOrder
from models.instants import EPOCH
from services.flash.client import FlashClient
from tests.damage.damage import damaged_text, damaged_value

_ERROR = {"code": "IBEX_ERROR", "message": "An error occurred.", "extensions": {"code": "X"}}
_LIMIT = {
    "message": "API key rate limit exceeded",
    "extensions": {"code": "TOO_MANY_REQUESTS", "retryAfterSeconds": 7},
}
_WALLETS = [
    {"id": "w-1", "walletCurrency": "USDT", "balance": "1234.5", "isExternal": False},
    {"id": "w-2", "walletCurrency": "USD", "balance": "0", "isExternal": False},
]
_NODE = {
    "id": "row-1",
    "direction": "SEND",
    "settlementDisplayAmount": "-1.25",
    "settlementDisplayFee": "0.01",
    "createdAt": 1_760_000_000,
}
_CSV = (
    "Id, Wallet Id, Direction, Display Amount, Display Fee, Timestamp\n"
    "row-1, w-1, SEND, -1.25, 0.01, Fri Nov 20 2026 21:00:00 GMT+0000\n"
)
_PRICE = {"timestamp": 1_760_000_000, "btcSatPrice": {"base": 98_000_000_000, "offset": 12}}


def _account(field: str, value: Any) -> dict[str, Any]:
    return {"me": {"defaultAccount": {field: value}}}


@dataclass(slots=True)
class _Answer:
    data: Any
    errors: Any


class _Wire:
    """Stands where the HTTP transport stands, and answers what it was told to."""

    def __init__(self) -> None:
        self.answer = _Answer(None, None)

    async def execute(self, _request: object, **_more: object) -> _Answer:
        """Answer."""
        return self.answer


class DamagedFlash:
    """Asks every question of the client, and damages what would have been a good answer."""

    def __init__(self) -> None:
        self._client = FlashClient(FlashConnection("https://flash.example/graphql", "wss://x"))
        self._wire, self._runner = _Wire(), asyncio.Runner()
        self._client._transport = self._wire  # type: ignore[assignment]  # before any is opened
        client, order = self._client, SendOrder(Mutation.INVOICE, "w-1", "lnbc1", "key")
        self._questions: list[tuple[Callable[[], Awaitable[Any]], Any]] = [
            (lambda: client.send(order), {"lnInvoicePaymentSend": _payload("PENDING")}),
            (lambda: client.send(order), {"lnInvoicePaymentSend": _payload("FAILURE", _ERROR)}),
            (lambda: client.send(order), {"lnInvoicePaymentSend": _payload(None, _LIMIT)}),
            (client.fetch_wallet, _account("wallets", _WALLETS)),
            (
                lambda: client.probe_fee("w-1", "lnbc1"),
                {"lnUsdInvoiceFeeProbe": {"errors": [], "amount": 2, "invoiceAmount": 125}},
            ),
            (
                lambda: client.ask_statuses(["lnbc1", "lnbc2"]),
                {"s0": _payload("PAID", _ERROR), "s1": _payload(None, _ERROR)},
            ),
            (lambda: client.fetch_price("USD"), {"realtimePrice": _PRICE}),
            (
                lambda: client.fetch_statement("w-1"),
                _account("transactions", {"edges": [{"node": _NODE}, {"node": _NODE}]}),
            ),
            (
                lambda: client.fetch_row_details("row-1"),
                {"transactionDetails": {"transactionDetails": {"status": "completed", "fee": 1}}},
            ),
        ]

    def ask(self, random: Random) -> None:
        """Ask one question; an answer of the wrong kind may be refused by name and no other way."""
        client = self._client
        client.takes_keys = client.can_probe = client.can_ask_status = True
        question, good = random.choice(self._questions)
        if random.randrange(10) == 0:
            damaged = base64.b64encode(
                damaged_text(random, _CSV).encode("utf-8", "surrogatepass")
            ).decode()
            question = lambda: client.fetch_whole_statement("w-1", EPOCH, 100)  # noqa: E731
            good = _account("csvTransactions", damaged)
        answer = damaged_value(random, {"data": good, "errors": random.choice([None, [_ERROR]])})
        whole = answer if isinstance(answer, dict) else {}
        data = whole.get("data")
        # The transport itself refuses what is no object; only its members can be anything.
        self._wire.answer = _Answer(data if isinstance(data, dict) else None, whole.get("errors"))
        self._runner.run(_asked(question))

    def close(self) -> None:
        """Let go of the loop."""
        self._runner.close()


async def _asked(question: Callable[[], Awaitable[Any]]) -> None:
    with suppress(ServiceError):
        await question()


def _payload(status: str | None, *errors: dict[str, Any]) -> dict[str, Any]:
    return {"status": status, "errors": list(errors)}
