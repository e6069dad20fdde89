"""Hints reach whoever listens, and a slow listener knows that it missed some."""

from __future__ import annotations

import asyncio

import pytest

from models.events import PayoutChanged, WalletChanged
from models.states import PayoutState
from services.hub import QUEUE_LIMIT, Hub


def change(number: int = 1, store: str = "st_1") -> PayoutChanged:
    return PayoutChanged(store, f"po_{number}", PayoutState.PENDING, 1)


async def test_a_store_hears_of_its_own_only() -> None:
    hub = Hub()
    with hub.listen_store("st_1") as heard:
        hub.publish([change(1), change(2, store="st_2"), WalletChanged("st_1", "wa_1")])

        assert await heard.wait() == [change(1), WalletChanged("st_1", "wa_1")]


async def test_a_payout_is_heard_of_by_those_who_wait_for_it() -> None:
    hub = Hub()
    with hub.listen_payout("po_1") as heard:
        hub.publish([change(2), change(1), WalletChanged("st_1", "po_1")])

        assert await heard.wait() == [change(1)]


async def test_who_waits_is_woken() -> None:
    hub = Hub()
    with hub.listen_store("st_1") as heard:
        waiting = asyncio.ensure_future(heard.wait())
        await asyncio.sleep(0)
        hub.publish([change()])

        assert await waiting == [change()]


async def test_waiting_ends_after_its_time() -> None:
    with Hub().listen_store("st_1") as heard:
        assert await heard.wait(0.001) == []


async def test_a_cancellation_that_meets_a_hint_is_not_lost() -> None:
    hub = Hub()
    with hub.listen_store("st_1") as heard:
        waiting = asyncio.ensure_future(heard.wait(60))
        await asyncio.sleep(0)
        hub.publish([change()])
        waiting.cancel()

        with pytest.raises(asyncio.CancelledError):
            await waiting


async def test_a_slow_listener_is_told_that_hints_were_dropped() -> None:
    hub = Hub()
    with hub.listen_store("st_1") as heard:
        hub.publish([change(number) for number in range(QUEUE_LIMIT + 10)])

        assert len(await heard.wait()) == QUEUE_LIMIT
        assert heard.take_overflow()
        assert not heard.take_overflow()


async def test_after_listening_nothing_is_left_behind() -> None:
    hub = Hub()
    with hub.listen_store("st_1"), hub.listen_store("st_1"), hub.listen_payout("po_1"):
        pass

    hub.publish([change()])

    assert not hub._by_store
    assert not hub._by_payout
