"""The live connection: it comes back by itself, says what it missed, and knows its limits."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from models.flash import FlashConnection, InvoiceStatus, SocketState
from models.money import Rate
from services.flash import socket as sockets
from services.flash.socket import FlashSocket, Listeners
from tests.support.clock import HandClock
from tests.support.sandbox import USD_PER_BTC, FlashAccount, Hand

LIVE, CUT = SocketState.LIVE, SocketState.CUT_OFF
PATIENCE_S = 15


@dataclass
class Ear:
    """Keeps what it is told, and lets tests wait for it."""

    statuses: list[tuple[str, InvoiceStatus]] = field(default_factory=list)
    prices: list[Rate] = field(default_factory=list)
    incoming: list[str] = field(default_factory=list)
    catch_ups: int = 0
    heard: asyncio.Event = field(default_factory=asyncio.Event)

    def listeners(self) -> Listeners:
        return Listeners(
            status=self._status,
            price=self._price,
            incoming=self._incoming,
            changed=self.heard.set,
            catch_up=self._catch_up,
        )

    async def _status(self, payment_hash: str, status: InvoiceStatus) -> None:
        self.statuses.append((payment_hash, status))
        self.heard.set()

    def _price(self, rate: Rate) -> None:
        self.prices.append(rate)
        self.heard.set()

    async def _incoming(self, payment_hash: str) -> None:
        self.incoming.append(payment_hash)
        self.heard.set()

    async def _catch_up(self) -> None:
        self.catch_ups += 1
        self.heard.set()

    async def until(self, is_so: Any) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not is_so():
                self.heard.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self.heard.wait(), 0.02)


@dataclass
class Line:
    """A socket with somebody at its end."""

    socket: FlashSocket
    ear: Ear

    async def is_live(self) -> None:
        await self.ear.until(lambda: self.socket.public.state is LIVE)


@contextlib.asynccontextmanager
async def line(connection: FlashConnection) -> AsyncIterator[Line]:
    ear = Ear()
    opened = FlashSocket(connection, "USD", HandClock(), ear.listeners())
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(run()) for run in (opened.run_public, opened.run_account)]
        yield Line(opened, ear)
        for task in tasks:
            task.cancel()


@pytest.fixture
async def wire(hand: Hand, account: FlashAccount) -> AsyncIterator[Line]:
    async with line(hand.connection(account)) as opened:
        await opened.is_live()
        yield opened


async def test_prices_arrive_as_they_change(wire: Line, hand: Hand) -> None:
    await hand.post("price", usd_per_btc=2 * USD_PER_BTC)

    await wire.ear.until(
        lambda: any(rate.minor_floor(100_000_000_000) == 20_000_000 for rate in wire.ear.prices)
    )


async def test_a_watched_invoice_tells_when_it_is_paid(wire: Line, hand: Hand) -> None:
    minted = await hand.home_invoice()
    wire.socket.watch(minted.hash, minted.pr)
    await wire.ear.until(lambda: (minted.hash, InvoiceStatus.PENDING) in wire.ear.statuses)

    await hand.post("pay", pr=minted.pr)

    await wire.ear.until(lambda: (minted.hash, InvoiceStatus.PAID) in wire.ear.statuses)


async def test_a_dropped_invoice_is_heard_of_no_more(wire: Line, hand: Hand) -> None:
    gone, kept = await hand.home_invoice(), await hand.home_invoice()
    for minted in (gone, kept):
        wire.socket.watch(minted.hash, minted.pr)
    await wire.ear.until(lambda: len(wire.ear.statuses) == 2)

    wire.socket.drop(gone.hash)
    for minted in (gone, kept):
        await hand.post("pay", pr=minted.pr)
    await wire.ear.until(lambda: (kept.hash, InvoiceStatus.PAID) in wire.ear.statuses)

    assert (gone.hash, InvoiceStatus.PAID) not in wire.ear.statuses


async def test_a_foreign_invoice_or_garbage_disturbs_no_other(wire: Line, hand: Hand) -> None:
    foreign, home = await hand.foreign_invoice(), await hand.home_invoice()
    wire.socket.watch(foreign.hash, foreign.pr)
    wire.socket.watch("ab" * 32, "lnbcgarbage")
    wire.socket.watch(home.hash, home.pr)

    await wire.ear.until(lambda: (home.hash, InvoiceStatus.PENDING) in wire.ear.statuses)
    await hand.post("pay", pr=home.pr)
    await wire.ear.until(lambda: (home.hash, InvoiceStatus.PAID) in wire.ear.statuses)

    assert wire.socket.public.connects == 1


async def test_no_more_invoices_are_watched_than_the_limit(
    hand: Hand, account: FlashAccount
) -> None:
    unopened = FlashSocket(hand.connection(account), "USD", HandClock(), Ear().listeners())

    for number in range(sockets.WATCH_LIMIT + 5):
        unopened.watch(f"{number:064}", "lnbc1")
    assert len(unopened._invoices) == sockets.WATCH_LIMIT

    unopened.drop(f"{0:064}")
    unopened.watch("ab" * 32, "lnbc1")
    assert "ab" * 32 in unopened._invoices


async def test_incoming_payments_of_the_account_are_told(
    wire: Line, hand: Hand, account: FlashAccount
) -> None:
    await wire.ear.until(lambda: wire.socket.account.state is LIVE)
    minted = await hand.home_invoice(payee=account.username)

    await hand.post("pay", pr=minted.pr)

    await wire.ear.until(lambda: minted.hash in wire.ear.incoming)


@pytest.mark.parametrize("code", [1006, 1001, 1012])
async def test_after_a_cut_it_comes_back_and_hears_what_it_missed(
    wire: Line, hand: Hand, code: int
) -> None:
    minted, later = await hand.home_invoice(), await hand.home_invoice()
    wire.socket.watch(minted.hash, minted.pr)
    await wire.ear.until(lambda: (minted.hash, InvoiceStatus.PENDING) in wire.ear.statuses)
    before = wire.ear.catch_ups

    await hand.post("sockets/drop", code=code)
    await wire.ear.until(lambda: wire.socket.public.state is CUT)
    await hand.post("pay", pr=minted.pr)
    await wire.is_live()
    wire.socket.watch(later.hash, later.pr)

    await wire.ear.until(lambda: (minted.hash, InvoiceStatus.PAID) in wire.ear.statuses)
    await wire.ear.until(lambda: (later.hash, InvoiceStatus.PENDING) in wire.ear.statuses)
    assert wire.ear.catch_ups > before
    assert wire.socket.public.connects == 2


async def test_between_tries_it_waits_ever_longer(hand: Hand, account: FlashAccount) -> None:
    await hand.fault("handshake_503", times=2)
    async with line(hand.connection(account)) as opened:
        await opened.ear.until(lambda: opened.socket.public.last_error is not None)

        assert opened.socket.public.state is CUT
        await opened.is_live()
        assert opened.socket.public.connects == 1
    assert list(sockets.BACKOFF_S) == sorted(sockets.BACKOFF_S)
    # Two sockets share the ten handshakes a minute that Flash allows an address.
    assert 2 * sum(pause <= 30 for pause in sockets.BACKOFF_S) <= 10


async def test_a_slow_welcome_is_waited_for(hand: Hand, account: FlashAccount) -> None:
    await hand.fault("slow_ack", delay_ms=300)
    async with line(hand.connection(account)) as opened:
        await opened.is_live()

        assert opened.socket.public.connects == 1


async def test_a_wrong_token_is_limited_and_not_an_error_of_the_rest(
    hand: Hand, account: FlashAccount
) -> None:
    async with line(replace(hand.connection(account), token="wrong")) as opened:
        await opened.is_live()
        await opened.ear.until(lambda: opened.socket.account.limited)

        assert opened.socket.account.state is CUT
        assert opened.socket.account.connects == 1
        assert opened.socket.state is LIVE


async def test_without_a_token_there_is_no_account_socket(
    hand: Hand, account: FlashAccount
) -> None:
    key = await hand.api_key(account)
    connection = replace(hand.connection(account), token=None, api_key=key)
    async with line(connection) as opened:
        await opened.is_live()

        assert opened.socket.account.limited
        assert opened.socket.account.connects == 0


async def test_where_nobody_listens_it_stays_cut_off() -> None:
    async with line(FlashConnection("http://127.0.0.1:1", "ws://127.0.0.1:1/graphql")) as opened:
        await opened.ear.until(lambda: opened.socket.public.last_error is not None)

        assert opened.socket.state is CUT
        assert opened.socket.public.connects == 0
