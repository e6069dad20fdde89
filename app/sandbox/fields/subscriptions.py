"""The four subscriptions; each is a stream of the hub's events, and none ends by itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Final

from graphql import GraphQLError

from app.sandbox.accounts import Account
from app.sandbox.caller import Call
from app.sandbox.events import PRICE_TICKS, account_topic, invoice_topic, price_topic
from app.sandbox.fields.prices import is_known, price_updates, realtime_price, sat_price
from app.sandbox.fields.receiving import invoice_status
from app.sandbox.problems import UNDECODABLE, Problem
from app.sandbox.scalars import ScalarFault
from models.errors import InvoiceError

_MAX_SATS: Final = 1_000_000
_UNSUPPORTED: Final = Problem("Unsupported exchange unit")
_TOO_MUCH: Final = Problem("Unsupported exchange amount")


def _my_updates(call: Call) -> AsyncIterator[Any]:
    account = call.caller.account
    if account is None:
        raise GraphQLError(
            "Not Authenticated for subscription", extensions={"code": "NOT_AUTHENTICATED"}
        )
    return _account_events(call, account)


async def _account_events(call: Call, account: Account) -> AsyncIterator[Any]:
    """Follow money and prices; the account's first prices go to all its sockets."""
    world, currency = call.world, account.display_currency
    with world.hub.listen(account_topic(account.id), price_topic(currency)) as feed:
        world.events.first_prices(account.id, price_updates(world, currency))
        async for update in feed:
            me = None if update["__typename"] == "Price" else account
            yield {"errors": [], "me": me, "update": update}


async def _ln_invoice_payment_status(call: Call, **args: Any) -> AsyncIterator[Any]:
    request = args["input"]["paymentRequest"]
    if isinstance(request, ScalarFault):
        yield {"errors": [{"message": request.message}], "status": None}
        return
    try:
        invoice = call.world.invoices.decode(request)
    except InvoiceError:
        yield {"errors": [UNDECODABLE.shown()], "status": None}
        return
    with call.world.hub.listen(invoice_topic(invoice.payment_hash)) as feed:
        status = invoice_status(call.world, invoice)
        expires_ms = invoice.expires_at_s * 1000
        call.world.events.follow_invoice(invoice.payment_hash, status, expires_ms)
        async for event in feed:
            yield event


async def _realtime_price(call: Call, **args: Any) -> AsyncIterator[Any]:
    currency = args["input"]["currency"]
    if isinstance(currency, ScalarFault) or not is_known(currency):
        message = currency.message if isinstance(currency, ScalarFault) else "No such currency"
        yield {"errors": [{"message": message}], "realtimePrice": None}
        return
    with call.world.hub.listen(PRICE_TICKS) as feed:
        yield {"errors": [], "realtimePrice": realtime_price(call.world, currency)}
        async for _ in feed:
            yield {"errors": [], "realtimePrice": realtime_price(call.world, currency)}


async def _price(call: Call, **args: Any) -> AsyncIterator[Any]:
    given = args["input"]
    sats = given["amount"]
    if isinstance(sats, ScalarFault):
        yield {"errors": [{"message": sats.message}], "price": None}
        return
    if (given["amountCurrencyUnit"], given["priceCurrencyUnit"]) != ("BTCSAT", "USDCENT"):
        yield {"errors": [_UNSUPPORTED.shown()], "price": None}
        return
    if sats >= _MAX_SATS:
        yield {"errors": [_TOO_MUCH.shown()], "price": None}
        return
    with call.world.hub.listen(PRICE_TICKS) as feed:
        yield {"errors": [], "price": sat_price(call.world, sats)}
        async for _ in feed:
            yield {"errors": [], "price": sat_price(call.world, sats)}


SUBSCRIBERS: Final = {
    "myUpdates": _my_updates,
    "lnInvoicePaymentStatus": _ln_invoice_payment_status,
    "realtimePrice": _realtime_price,
    "price": _price,
}
