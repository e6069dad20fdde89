"""Questions to Flash and sends through it, over a real socket."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from models.errors import GatewayError
from models.flash import FlashConnection, InvoiceStatus
from models.payout import SendAnswer
from services.flash import client as clients
from services.flash.client import FlashClient
from services.flash.invoice_status import read_status
from services.flash.price import read_price
from tests.support.sandbox import USD_PER_BTC, FlashAccount, Hand

Q, A = InvoiceStatus, SendAnswer


async def test_the_wallet_that_pays_is_found_with_its_balance(
    client: FlashClient, account: FlashAccount
) -> None:
    found = await client.fetch_wallet()

    assert found.flash_wallet_id == account.wallet
    assert found.currency in {"USD", "USDT"}
    assert found.balance_nanousd == 10_000_000 * 10_000_000
    assert client.is_sandbox
    assert client.has_answered


@pytest.mark.parametrize("kind", ["balance_null", "balance_zero"])
async def test_a_balance_that_flash_does_not_tell_is_not_made_up(
    client: FlashClient, hand: Hand, kind: str
) -> None:
    await hand.fault(kind)

    found = await client.fetch_wallet()

    assert found.balance_nanousd == (None if kind == "balance_null" else 0)


async def test_a_wrong_credential_is_no_wallet(hand: Hand, account: FlashAccount) -> None:
    connection = replace(hand.connection(account), token="wrong")
    stranger = FlashClient(connection)
    await stranger.open()

    with pytest.raises(GatewayError):
        await stranger.fetch_wallet()
    assert "wrong" not in repr(connection)
    await stranger.close()


async def test_the_price_of_a_sat_is_a_ratio_of_whole_numbers(client: FlashClient) -> None:
    rate = await client.fetch_price("USD")

    cents = USD_PER_BTC * 100
    assert rate.numerator * 100_000_000 == cents * rate.denominator
    assert (rate.currency, rate.source) == ("USD", "flash")
    assert type(rate.numerator) is int


async def test_an_unknown_currency_has_no_price(client: FlashClient) -> None:
    with pytest.raises(GatewayError):
        await client.fetch_price("XXX")


async def test_flash_knows_its_own_invoices_only(client: FlashClient, hand: Hand) -> None:
    home, foreign = await hand.home_invoice(), await hand.foreign_invoice()
    over = await hand.home_invoice(expiry_s=1)
    asked = [await client.ask_status(home.pr), await client.ask_status(foreign.pr)]

    await hand.post("pay", pr=home.pr)
    await hand.advance(2)

    asked += [await client.ask_status(home.pr), await client.ask_status(over.pr)]
    assert asked == [Q.PENDING, Q.NOT_OURS, Q.PAID, Q.EXPIRED]


async def test_a_send_and_its_repeat_under_one_key_pay_once(
    client: FlashClient, hand: Hand, account: FlashAccount
) -> None:
    minted = await hand.foreign_invoice()

    outcomes = [await client.send_invoice(account.wallet, minted.pr, "key") for _ in range(3)]

    assert [outcome.answer for outcome in outcomes] == [A.SETTLED] * 3
    assert await hand.times_paid(minted.hash) == 1


@pytest.mark.parametrize(
    ("kind", "script"),
    [
        ("http_500", {}),
        ("http_502", {"executed": False}),
        ("ingress_503", {}),
        ("response_lost", {"executed": False}),
        ("http_429", {}),
        ("http_401", {}),
        ("invalid_json", {"executed": False}),
    ],
)
async def test_the_library_never_repeats_a_send(
    client: FlashClient, hand: Hand, account: FlashAccount, kind: str, script: dict[str, Any]
) -> None:
    minted = await hand.foreign_invoice()
    await hand.fault(kind, match={"payment_hash": minted.hash}, **script)

    await client.send_invoice(account.wallet, minted.pr, "key")

    (fault,) = (await hand.get("faults"))["items"]
    assert fault["seen"] == 1
    assert await hand.payments(minted.hash) == []


async def test_a_send_without_an_answer_in_time_is_unknown(
    client: FlashClient, hand: Hand, account: FlashAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Flash's gateway gives up after half a minute, and so do we; nobody waits for that here.
    monkeypatch.setattr(clients, "SEND_TIMEOUT_S", 0.2)
    minted = await hand.foreign_invoice()
    await hand.fault("slow_answer", delay_ms=5_000, match={"payment_hash": minted.hash})

    outcome = await client.send_invoice(account.wallet, minted.pr, "key")

    assert (outcome.answer, outcome.code) == (A.UNKNOWN, "timeout")
    assert await hand.times_paid(minted.hash) == 1


async def test_where_nobody_listens_a_send_is_unknown_and_a_question_unanswered() -> None:
    nowhere = FlashClient(FlashConnection("http://127.0.0.1:1/graphql", "ws://127.0.0.1:1", "t"))
    await nowhere.open()

    outcome = await nowhere.send_invoice("wallet", "lnbc1", "key")
    assert outcome.answer is A.UNKNOWN
    with pytest.raises(GatewayError):
        await nowhere.fetch_price("USD")
    assert not nowhere.has_answered
    await nowhere.close()


@pytest.mark.parametrize("kind", ["http_500", "html_body", "invalid_json", "response_lost"])
async def test_a_question_without_a_usable_answer_is_a_gateway_error(
    client: FlashClient, hand: Hand, kind: str
) -> None:
    await hand.fault(kind)
    minted = await hand.home_invoice()

    for asked in (
        client.fetch_wallet(),
        client.fetch_price("USD"),
        client.ask_status(minted.pr),
        client.fetch_statement("wallet"),
    ):
        with pytest.raises(GatewayError):
            await asked


async def test_a_probe_says_what_a_payment_costs_or_that_there_is_no_way(
    client: FlashClient, hand: Hand, account: FlashAccount
) -> None:
    foreign = await hand.foreign_invoice(expiry_s=60)
    yes = await client.probe_fee(account.wallet, foreign.pr)
    await hand.advance(61)

    no = await client.probe_fee(account.wallet, foreign.pr)

    assert not yes.refused
    assert yes.fee_cents is not None
    assert Decimal(yes.fee_cents) >= 0
    assert (no.refused, no.code) == (True, "probe_refused")


async def test_a_probe_without_an_answer_refuses_nothing(
    client: FlashClient, hand: Hand, account: FlashAccount
) -> None:
    await hand.fault("http_502")

    assert not (await client.probe_fee(account.wallet, (await hand.home_invoice()).pr)).refused


async def test_the_statement_lists_what_left_and_what_came(
    client: FlashClient, hand: Hand, account: FlashAccount
) -> None:
    minted = await hand.home_invoice(1_000)
    await client.send_invoice(account.wallet, minted.pr, "key")

    rows = await client.fetch_statement(account.wallet)

    (sent,) = [row for row in rows if row.is_send]
    assert sent.amount_nanousd == 1_000_000_000
    assert len(rows) == 2


async def test_a_flash_of_a_year_ago_pays_without_keys(old_hand: Hand) -> None:
    account = await old_hand.open_account(cents=100_000)
    old = FlashClient(old_hand.connection(account))
    await old.open()
    minted = await old_hand.home_invoice()

    wallet = await old.fetch_wallet()
    first = await old.send_invoice(wallet.flash_wallet_id, minted.pr, "key")
    second = await old.send_invoice(wallet.flash_wallet_id, minted.pr, "key")
    await old.close()

    assert wallet.currency == "USD"
    assert (first.answer, first.code, old.takes_keys) == (A.NOT_EXECUTED, "no_keys", False)
    assert second.answer is A.SETTLED
    assert await old_hand.times_paid(minted.hash) == 1


@pytest.mark.parametrize(
    ("payload", "ratio"),
    [
        ({"timestamp": 1, "btcSatPrice": {"base": 5, "offset": 2}}, (5, 100)),
        ({"timestamp": "1", "btcSatPrice": {"base": "5", "offset": "0"}}, (5, 1)),
        ({"timestamp": 1, "btcSatPrice": {"base": 0, "offset": 2}}, None),
        ({"timestamp": 1, "btcSatPrice": {"base": -5, "offset": 2}}, None),
        ({"timestamp": 1, "btcSatPrice": {"base": 5, "offset": 19}}, None),
        ({"timestamp": 1, "btcSatPrice": {"base": 5, "offset": -1}}, None),
        ({"timestamp": 1, "btcSatPrice": {"base": "five", "offset": 2}}, None),
        ({"timestamp": None, "btcSatPrice": {"base": 5, "offset": 2}}, None),
        ({"btcSatPrice": None}, None),
        (None, None),
    ],
)
def test_only_a_price_that_makes_sense_is_read(payload: Any, ratio: tuple[int, int] | None) -> None:
    rate = read_price(payload, "USD")

    assert (None if rate is None else (rate.numerator, rate.denominator)) == ratio


@pytest.mark.parametrize(
    ("payload", "status"),
    [
        ({"status": "PENDING", "errors": []}, Q.PENDING),
        ({"status": "PAID"}, Q.PAID),
        ({"status": "EXPIRED"}, Q.EXPIRED),
        ({"status": None, "errors": [{"code": "IBEX_ERROR", "message": "x"}]}, Q.NOT_OURS),
        ({"status": "NEWS"}, None),
        ({"status": None, "errors": []}, None),
        (None, None),
    ],
)
def test_only_a_status_that_we_know_is_read(payload: Any, status: InvoiceStatus | None) -> None:
    assert read_status(payload) is status


async def test_a_limited_question_says_nothing_of_an_invoice(
    client: FlashClient, hand: Hand
) -> None:
    minted = await hand.home_invoice()
    await hand.fault("key_limited", times=1)

    with pytest.raises(GatewayError, match="slow down"):
        await client.ask_status(minted.pr)

    assert await client.ask_status(minted.pr) is Q.PENDING
