"""`/_control/*`: the strings behind the sandbox, for tests, demos and whoever judges a run.

| call | body or query | answer |
|---|---|---|
| `GET state` | | accounts, tokens, wallets, balances, price, clock, cutover, totals |
| `GET audit` | | what does not add up in the ledger |
| `POST accounts` | username, display_currency? | the account with a token |
| `POST keys` | username?, scopes?, per_minute?, expires_s? | an API key's text |
| `POST tokens/revoke` | token | whether it was alive |
| `POST fund` | wallet?, cents | the wallet after the deposit |
| `POST invoices` | payee, amount_msat?, memo?, expiry_s? | pr, hash and preimage |
| `POST foreign-invoices` | amount_msat?, memo?, expiry_s?, payee_key? | pr, hash, preimage |
| `GET payments` | since?, limit?, hash? | ledger rows, next |
| `GET payments/{hash}` | | the rows of one hash |
| `POST pay` | pr, amount_msat? | a stranger pays a home invoice |
| `POST settle` | hash, outcome=settled or failed | ends a payment under way |
| `GET faults`, `POST faults`, `DELETE faults`, `DELETE faults/{id}` | a fault | what is armed |
| `POST clock` | advance_s or advance_ms | the sandbox's time |
| `POST price` | usd_per_btc or nanousd_per_btc, hold? | the price; publishes it |
| `POST cutover` | state | PRE, IN_PROGRESS, COMPLETE or ROLLED_BACK |
| `POST latency` | low_ms, high_ms | how long payments take from now on |
| `POST sockets/drop` | code?, http? | how many sockets were cut |
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from hashlib import sha256
from typing import Any, Final, get_args

import orjson
from coincurve import PrivateKey
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.sandbox import ledger_sql as sql
from app.sandbox.accounts import Account, Wallet
from app.sandbox.control_input import BadInput, Input
from app.sandbox.payment import CannotPay, Script
from app.sandbox.payments import Order
from app.sandbox.price import NANOUSD_PER_DOLLAR
from app.sandbox.ticker import PriceTicker
from app.sandbox.world import DEFAULT_USERNAME, CutoverState, World
from app.sandbox.writer import LedgerBusy
from models.errors import InvoiceError
from models.money import NANOUSD_PER_CENT
from services.bolt11_encode import sign_invoice

MAX_ROWS: Final = 10_000
_LOCAL: Final = ("127.0.0.1", "localhost", "::1")
_EXPIRY_S: Final = 3_600
_SCOPES: Final = "read:user write:wallet read:transactions"

Handler = Callable[[Request], Awaitable[Any]]


class Control:
    """The control API of one world."""

    def __init__(self, world: World, ticker: PriceTicker) -> None:
        self._world = world
        self._ticker = ticker
        # Set by the socket server and the web server, which know their connections.
        self.drop_sockets: Callable[[int], int] = lambda _code: 0
        self.drop_calls: Callable[[], None] = lambda: None

    def routes(self) -> list[Route]:
        """Return the routes under `/_control`."""
        table: list[tuple[str, str, Handler]] = [
            ("GET", "state", self._state),
            ("GET", "audit", self._audit),
            ("POST", "accounts", self._add_account),
            ("POST", "keys", self._add_key),
            ("POST", "tokens/revoke", self._revoke),
            ("POST", "fund", self._fund),
            ("POST", "invoices", self._mint),
            ("POST", "foreign-invoices", self._mint_foreign),
            ("GET", "payments", self._payments),
            ("GET", "payments/{payment_hash}", self._payments_of),
            ("POST", "pay", self._pay),
            ("POST", "settle", self._settle),
            ("GET", "faults", self._faults),
            ("POST", "faults", self._add_fault),
            ("DELETE", "faults", self._clear_faults),
            ("DELETE", "faults/{fault_id:int}", self._clear_faults),
            ("POST", "clock", self._advance),
            ("POST", "price", self._set_price),
            ("POST", "cutover", self._set_cutover),
            ("POST", "latency", self._set_latency),
            ("POST", "sockets/drop", self._drop),
        ]
        return [
            Route(f"/_control/{path}", _json(handler), methods=[method])
            for method, path, handler in table
        ]

    async def _state(self, _request: Request) -> Any:
        world = self._world
        merchant = self._account(DEFAULT_USERNAME)
        return {
            "default_account": self._shown(merchant),
            "accounts": [self._shown(account) for account in world.accounts],
            "nanousd_per_btc": world.nanousd_per_btc(),
            "now_ms": world.clock.now_ms(),
            "cutover": world.cutover,
            "profile": world.settings.profile,
            "faults": world.faults.armed(),
            "totals": world.ledger.rows(sql.TOTALS),
        }

    async def _audit(self, _request: Request) -> Any:
        found = self._world.ledger.audit()
        return {"is_clean": not any(found.values())} | found

    async def _add_account(self, request: Request) -> Any:
        given = await Input.read(request)
        username, currency = given.text("username"), given.text("display_currency", "USD")
        given.done()
        world = self._world
        now_ms = world.clock.now_ms()
        account, statements = world.accounts.create(username.lower(), currency, now_ms)
        _, more = world.sessions.start(account.id, now_ms)
        await world.ledger.writer.commit([*statements, *more])
        return self._shown(account)

    async def _add_key(self, request: Request) -> Any:
        given = await Input.read(request)
        account = self._account(given.text("username", DEFAULT_USERNAME))
        scopes, per_minute = given.text("scopes", _SCOPES), given.number("per_minute", None)
        expires_s = given.number("expires_s", None)
        given.done()
        world = self._world
        now_ms = world.clock.now_ms()
        expires_ms = None if expires_s is None else now_ms + expires_s * 1000
        key, text, statements = world.keys.create(
            account.id,
            "sandbox",
            scopes.split(),
            now_ms,
            expires_ms=expires_ms,
            per_minute=per_minute,
        )
        await world.ledger.writer.commit(statements)
        return {"id": key.id, "api_key": text, "scopes": sorted(key.scopes)}

    async def _revoke(self, request: Request) -> Any:
        given = await Input.read(request)
        token = given.text("token")
        given.done()
        statements = self._world.sessions.revoke(token, self._world.clock.now_ms())
        await self._world.ledger.writer.commit(statements)
        return {"revoked": bool(statements)}

    async def _fund(self, request: Request) -> Any:
        given = await Input.read(request)
        merchant = self._account(DEFAULT_USERNAME)
        wallet = self._wallet(given.text("wallet", self._world.cash_wallet(merchant).id))
        nanousd = given.number("cents") * NANOUSD_PER_CENT
        given.done()
        entry_id = await self._world.treasury.deposit(wallet, nanousd)
        return {"transaction_id": entry_id, "wallet": _wallet_shown(wallet)}

    async def _mint(self, request: Request) -> Any:
        given = await Input.read(request)
        payee, amount_msat = given.text("payee"), given.number("amount_msat", None)
        memo, expiry_s = given.text("memo", ""), given.number("expiry_s", _EXPIRY_S)
        given.done()
        invoice = await self._world.mint(payee.lower(), amount_msat, memo, expiry_s)
        return {
            "pr": invoice.request,
            "hash": invoice.payment_hash,
            "preimage": invoice.preimage,
            "wallet": invoice.wallet_id,
        }

    async def _mint_foreign(self, request: Request) -> Any:
        given = await Input.read(request)
        amount_msat, memo = given.number("amount_msat", None), given.text("memo", "")
        expiry_s = given.number("expiry_s", _EXPIRY_S)
        key = bytes.fromhex(given.text("payee_key", secrets.token_hex(32)))
        given.done()
        preimage = secrets.token_bytes(32)
        request_text = sign_invoice(
            key,
            amount_msat=amount_msat,
            payment_hash=sha256(preimage).digest(),
            payment_secret=secrets.token_bytes(32),
            timestamp_s=self._world.clock.now_s(),
            expiry_s=expiry_s,
            description=memo,
        )
        return {
            "pr": request_text,
            "hash": sha256(preimage).hexdigest(),
            "preimage": preimage.hex(),
            "payee": PrivateKey(key).public_key.format().hex(),
        }

    async def _payments(self, request: Request) -> Any:
        query = request.query_params
        since, limit = int(query.get("since", "0")), int(query.get("limit", "1000"))
        rows = self._world.ledger.rows(sql.LEDGER_SINCE, since, max(1, min(limit, MAX_ROWS)))
        return {"items": rows, "next": rows[-1]["id"] if rows else since}

    async def _payments_of(self, request: Request) -> Any:
        payment_hash = request.path_params["payment_hash"].lower()
        return {"items": self._world.ledger.rows(sql.LEDGER_OF_HASH, payment_hash)}

    async def _pay(self, request: Request) -> Any:
        given = await Input.read(request)
        text, amount_msat = given.text("pr"), given.number("amount_msat", None)
        given.done()
        invoice = self._world.invoices.decode(text)
        amount_msat = invoice.amount_msat if amount_msat is None else amount_msat
        if amount_msat is None or self._world.invoices.find(invoice.payment_hash) is None:
            raise BadInput("only a home invoice with an amount can be paid by a stranger")
        script = Script(row_delay_ms=self._world.settings.visible_ms)
        order = Order(None, "stranger", invoice, amount_msat, script)
        state = await self._world.payments.start(order).landed
        return {"hash": invoice.payment_hash, "state": state}

    async def _settle(self, request: Request) -> Any:
        given = await Input.read(request)
        payment_hash, outcome = given.text("hash"), given.text("outcome", "settled")
        given.done()
        payment = self._world.payments.live(payment_hash)
        if payment is None or outcome not in ("settled", "failed"):
            raise BadInput("there is no such payment under way, or no such outcome")
        self._world.payments.end(payment, is_settled=outcome == "settled", reason="control")
        return {"hash": payment_hash, "state": await payment.landed}

    async def _faults(self, _request: Request) -> Any:
        return {"items": self._world.faults.armed()}

    async def _add_fault(self, request: Request) -> Any:
        fault = self._world.faults.add((await Input.read(request)).everything())
        await self._world.ledger.writer.flush()
        return fault.script()

    async def _clear_faults(self, request: Request) -> Any:
        cleared = self._world.faults.clear(request.path_params.get("fault_id"))
        await self._world.ledger.writer.flush()
        return {"cleared": cleared}

    async def _advance(self, request: Request) -> Any:
        given = await Input.read(request)
        ms = given.number("advance_s", 0) * 1000 + given.number("advance_ms", 0)
        given.done()
        await self._world.advance_clock(ms)
        await self._world.ledger.writer.flush()
        return {"now_ms": self._world.clock.now_ms()}

    async def _set_price(self, request: Request) -> Any:
        given = await Input.read(request)
        dollars, nanousd = given.number("usd_per_btc", 0), given.number("nanousd_per_btc", 0)
        is_held = given.flag("hold", default=True)
        given.done()
        await self._world.set_price(dollars * NANOUSD_PER_DOLLAR + nanousd, is_held=is_held)
        self._ticker.publish()
        return {"nanousd_per_btc": self._world.nanousd_per_btc()}

    async def _set_cutover(self, request: Request) -> Any:
        given = await Input.read(request)
        state = given.text("state")
        given.done()
        if state not in get_args(CutoverState):
            raise BadInput(f"a cutover is one of {', '.join(get_args(CutoverState))}")
        await self._world.set_cutover(state)
        return {"cutover": self._world.cutover}

    async def _set_latency(self, request: Request) -> Any:
        given = await Input.read(request)
        latency_ms = (given.number("low_ms"), given.number("high_ms"))
        given.done()
        if not 0 <= latency_ms[0] <= latency_ms[1]:
            raise BadInput("low_ms is not above high_ms, and neither below zero")
        self._world.latency_ms = latency_ms
        return {"low_ms": latency_ms[0], "high_ms": latency_ms[1]}

    async def _drop(self, request: Request) -> Any:
        given = await Input.read(request)
        code, with_http = given.number("code", 1006), given.flag("http", default=False)
        given.done()
        dropped = self.drop_sockets(code)
        if with_http:
            self.drop_calls()
        return {"dropped": dropped}

    def _account(self, username: str) -> Account:
        account = self._world.accounts.named(username)
        if account is None:
            raise BadInput(f"there is no account {username}")
        return account

    def _wallet(self, wallet_id: str) -> Wallet:
        try:
            return self._world.accounts.wallet(wallet_id)
        except KeyError:
            raise BadInput(f"there is no wallet {wallet_id}") from None

    def _shown(self, account: Account) -> dict[str, Any]:
        tokens = self._world.sessions.of_account(account.id, self._world.clock.now_ms())
        return {
            "id": account.id,
            "username": account.username,
            "token": tokens[-1] if tokens else None,
            "tokens": tokens,
            "wallet": self._world.cash_wallet(account).id,
            "wallets": [_wallet_shown(wallet) for wallet in account.wallets.values()],
        }


def _wallet_shown(wallet: Wallet) -> dict[str, Any]:
    return {
        "id": wallet.id,
        "currency": wallet.currency,
        "book_nanousd": wallet.book_nanousd,
        "held_nanousd": wallet.held_nanousd,
        "balance_nanousd": wallet.balance_nanousd,
    }


def _json(handler: Handler) -> Handler:
    """Answer in JSON, only to this machine, and say in one line what was wrong."""

    async def endpoint(request: Request) -> Response:
        if request.url.hostname not in _LOCAL:
            return _response({"error": "the control API answers this machine only"}, 403)
        try:
            return _response(await handler(request))
        except (BadInput, CannotPay, InvoiceError, ValueError) as error:
            return _response({"error": str(error)}, 422)
        except LedgerBusy:
            return _response({"error": "the ledger is busy"}, 503)

    return endpoint


def _response(value: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(value), status, media_type="application/json")
