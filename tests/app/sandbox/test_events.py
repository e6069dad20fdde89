"""What really arrives: prices, receipts, the state of invoices, and nothing of what goes out."""

from __future__ import annotations

import pytest

from app.sandbox.server import Sandbox
from tests.app.sandbox.actors import TOKEN, Hand, Merchant, Socket, foreign, socket

UPDATES = """subscription { myUpdates { errors { message } me { username } update {
  __typename
  ... on LnUpdate { paymentHash status walletId }
  ... on RealtimePrice { denominatorCurrency btcSatPrice { base offset } }
  ... on Price { base offset currencyUnit formattedAmount } } } }"""
INVOICE = """subscription Follow($pr: LnPaymentRequest!) {
  lnInvoicePaymentStatus(input: {paymentRequest: $pr}) { status errors { code } } }"""


async def updates(other: Socket, token: str = TOKEN) -> None:
    """Subscribe, and take the first two prices off."""
    await other.init(token)
    await other.subscribe(UPDATES)
    assert [await kind(other), await kind(other)] == ["Price", "RealtimePrice"]


async def update(other: Socket) -> dict[str, object]:
    return dict((await other.data())["myUpdates"]["update"])


async def kind(other: Socket) -> str:
    return str((await update(other))["__typename"])


async def status(other: Socket) -> object:
    return (await other.data())["lnInvoicePaymentStatus"]["status"]


async def test_the_first_events_are_prices_and_the_older_one_names_nobody(
    sandbox: Sandbox,
) -> None:
    async with socket(sandbox) as other:
        await other.init(TOKEN)
        await other.subscribe(UPDATES)
        old, new = [(await other.data())["myUpdates"] for _ in range(2)]

    assert (old["me"], new["me"]) == (None, {"username": "merchant"})
    assert old["update"] == {
        "__typename": "Price",
        "base": 10**11,
        "offset": 12,
        "currencyUnit": "USDCENT",
        "formattedAmount": "0.1",
    }
    assert new["update"]["btcSatPrice"] == {"base": 10**11, "offset": 12}


async def test_a_new_subscription_sends_its_prices_to_the_others_of_the_account(
    sandbox: Sandbox,
) -> None:
    async with socket(sandbox) as first, socket(sandbox) as second:
        await updates(first)
        await updates(second)

        assert [await kind(first), await kind(first)] == ["Price", "RealtimePrice"]


async def test_prices_come_with_every_period(sandbox: Sandbox) -> None:
    async with socket(sandbox) as other:
        await updates(other)
        await sandbox.world.advance_clock(30_000)

        assert [await kind(other), await kind(other)] == ["Price", "RealtimePrice"]


async def test_a_display_currency_that_is_not_the_dollar_has_no_older_price(
    sandbox: Sandbox, hand: Hand
) -> None:
    jane = await hand.post("accounts", username="jane", display_currency="JMD")

    async with socket(sandbox) as other:
        await other.init(jane["token"])
        await other.subscribe(UPDATES)
        price = await update(other)

    assert (price["__typename"], price["denominatorCurrency"]) == ("RealtimePrice", "JMD")


async def test_money_that_comes_in_is_told_with_its_hash_and_wallet(
    sandbox: Sandbox, hand: Hand, merchant: Merchant
) -> None:
    invoice = await hand.post("invoices", payee="merchant", amount_msat=9_000)

    async with socket(sandbox) as other:
        await updates(other)
        await hand.post("pay", pr=invoice["pr"])

        assert await update(other) == {
            "__typename": "LnUpdate",
            "paymentHash": invoice["hash"],
            "status": "PAID",
            "walletId": merchant.wallet,
        }


async def test_nothing_is_ever_told_about_money_that_goes_out(
    sandbox: Sandbox, hand: Hand, merchant: Merchant
) -> None:
    home = await hand.post("invoices", payee="alice", amount_msat=9_000)

    async with socket(sandbox) as other:
        await updates(other)
        await merchant.send(home["pr"])
        await merchant.send(foreign().pr)
        await other.say({"type": "ping"})

        assert await other.hear() == {"type": "pong"}


async def test_a_payee_on_flash_is_told(sandbox: Sandbox, hand: Hand, merchant: Merchant) -> None:
    bob = await hand.post("accounts", username="bob")
    invoice = await hand.post("invoices", payee="bob", amount_msat=9_000)

    async with socket(sandbox) as other:
        await updates(other, bob["token"])
        await merchant.send(invoice["pr"])

        assert (await update(other))["paymentHash"] == invoice["hash"]


async def test_an_invoice_is_followed_without_a_token(
    sandbox: Sandbox, hand: Hand, merchant: Merchant
) -> None:
    invoice = await hand.post("invoices", payee="alice", amount_msat=9_000)

    async with socket(sandbox) as other:
        await other.init()
        await other.subscribe(INVOICE, variables={"pr": invoice["pr"]})
        before = await status(other)
        await merchant.send(invoice["pr"])

        assert (before, await status(other)) == ("PENDING", "PAID")


async def test_expired_follows_once_per_follower_even_after_paid(
    sandbox: Sandbox, hand: Hand, merchant: Merchant
) -> None:
    invoice = await hand.post("invoices", payee="alice", amount_msat=9_000, expiry_s=60)

    async with socket(sandbox) as one, socket(sandbox) as two:
        for other in (one, two):
            await other.init()
            await other.subscribe(INVOICE, variables={"pr": invoice["pr"]})
            assert await status(other) == "PENDING"
        assert await status(one) == "PENDING"
        await merchant.send(invoice["pr"])
        await sandbox.world.advance_clock(62_000)

        assert [await status(two) for _ in range(3)] == ["PAID", "EXPIRED", "EXPIRED"]
        assert (await merchant.status(invoice["pr"]))["status"] == "PAID"


async def test_a_paid_invoice_is_told_at_once_and_does_not_expire(
    sandbox: Sandbox, hand: Hand, merchant: Merchant
) -> None:
    invoice = await hand.post("invoices", payee="alice", amount_msat=9_000, expiry_s=60)
    await merchant.send(invoice["pr"])

    async with socket(sandbox) as other:
        await other.init()
        await other.subscribe(INVOICE, variables={"pr": invoice["pr"]})
        assert await status(other) == "PAID"
        await sandbox.world.advance_clock(120_000)
        await other.say({"type": "ping"})

        assert await other.hear() == {"type": "pong"}


async def test_following_a_foreign_invoice_tells_only_an_error(sandbox: Sandbox) -> None:
    async with socket(sandbox) as other:
        await other.init()
        await other.subscribe(INVOICE, variables={"pr": foreign().pr})

        assert (await other.data())["lnInvoicePaymentStatus"] == {
            "status": None,
            "errors": [{"code": "IBEX_ERROR"}],
        }


@pytest.mark.parametrize(
    ("fault", "seen"),
    [
        ("lost_event", ["pong"]),
        ("duplicate_event", ["LnUpdate", "LnUpdate", "pong"]),
        ("late_event", ["pong", "LnUpdate"]),
    ],
)
async def test_an_event_can_be_lost_doubled_or_late(
    sandbox: Sandbox, hand: Hand, fault: str, seen: list[str]
) -> None:
    invoice = await hand.post("invoices", payee="merchant", amount_msat=9_000)
    await hand.fault(fault, match={"payment_hash": invoice["hash"]})

    async with socket(sandbox) as other:
        await updates(other)
        await hand.post("pay", pr=invoice["pr"])
        await other.say({"type": "ping"})
        heard: list[str] = []
        for each in seen:
            if heard and heard[-1] == "pong":
                await sandbox.world.advance_clock(2_000)
            heard.append("pong" if each == "pong" else await kind(other))
            if each == "pong":
                assert await other.hear() == {"type": "pong"}

    assert heard == seen


async def test_expired_can_follow_paid_at_once(sandbox: Sandbox, hand: Hand) -> None:
    invoice = await hand.post("invoices", payee="alice", amount_msat=9_000)
    await hand.fault("expired_after_paid")

    async with socket(sandbox) as other:
        await other.init()
        await other.subscribe(INVOICE, variables={"pr": invoice["pr"]})
        assert await status(other) == "PENDING"
        await hand.post("pay", pr=invoice["pr"])

        assert [await status(other), await status(other)] == ["PAID", "EXPIRED"]


@pytest.mark.parametrize("code", [1006, 1001])
async def test_all_sockets_can_restart_just_before_an_event(
    sandbox: Sandbox, hand: Hand, code: int
) -> None:
    invoice = await hand.post("invoices", payee="merchant", amount_msat=9_000)
    await hand.fault("socket_restart", code=code, times=1)

    async with socket(sandbox) as other:
        await updates(other)
        await hand.post("pay", pr=invoice["pr"])

        assert (await other.closed())[0] == code


async def test_a_slow_ack_and_a_hiccup_at_the_start_can_be_had(
    sandbox: Sandbox, hand: Hand
) -> None:
    await hand.fault("slow_ack", delay_ms=30, times=1)
    await hand.fault("auth_hiccup", times=1)

    async with socket(sandbox) as hurt, socket(sandbox) as well:
        await hurt.init(TOKEN)
        await hurt.subscribe(UPDATES)
        answer = await hurt.hear()
        await updates(well)

    assert answer["payload"]["errors"][0]["extensions"] == {"code": "NOT_AUTHENTICATED"}
