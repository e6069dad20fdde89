"""Deaths at moments that are certain: the payee is paid once, or not at all and released."""

from __future__ import annotations

import asyncio

import pytest

from tests.crash.drill import Drill
from tests.crash.journal import Told
from tests.crash.stage import LEASE_S
from tests.crash.wire import Hold

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="package")]

EXPIRY_S = 3600 + 11 * 60
TWICE_APART_S = 5.5 * 60
HALF_AN_HOUR_S = 30 * 60


async def test_a_send_that_was_noted_but_never_left_is_made_after_the_return(
    drill: Drill,
) -> None:
    offer, asked = await drill.offer(), drill.foreign()
    drill.wire.hold_next(Hold.REQUEST)

    async with asyncio.TaskGroup() as tasks:
        told = tasks.create_task(drill.till.claim(offer, asked))
        await drill.wire.held()
        await drill.until_state(asked, "processing")
        await drill.stage.service.kill()
        drill.wire.cut()
    assert await drill.payments(asked) == []
    await drill.stage.return_later(LEASE_S)
    await drill.until_state(asked, "completed")

    assert told.result() is Told.LOST
    assert await drill.till.claim(offer, asked) is Told.OK
    assert await drill.payments(asked) == ["settled"]
    assert drill.answers(asked) == [None, "settled"]


async def test_a_send_that_arrives_long_after_its_sender_died_is_not_paid_again(
    drill: Drill,
) -> None:
    offer, asked = await drill.offer(), drill.foreign()
    drill.wire.hold_next(Hold.REQUEST)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(drill.till.claim(offer, asked))
        await drill.wire.held()
        await drill.stage.service.kill()
    await drill.stage.return_later(LEASE_S)
    await drill.until_state(asked, "completed")
    drill.wire.let_go()
    await drill.wire.answered()

    assert await drill.payments(asked) == ["settled"]


async def test_a_payment_whose_answer_died_with_the_service_is_recognised(drill: Drill) -> None:
    offer, asked = await drill.offer(), drill.foreign()
    drill.wire.hold_next(Hold.ANSWER)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(drill.till.claim(offer, asked))
        await drill.wire.held()
        await drill.stage.service.kill()
        drill.wire.cut()
    assert await drill.payments(asked) == ["settled"]
    await drill.stage.return_later(LEASE_S)
    await drill.until_state(asked, "completed")

    assert await drill.payments(asked) == ["settled"]
    assert drill.answers(asked) == [None, "settled"]


@pytest.mark.parametrize("dies", ["sandbox", "both"])
async def test_a_payment_in_the_middle_of_which_the_sandbox_dies_is_made_once(
    drill: Drill, dies: str
) -> None:
    offer, asked = await drill.offer(), await drill.home()
    await drill.stage.control.post(
        "faults", kind="slow_settle", delay_ms=1500, match={"payment_hash": asked.payment_hash}
    )

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(drill.till.claim(offer, asked))
        await drill.until_payment(asked, "inflight")
        await (drill.stage.sandbox.kill() if dies == "sandbox" else drill.stage.kill_both())
    await drill.stage.start_sandbox()
    if dies == "both":
        await drill.stage.return_later(LEASE_S)
    await drill.until_state(asked, "completed")

    assert await drill.payments(asked) == ["settled"]


@pytest.mark.parametrize(
    ("held", "payments", "end"),
    [(Hold.REQUEST, [], "failed"), (Hold.ANSWER, ["settled"], "completed")],
)
async def test_an_old_row_in_processing_ends_as_flash_says_and_is_never_sent_again(
    drill: Drill, held: Hold, payments: list[str], end: str
) -> None:
    # What was paid before, and is about as much, must not be in the wallet's list about now.
    await drill.stage.return_later(HALF_AN_HOUR_S)
    await drill.pay_another()
    offer, asked = await drill.offer(), await drill.home()
    drill.wire.hold_next(held)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(drill.till.claim(offer, asked))
        await drill.wire.held()
        await drill.stage.service.kill()
        drill.wire.cut()
    await drill.stage.return_later(EXPIRY_S)
    if end == "failed":
        await drill.until(lambda: drill.is_expiry_seen(asked), "Flash says EXPIRED")
        await drill.stage.return_later(TWICE_APART_S)
    await drill.until_state(asked, end)

    assert await drill.payments(asked) == payments
    assert drill.answers(asked) == [None]


async def test_an_old_row_in_processing_to_a_stranger_becomes_a_persons(
    doubtful_drill: Drill,
) -> None:
    drill = doubtful_drill
    offer, asked = await drill.offer(), drill.foreign()
    drill.wire.hold_next(Hold.REQUEST)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(drill.till.claim(offer, asked))
        await drill.wire.held()
        await drill.stage.service.kill()
        drill.wire.cut()
    await drill.stage.return_later(EXPIRY_S + 24 * 3600)
    await drill.until_state(asked, "needs_review")

    assert await drill.payments(asked) == []
    assert drill.answers(asked) == [None]


async def test_a_refused_repeat_says_nothing_of_the_send_before_it(doubtful_drill: Drill) -> None:
    drill = doubtful_drill
    offer, asked = await drill.offer(), drill.foreign()
    drill.wire.hold_next(Hold.ANSWER)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(drill.till.claim(offer, asked))
        await drill.wire.held()
        await drill.stage.service.kill()
        drill.wire.cut()
    await drill.refuse_next(asked, "status_null")
    await drill.stage.return_later(LEASE_S)
    await drill.until(lambda: drill.answers(asked) == [None, "refused"], "the repeat is refused")
    await drill.stage.return_later(EXPIRY_S)
    await drill.pay_another()

    assert await drill.payments(asked) == ["settled"]
    assert drill.state(asked) == "in_flight"


async def test_a_short_wallet_before_says_nothing_of_the_send_after_it(
    doubtful_drill: Drill,
) -> None:
    drill = doubtful_drill
    offer, asked = await drill.offer(auto_approve=False), drill.foreign()
    await drill.refuse_next(asked, "insufficient_balance")
    await drill.till.claim(offer, asked)
    await drill.approve(asked)
    await drill.until(lambda: drill.answers(asked) == ["refused"], "the wallet is short")
    drill.wire.hold_next(Hold.ANSWER)
    await drill.stage.return_later(LEASE_S)
    await drill.wire.held()
    await drill.stage.service.kill()
    drill.wire.cut()
    await drill.stage.return_later(EXPIRY_S)
    await drill.pay_another()

    assert await drill.payments(asked) == ["settled"]
    assert drill.state(asked) == "in_flight"


async def test_a_worker_that_slept_through_its_lease_pays_nothing_again(drill: Drill) -> None:
    offer, asked = await drill.offer(), drill.foreign()
    drill.wire.hold_next(Hold.REQUEST)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(drill.till.claim(offer, asked))
        await drill.wire.held()
        drill.stage.service.pause()
        async with drill.successor():
            await drill.until_state(asked, "completed")
            drill.stage.service.resume()
            drill.wire.let_go()
            await drill.wire.answered()
    await drill.stage.return_later(LEASE_S)
    await drill.pay_another()

    assert await drill.payments(asked) == ["settled"]
    assert drill.state(asked) == "completed"


async def test_an_answer_that_cannot_be_written_down_is_not_lost(drill: Drill) -> None:
    offer, asked = await drill.offer(), drill.foreign()
    failed_before = drill.stage.service.tail().count("database.failed")
    drill.wire.hold_next(Hold.ANSWER)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(drill.till.claim(offer, asked))
        await drill.wire.held()
        with drill.stage.books.locked():
            drill.wire.let_go()
            await drill.until(
                lambda: drill.stage.service.tail().count("database.failed") > failed_before,
                "the answer is lost",
            )
    await drill.until_state(asked, "completed")

    assert await drill.payments(asked) == ["settled"]
    assert drill.answers(asked)[-1] == "settled"


async def test_a_database_that_cuts_every_connection_costs_no_claim(drill: Drill) -> None:
    offer, asked = await drill.offer(), drill.foreign()

    drill.stage.books.sever()
    told = await drill.till.claim(offer, asked)

    assert told is Told.OK
    await drill.until_state(asked, "completed")
    assert await drill.payments(asked) == ["settled"]
