"""Who acts in the sandbox's tests: a merchant over HTTP, a hand on the strings, a socket."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from app.sandbox.server import Sandbox
from services.bolt11_encode import sign_invoice
from tests.support.patience import PATIENCE_S

TOKEN = "merchant-token"
CAPABLE = {"X-Flash-Client-Capabilities": "cash-wallet-usdt-v1"}
SESSION = {"Authorization": f"Bearer {TOKEN}", **CAPABLE}
GENERIC = "An unexpected error occurred. Please try again later."
SEND = """
mutation Send($input: LnInvoicePaymentInput!) {
  lnInvoicePaymentSend(input: $input) { status errors { message code path } }
}
"""
STATUS = """
query Status($pr: LnPaymentRequest!) {
  lnInvoicePaymentStatus(input: {paymentRequest: $pr}) { status errors { message code } }
}
"""
PRICE = "{ realtimePrice { timestamp } }"
ROWS = """
{ me { defaultAccount { transactions(first: 100) { pageInfo { hasNextPage startCursor } edges {
  cursor node { id direction status memo createdAt settlementAmount settlementFee
  settlementCurrency settlementDisplayAmount settlementDisplayFee settlementDisplayCurrency
  initiationVia { __typename ... on InitiationViaLn { paymentHash } }
  settlementVia { __typename ... on SettlementViaLn { preImage } } } } } } } }
"""


@dataclass(frozen=True)
class Foreign:
    """An invoice of somebody else's node, and the preimage that proves its payment."""

    pr: str
    hash: str
    preimage: str


def foreign(
    amount_msat: int | None = 21_000_000, expiry_s: int = 3600, at_s: int | None = None
) -> Foreign:
    preimage = secrets.token_bytes(32)
    payment_hash = sha256(preimage)
    request = sign_invoice(
        secrets.token_bytes(32),
        amount_msat=amount_msat,
        payment_hash=payment_hash.digest(),
        payment_secret=secrets.token_bytes(32),
        timestamp_s=int(time.time()) if at_s is None else at_s,
        expiry_s=expiry_s,
        description="",
    )
    return Foreign(request, payment_hash.hexdigest(), preimage.hex())


class Hand:
    """The control API."""

    def __init__(self, http: httpx.AsyncClient, url: str) -> None:
        self._http = http
        self._url = url

    async def get(self, path: str, **params: Any) -> Any:
        answer = await self._http.get(f"{self._url}/{path}", params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def post(self, path: str, **body: Any) -> Any:
        answer = await self._http.post(f"{self._url}/{path}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def delete(self, path: str) -> Any:
        answer = await self._http.delete(f"{self._url}/{path}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def fault(self, kind: str, **script: Any) -> Any:
        return await self.post("faults", kind=kind, **script)

    async def ledger(self, payment_hash: str) -> list[Any]:
        items: list[Any] = (await self.get(f"payments/{payment_hash}"))["items"]
        return items

    async def until_started(self, payment_hash: str) -> None:
        """Ask until the core has taken a payment on; each question waits for its answer."""
        while not await self.ledger(payment_hash):
            continue

    async def until_settled(self, payment_hash: str) -> None:
        """Ask until a payment that goes on behind its answer has ended well."""
        async with asyncio.timeout(PATIENCE_S):
            while await self.states(payment_hash) != ["settled"]:
                continue

    async def states(self, payment_hash: str) -> list[str]:
        return [row["state"] for row in await self.ledger(payment_hash)]


class Merchant:
    """The default account, over HTTP as any client does it."""

    def __init__(self, http: httpx.AsyncClient, sandbox: Sandbox) -> None:
        self.http = http
        self.sandbox = sandbox
        account = sandbox.world.accounts.named("merchant")
        assert account is not None
        self.account = account
        self.wallet = sandbox.world.cash_wallet(account).id

    async def raw(self, query: str, variables: Any = None, headers: Any = None) -> httpx.Response:
        body = {"query": query, "variables": variables}
        chosen = SESSION if headers is None else headers
        return await self.http.post(self.sandbox.api_url, json=body, headers=chosen)

    async def ask(self, query: str, variables: Any = None, headers: Any = None) -> Any:
        answer = await self.raw(query, variables, headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def data(self, query: str, variables: Any = None, headers: Any = None) -> Any:
        answer = await self.ask(query, variables, headers)
        assert "errors" not in answer, answer
        return answer["data"]

    def input(self, pr: str, **more: Any) -> dict[str, Any]:
        return {"input": {"walletId": self.wallet, "paymentRequest": pr, **more}}

    async def send(self, pr: str, key: str | None = None, **more: Any) -> Any:
        """Return the payload of one send; its status and errors are what a test looks at."""
        given = self.input(pr, **more)
        if key is not None:
            given["input"]["idempotencyKey"] = key
        return (await self.data(SEND, given))["lnInvoicePaymentSend"]

    async def mutate(self, field: str, kind: str, fields: str, /, **given: Any) -> Any:
        query = f"mutation M($input: {kind}!) {{ {field}(input: $input) {{ {fields} }} }}"
        return (await self.data(query, {"input": given}))[field]

    async def status(self, pr: str) -> Any:
        return (await self.data(STATUS, {"pr": pr}, headers={}))["lnInvoicePaymentStatus"]

    async def rows(self) -> list[Any]:
        data = await self.data(ROWS)
        return [e["node"] for e in data["me"]["defaultAccount"]["transactions"]["edges"]]

    async def cents(self) -> Any:
        data = await self.data("{ me { defaultAccount { wallets { balance } } } }")
        return data["me"]["defaultAccount"]["wallets"][0]["balance"]


class Socket:
    """One websocket that speaks the protocol by hand."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    async def say(self, *messages: Any) -> None:
        for message in messages:
            text = message if isinstance(message, str) else json.dumps(message)
            await self.connection.send(text)

    async def hear(self) -> Any:
        return json.loads(await self.connection.recv())

    async def init(self, token: str | None = None) -> None:
        payload = {} if token is None else {"Authorization": f"Bearer {token}"}
        await self.say({"type": "connection_init", "payload": payload})
        assert (await self.hear())["type"] == "connection_ack"

    async def subscribe(self, query: str, name: str = "1", variables: Any = None) -> None:
        payload = {"query": query, "variables": variables}
        await self.say({"type": "subscribe", "id": name, "payload": payload})

    async def data(self) -> Any:
        """Return the data of the next event."""
        message = await self.hear()
        assert message["type"] == "next", message
        return message["payload"]["data"]

    async def closed(self) -> tuple[int, str]:
        """Wait for the other side to close, and return code and reason (1006: none)."""
        try:
            while True:
                await self.connection.recv()
        except ConnectionClosed as closed:
            received = closed.rcvd
        return (1006, "") if received is None else (received.code, received.reason)


@asynccontextmanager
async def socket(
    sandbox: Sandbox,
    offered: Iterable[str] = ("graphql-transport-ws",),
    headers: dict[str, str] | None = None,
    path: str = "",
) -> AsyncIterator[Socket]:
    names = [Subprotocol(name) for name in offered]
    async with connect(
        sandbox.ws_url + path, subprotocols=names or None, additional_headers=headers
    ) as connection:
        yield Socket(connection)
