"""Statuses of many invoices are asked for in one request, and nobody's question is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from models.errors import GatewayError
from models.flash import InvoiceStatus
from services.flash.client import FlashClient
from services.flash.pace import Need, Pace
from services.flash.status_batch import MOST, StatusBatch
from tests.support.patience import PATIENCE_S
from tests.support.sandbox import Hand

Q = InvoiceStatus


class Flash:
    """Answers PENDING to all but what it was given, and keeps what it was asked."""

    def __init__(self, poison: str = "") -> None:
        self.poison = poison
        self.asked: list[list[str]] = []
        self.let_go = asyncio.Event()
        self.let_go.set()

    async def ask_statuses(self, invoices: Sequence[str]) -> list[InvoiceStatus]:
        """Answer, or fail whole if the poison is among them."""
        self.asked.append(list(invoices))
        await self.let_go.wait()
        if self.poison in invoices:
            raise GatewayError("spoiled")
        return [Q.PENDING for _ in invoices]


class Hours:
    """A monotonic clock by hand."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now_s


def batch_of(flash: Flash, per_minute: int = 600) -> tuple[StatusBatch, Pace, Hours]:
    hours = Hours()
    pace = Pace(per_minute, hours)
    return StatusBatch(flash, pace), pace, hours  # type: ignore[arg-type]


async def test_a_question_without_hurry_goes_alone_and_those_that_wait_go_together() -> None:
    flash = Flash()
    batch, _, _ = batch_of(flash)
    assert await batch.ask("first", Need.SEND) is Q.PENDING
    flash.let_go.clear()

    async with asyncio.TaskGroup() as group:
        for number in range(MOST + 3):
            group.create_task(batch.ask(f"i{number}", Need.LOOK_UP))
        group.create_task(batch.ask("urgent", Need.SEND))
        await asyncio.sleep(0)
        flash.let_go.set()

    assert [len(each) for each in flash.asked] == [1, 1, MOST, 3]
    assert flash.asked[2][0] == "urgent"


async def test_questions_are_as_pressing_as_the_most_pressing_of_them() -> None:
    flash = Flash()
    batch, pace, _ = batch_of(flash, per_minute=10)
    while pace.try_take(Need.LOOK_UP):
        pass

    async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as group:
        patient = group.create_task(batch.ask("patient", Need.LOOK_UP))
        await asyncio.sleep(0)
        assert not flash.asked
        group.create_task(batch.ask("urgent", Need.SEND))

    assert await patient is Q.PENDING
    assert flash.asked == [["urgent", "patient"]]


async def test_those_that_shared_a_spoiled_answer_are_asked_about_alone() -> None:
    flash = Flash(poison="bad")
    batch, _, _ = batch_of(flash)

    async def ask_until_answered(invoice: str) -> str:
        for _ in range(2):
            try:
                return await batch.ask(invoice, Need.SEND)
            except GatewayError:
                continue
        return "never"

    flash.let_go.clear()
    names = ["one", "bad", "two", "three"]
    asking = [asyncio.create_task(ask_until_answered(invoice)) for invoice in names]
    await asyncio.sleep(0)
    flash.let_go.set()
    found = await asyncio.gather(*asking)

    assert found == [Q.PENDING, "never", Q.PENDING, Q.PENDING]
    assert flash.asked[1] == ["bad", "two", "three"]
    assert sorted(flash.asked[2:]) == [["bad"], ["three"], ["two"]]


async def test_whoever_asks_for_others_may_go_without_losing_their_questions() -> None:
    flash = Flash()
    batch, _, _ = batch_of(flash)
    flash.let_go.clear()
    first = asyncio.create_task(batch.ask("first", Need.SEND))
    others = [asyncio.create_task(batch.ask(name, Need.SEND)) for name in ("a", "b")]
    await asyncio.sleep(0)

    first.cancel()
    await asyncio.wait([first])
    flash.let_go.set()

    async with asyncio.timeout(PATIENCE_S):
        assert await asyncio.gather(*others) == [Q.PENDING, Q.PENDING]
    assert first.cancelled()
    assert flash.asked == [["first"], ["a", "b"]]


async def test_one_request_tells_the_statuses_of_all(client: FlashClient, hand: Hand) -> None:
    home, foreign = await hand.home_invoice(), await hand.foreign_invoice()
    over = await hand.home_invoice(expiry_s=1)
    await hand.advance(2)
    many = [home.pr, foreign.pr, over.pr, *[foreign.pr] * (MOST - 3)]

    found = await client.ask_statuses(many)

    assert found[:3] == [Q.PENDING, Q.NOT_OURS, Q.EXPIRED]
    assert set(found[3:]) == {Q.NOT_OURS}


@pytest.mark.parametrize("kind", ["http_500", "html_body"])
async def test_an_answer_that_tells_nothing_of_several_is_no_answer(
    client: FlashClient, hand: Hand, kind: str
) -> None:
    foreign = await hand.foreign_invoice()
    await hand.fault(kind)

    with pytest.raises(GatewayError):
        await client.ask_statuses([foreign.pr, foreign.pr])
