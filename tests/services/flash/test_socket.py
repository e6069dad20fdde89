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
from services.flash import public_socket
from services.flash.account_socket import AccountListeners, AccountSocket
from services.flash.pace import Pace
from services.flash.public_socket import PublicListeners, PublicSocket
from services.flash.socket import BACKOFF_S
from tests.support.clock import HandClock
from tests.support.patience import PATIENCE_S
from tests.support.sandbox import USD_PER_BTC, FlashAccount, Hand

LIVE, CUT = SocketState.LIVE, SocketState.CUT_OFF


@dataclass
class Ear:
    """Keeps what it is told, and lets tests wait for it."""

    statuses: list[tuple[str, InvoiceStatus]] = field(default_factory=list)
    prices: list[Rate] = field(default_factory=list)
    incoming: list[str] = field(default_factory=list)
    catch_ups: int = 0
    heard: asyncio.Event = field(default_factory=asyncio.Event)

    def for_all(self) -> PublicListeners:
        return PublicListeners(self._status, self._price, self.heard.set, self._catch_up)

    def for_account(self) -> AccountListeners:
        return AccountListeners(self._incoming, self.heard.set, self._catch_up)

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
    """The public socket and an account's, with somebody at their ends."""

    public: PublicSocket
    account: AccountSocket
    ear: Ear

    async def is_live(self) -> None:
        await self.ear.until(lambda: self.public.health.state is LIVE)


def handshakes(per_minute: int = 1_000) -> Pace:
    return Pace(per_minute, asyncio.get_running_loop().time)


@contextlib.asynccontextmanager
async def line(connection: FlashConnection) -> AsyncIterator[Line]:
    ear, pace, places = Ear(), handshakes(), asyncio.Semaphore(1)
    public = PublicSocket(connection.ws_url, HandClock(), pace, ear.for_all())
    account = AccountSocket(connection, HandClock(), pace, places, ear.for_account())
    public.want("USD")
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(run()) for run in (public.run, account.run)]
        yield Line(public, account, ear)
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
    wire.public.watch(minted.hash, minted.pr)
    await wire.ear.until(lambda: (minted.hash, InvoiceStatus.PENDING) in wire.ear.statuses)

    await hand.post("pay", pr=minted.pr)

    await wire.ear.until(lambda: (minted.hash, InvoiceStatus.PAID) in wire.ear.statuses)


async def test_a_dropped_invoice_is_heard_of_no_more(wire: Line, hand: Hand) -> None:
    gone, kept = await hand.home_invoice(), await hand.home_invoice()
    for minted in (gone, kept):
        wire.public.watch(minted.hash, minted.pr)
    await wire.ear.until(lambda: len(wire.ear.statuses) == 2)

    wire.public.drop(gone.hash)
    for minted in (gone, kept):
        await hand.post("pay", pr=minted.pr)
    await wire.ear.until(lambda: (kept.hash, InvoiceStatus.PAID) in wire.ear.statuses)

    assert (gone.hash, InvoiceStatus.PAID) not in wire.ear.statuses


async def test_a_foreign_invoice_or_garbage_disturbs_no_other(wire: Line, hand: Hand) -> None:
    foreign, home = await hand.foreign_invoice(), await hand.home_invoice()
    wire.public.watch(foreign.hash, foreign.pr)
    wire.public.watch("ab" * 32, "lnbcgarbage")
    wire.public.watch(home.hash, home.pr)

    await wire.ear.until(lambda: (home.hash, InvoiceStatus.PENDING) in wire.ear.statuses)
    await hand.post("pay", pr=home.pr)
    await wire.ear.until(lambda: (home.hash, InvoiceStatus.PAID) in wire.ear.statuses)

    assert wire.public.health.connects == 1


async def test_no_more_invoices_are_watched_than_the_limit(
    hand: Hand, account: FlashAccount
) -> None:
    url = hand.connection(account).ws_url
    unopened = PublicSocket(url, HandClock(), handshakes(), Ear().for_all())

    for number in range(public_socket.WATCH_LIMIT + 5):
        unopened.watch(f"{number:064}", "lnbc1")
    assert len(unopened._invoices) == public_socket.WATCH_LIMIT

    unopened.drop(f"{0:064}")
    unopened.watch("ab" * 32, "lnbc1")
    assert "ab" * 32 in unopened._invoices


async def test_incoming_payments_of_the_account_are_told(
    wire: Line, hand: Hand, account: FlashAccount
) -> None:
    await wire.ear.until(lambda: wire.account.health.state is LIVE)
    minted = await hand.home_invoice(payee=account.username)

    await hand.post("pay", pr=minted.pr)

    await wire.ear.until(lambda: minted.hash in wire.ear.incoming)


@pytest.mark.parametrize("code", [1006, 1001, 1012])
async def test_after_a_cut_it_comes_back_and_hears_what_it_missed(
    wire: Line, hand: Hand, code: int
) -> None:
    minted, later = await hand.home_invoice(), await hand.home_invoice()
    wire.public.watch(minted.hash, minted.pr)
    await wire.ear.until(lambda: (minted.hash, InvoiceStatus.PENDING) in wire.ear.statuses)
    before = wire.ear.catch_ups

    await hand.post("sockets/drop", code=code)
    await wire.ear.until(lambda: wire.public.health.state is CUT)
    await hand.post("pay", pr=minted.pr)
    await wire.is_live()
    wire.public.watch(later.hash, later.pr)

    await wire.ear.until(lambda: (minted.hash, InvoiceStatus.PAID) in wire.ear.statuses)
    await wire.ear.until(lambda: (later.hash, InvoiceStatus.PENDING) in wire.ear.statuses)
    assert wire.ear.catch_ups > before
    assert wire.public.health.connects == 2


async def test_between_tries_it_waits_ever_longer(hand: Hand, account: FlashAccount) -> None:
    await hand.fault("handshake_503", times=2)
    async with line(hand.connection(account)) as opened:
        await opened.ear.until(lambda: opened.public.health.last_error is not None)

        assert opened.public.health.state is CUT
        await opened.is_live()
        assert opened.public.health.connects == 1
    assert list(BACKOFF_S) == sorted(BACKOFF_S)


async def test_a_slow_welcome_is_waited_for(hand: Hand, account: FlashAccount) -> None:
    await hand.fault("slow_ack", delay_ms=300)
    async with line(hand.connection(account)) as opened:
        await opened.is_live()

        assert opened.public.health.connects == 1


async def test_a_wrong_token_is_limited_and_not_an_error_of_the_rest(
    hand: Hand, account: FlashAccount
) -> None:
    async with line(replace(hand.connection(account), token="wrong")) as opened:
        await opened.is_live()
        await opened.ear.until(lambda: opened.account.health.limited)

        assert opened.account.health.state is CUT
        assert opened.account.health.connects == 1
        assert opened.public.health.state is LIVE


async def test_without_a_token_there_is_no_account_socket(
    hand: Hand, account: FlashAccount
) -> None:
    key = await hand.api_key(account)
    connection = replace(hand.connection(account), token=None, api_key=key)
    async with line(connection) as opened:
        await opened.is_live()

        assert opened.account.health.limited
        assert opened.account.health.connects == 0


async def test_where_nobody_listens_it_stays_cut_off() -> None:
    async with line(FlashConnection("http://127.0.0.1:1", "ws://127.0.0.1:1/graphql")) as opened:
        await opened.ear.until(lambda: opened.public.health.last_error is not None)

        assert opened.public.health.state is CUT
        assert opened.public.health.connects == 0


async def test_no_more_hands_are_shaken_a_minute_than_all_sockets_may_together(
    hand: Hand, account: FlashAccount
) -> None:
    connection, ear, pace = hand.connection(account), Ear(), handshakes(2)
    public = PublicSocket(connection.ws_url, HandClock(), pace, ear.for_all())
    places = asyncio.Semaphore(1)
    account_socket = AccountSocket(connection, HandClock(), pace, places, ear.for_account())
    public.want("USD")
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(run()) for run in (public.run, account_socket.run)]
        await ear.until(lambda: public.health.connects + account_socket.health.connects == 2)
        await hand.post("sockets/drop", code=1006)
        await ear.until(lambda: public.health.state is CUT and not pace.free)
        assert public.health.connects + account_socket.health.connects == 2
        for task in tasks:
            task.cancel()


async def test_prices_come_in_every_currency_that_somebody_wants(wire: Line, hand: Hand) -> None:
    wire.public.want("EUR")
    await wire.ear.until(lambda: {rate.currency for rate in wire.ear.prices} == {"USD", "EUR"})
    wire.public.want("EUR")
    wire.public.unwant("EUR")
    wire.ear.prices.clear()
    await hand.post("price", usd_per_btc=2 * USD_PER_BTC)
    await wire.ear.until(lambda: {rate.currency for rate in wire.ear.prices} == {"USD", "EUR"})

    wire.public.unwant("EUR")
    wire.ear.prices.clear()
    await hand.post("price", usd_per_btc=USD_PER_BTC)
    await wire.ear.until(lambda: wire.ear.prices)
    assert {rate.currency for rate in wire.ear.prices} == {"USD"}
    assert wire.public.health.connects == 1


async def test_an_account_beyond_the_places_of_a_process_is_limited_until_one_is_free(
    hand: Hand, account: FlashAccount
) -> None:
    connection, ear, places = hand.connection(account), Ear(), asyncio.Semaphore(1)
    first = AccountSocket(connection, HandClock(), handshakes(), places, ear.for_account())
    async with asyncio.TaskGroup() as group:
        holding = group.create_task(first.run())
        await ear.until(lambda: first.health.state is LIVE)
        late = AccountSocket(connection, HandClock(), handshakes(), places, ear.for_account())
        waiting = group.create_task(late.run())
        assert (late.health.limited, late.health.connects) == (True, 0)

        holding.cancel()
        await ear.until(lambda: late.health.state is LIVE)
        assert not late.health.limited
        waiting.cancel()
