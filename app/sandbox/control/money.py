"""Money: deposits, invoices of both kinds, and the ledger of payments."""

from __future__ import annotations

import secrets
from hashlib import sha256
from typing import Any, Final

from coincurve import PrivateKey
from starlette.requests import Request

from app.sandbox import ledger_sql as sql
from app.sandbox.control.given import BadInput, Given
from app.sandbox.control.people import shown_wallet, wallet_of
from app.sandbox.history import PastPayment
from app.sandbox.payment import Script
from app.sandbox.payments import Order
from app.sandbox.world import World
from models.money import NANOUSD_PER_CENT
from services.bolt11_encode import sign_invoice

MAX_ROWS: Final = 10_000
_EXPIRY_S: Final = 3_600


async def _fund(world: World, request: Request) -> Any:
    given = await Given.read(request)
    wallet = wallet_of(world, given.text("wallet", None))
    nanousd = given.number("cents") * NANOUSD_PER_CENT
    given.done()
    entry_id = await world.treasury.deposit(wallet, nanousd)
    return {"transaction_id": entry_id, "wallet": shown_wallet(wallet)}


async def _mint(world: World, request: Request) -> Any:
    given = await Given.read(request)
    payee, amount_msat = given.text("payee"), given.number("amount_msat", None)
    memo, expiry_s = given.text("memo", ""), given.number("expiry_s", _EXPIRY_S)
    given.done()
    invoice = await world.mint(payee.lower(), amount_msat, memo, expiry_s)
    return {
        "pr": invoice.request,
        "hash": invoice.payment_hash,
        "preimage": invoice.preimage,
        "wallet": invoice.wallet_id,
    }


async def _mint_foreign(world: World, request: Request) -> Any:
    given = await Given.read(request)
    amount_msat, memo = given.number("amount_msat", None), given.text("memo", "")
    expiry_s = given.number("expiry_s", _EXPIRY_S)
    key = PrivateKey(bytes.fromhex(given.text("payee_key", secrets.token_hex(32))))
    given.done()
    preimage = secrets.token_bytes(32)
    payment_hash = sha256(preimage)
    text = sign_invoice(
        key.secret,
        amount_msat=amount_msat,
        payment_hash=payment_hash.digest(),
        payment_secret=secrets.token_bytes(32),
        timestamp_s=world.clock.now_s(),
        expiry_s=expiry_s,
        description=memo,
    )
    return {
        "pr": text,
        "hash": payment_hash.hexdigest(),
        "preimage": preimage.hex(),
        "payee": key.public_key.format().hex(),
    }


async def _payments(world: World, request: Request) -> Any:
    query = request.query_params
    since, limit = int(query.get("since", "0")), int(query.get("limit", "1000"))
    rows = world.ledger.rows(sql.LEDGER_SINCE, since, max(1, min(limit, MAX_ROWS)))
    return {"items": rows, "next": rows[-1]["id"] if rows else since}


async def _payments_of(world: World, request: Request) -> Any:
    payment_hash = request.path_params["payment_hash"].lower()
    return {"items": world.ledger.rows(sql.LEDGER_OF_HASH, payment_hash)}


async def _pay(world: World, request: Request) -> Any:
    given = await Given.read(request)
    text, amount_msat = given.text("pr"), given.number("amount_msat", None)
    given.done()
    invoice = world.invoices.decode(text)
    amount_msat = invoice.amount_msat if amount_msat is None else amount_msat
    if amount_msat is None or world.invoices.find(invoice.payment_hash) is None:
        raise BadInput("only a home invoice with an amount can be paid by a stranger")
    script = Script(row_delay_ms=world.settings.visible_ms)
    payment = world.payments.start(Order(None, "stranger", invoice, amount_msat, script))
    return {"hash": invoice.payment_hash, "state": await payment.landed}


async def _settle(world: World, request: Request) -> Any:
    given = await Given.read(request)
    payment_hash, outcome = given.text("hash"), given.text("outcome", "settled")
    given.done()
    payment = world.payments.live(payment_hash)
    if payment is None or outcome not in ("settled", "failed"):
        raise BadInput("there is no such payment under way, or no such outcome")
    world.payments.end(payment, is_settled=outcome == "settled", reason="control")
    return {"hash": payment_hash, "state": await payment.landed}


async def _history(world: World, request: Request) -> Any:
    given = await Given.read(request)
    wallet = wallet_of(world, given.text("wallet", None))
    items = given.items("items")
    given.done()
    try:
        past = [PastPayment(**item) for item in items]
    except TypeError as error:
        raise BadInput(str(error)) from None
    return {"booked": await world.history.book(wallet, past), "wallet": shown_wallet(wallet)}


ROUTES: Final = {
    "POST fund": _fund,
    "POST invoices": _mint,
    "POST foreign-invoices": _mint_foreign,
    "GET payments": _payments,
    "GET payments/{payment_hash}": _payments_of,
    "POST pay": _pay,
    "POST settle": _settle,
    "POST history": _history,
}
