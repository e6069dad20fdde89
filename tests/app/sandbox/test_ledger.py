"""The ledger file: it only grows, it adds up, it shows double payments, and it survives."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from app.sandbox.ledger import LedgerInUse
from app.sandbox.server import Sandbox, open_sandbox
from app.sandbox.settings import SandboxSettings
from tests.app.sandbox.actors import Hand, Merchant, foreign


@pytest.fixture
def judge(sandbox: Sandbox) -> Iterator[sqlite3.Connection]:
    """Somebody who reads the file from outside while the sandbox runs."""
    with closing(sqlite3.connect(sandbox.world.settings.ledger)) as connection:
        yield connection


async def test_what_was_answered_is_in_the_file(
    merchant: Merchant, judge: sqlite3.Connection
) -> None:
    invoices = [foreign(1_000 * n) for n in range(1, 21)]
    await asyncio.gather(*(merchant.send(invoice.pr) for invoice in invoices))

    rows = judge.execute("SELECT payment_hash, state, amount_msat FROM ledger").fetchall()

    expected = [(each.hash, "settled", 1_000 * (n + 1)) for n, each in enumerate(invoices)]
    assert sorted(rows) == sorted(expected)


async def test_the_books_are_the_sums_of_their_entries(merchant: Merchant, hand: Hand) -> None:
    bob = await hand.post("accounts", username="bob")
    home = await hand.post("invoices", payee="alice", amount_msat=123_456)
    for request in (home["pr"], foreign(99_999).pr, foreign(1_001).pr):
        await merchant.send(request)
    await merchant.mutate(
        "intraLedgerUsdPaymentSend",
        "IntraLedgerUsdPaymentSendInput",
        "status",
        walletId=merchant.wallet,
        recipientWalletId=bob["wallet"],
        amount=33.3,
    )

    assert await hand.get("audit") == {"is_clean": True, "paid_twice": [], "unbalanced": []}


@pytest.mark.parametrize("table", ["payments", "outcomes", "entries", "invoices"])
@pytest.mark.parametrize("verb", ["DELETE FROM {}", "UPDATE {} SET payment_hash = 'x'"])
async def test_what_has_happened_cannot_be_changed(
    merchant: Merchant, hand: Hand, judge: sqlite3.Connection, table: str, verb: str
) -> None:
    await merchant.send((await hand.post("invoices", payee="alice", amount_msat=5_000))["pr"])

    with pytest.raises(sqlite3.IntegrityError, match=f"{table} only grows"):
        judge.execute(verb.format(table))


async def test_a_second_settlement_would_be_seen(
    merchant: Merchant, hand: Hand, judge: sqlite3.Connection
) -> None:
    invoice = foreign()
    await merchant.send(invoice.pr)
    judge.execute(
        "INSERT INTO outcomes (payment_id, payment_hash, state, reason, at_ms) "
        "SELECT payment_id, payment_hash, state, 'again', at_ms FROM outcomes"
    )
    judge.commit()

    audit = await hand.get("audit")

    assert audit["paid_twice"] == [{"payment_hash": invoice.hash, "count": 2}]
    assert not audit["is_clean"]


async def test_a_ledger_belongs_to_one_sandbox_at_a_time(sandbox: Sandbox) -> None:
    with pytest.raises(LedgerInUse):
        async with open_sandbox(replace(sandbox.world.settings, port=0, ws_port=0)):
            pass


async def test_everything_is_there_again_after_a_restart(
    settings: SandboxSettings, http: httpx.AsyncClient
) -> None:
    pending, done = foreign(), foreign()
    async with open_sandbox(settings) as first:
        merchant, hand = Merchant(http, first), Hand(http, first.control_url)
        home = await hand.post("invoices", payee="alice", amount_msat=7_000)
        await merchant.send(done.pr, "done")
        await hand.fault("pending_forever", times=1)
        await hand.fault("http_500", match={"operation": "btcPrice"})
        await merchant.send(pending.pr, "pending")
        await hand.post("price", usd_per_btc=77_000)
        await hand.post("clock", advance_s=50)
        cents = await merchant.cents()
    async with open_sandbox(settings) as second:
        merchant, hand = Merchant(http, second), Hand(http, second.control_url)
        state = await hand.get("state")

        assert await merchant.cents() == cents
        assert state["nanousd_per_btc"] == 77_000 * 10**9
        assert [fault["kind"] for fault in state["faults"]] == ["http_500"]
        assert (await merchant.send(done.pr, "done"))["status"] == "SUCCESS"
        assert (await merchant.send(done.pr))["status"] == "FAILURE"
        assert (await merchant.send(pending.pr))["status"] == "FAILURE"
        await hand.post("settle", hash=pending.hash)
        assert await hand.states(pending.hash) == ["settled"]
        assert (await merchant.send(pending.pr, "pending"))["status"] == "PENDING"
        assert (await merchant.send(home["pr"]))["status"] == "SUCCESS"
        assert second.world.clock.offset_ms == 50_000
        assert (await hand.get("audit"))["is_clean"]


async def test_a_payment_that_was_under_way_ends_by_its_script(
    settings: SandboxSettings, http: httpx.AsyncClient
) -> None:
    good, bad = foreign(), foreign()
    async with open_sandbox(settings) as first:
        merchant, hand = Merchant(http, first), Hand(http, first.control_url)
        await hand.fault("pending_then_success", times=1, match={"payment_hash": good.hash})
        await hand.fault("pending_then_failure", times=1, match={"payment_hash": bad.hash})
        assert (await merchant.send(good.pr))["status"] == "PENDING"
        assert (await merchant.send(bad.pr))["status"] == "PENDING"
    async with open_sandbox(settings) as second:
        hand = Hand(http, second.control_url)
        assert await hand.states(good.hash) == ["inflight"]
        await hand.post("clock", advance_s=6)

        assert await hand.states(good.hash) == ["settled"]
        assert await hand.states(bad.hash) == ["failed"]
        assert (await hand.get("audit"))["is_clean"]


async def test_the_ledger_is_read_page_by_page(merchant: Merchant, hand: Hand) -> None:
    for _ in range(5):
        await merchant.send(foreign().pr)

    first = await hand.get("payments", limit=3)
    rest = await hand.get("payments", since=first["next"], limit=3)
    end = await hand.get("payments", since=rest["next"])

    assert [row["id"] for row in first["items"] + rest["items"]] == [1, 2, 3, 4, 5]
    assert end == {"items": [], "next": 5}


async def test_a_full_ledger_queue_turns_calls_away(
    merchant: Merchant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.sandbox.writer.MAX_WAITING", 0)

    assert (await merchant.raw("{ realtimePrice { id } }")).status_code == 503


async def test_the_sandbox_stops_when_its_ledger_fails(settings: SandboxSettings) -> None:
    with pytest.raises(ExceptionGroup) as failed:
        async with open_sandbox(settings) as opened:
            await opened.world.ledger.writer.commit([("INSERT INTO nowhere VALUES (?)", (1,))])

    assert failed.group_contains(sqlite3.OperationalError, match="nowhere")


def test_the_path_of_a_ledger_is_made(tmp_path: Path) -> None:
    async def start() -> None:
        async with open_sandbox(SandboxSettings(ledger=tmp_path / "a" / "b" / "ledger.db")):
            pass

    asyncio.run(start())

    assert (tmp_path / "a" / "b" / "ledger.db").exists()
