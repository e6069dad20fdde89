"""What is said of a payout's invoice before moves nothing while another one is on its way."""

from __future__ import annotations

import pytest

from models.flash import InvoiceStatus, SendOutcome
from models.payout import AttemptState, Send, SendAnswer
from models.states import PayoutState
from models.store import SYSTEM
from services.database import Database
from services.storage import attempt as attempts
from services.storage import payout as payouts
from services.storage.statement import Transaction
from tests.services.test_tracking import Wire, lay
from tests.support.builders import a_send, an_attempt
from tests.support.clock import HandClock

A, S = SendAnswer, PayoutState
ON_SQLITE = pytest.mark.parametrize("dialect", ["sqlite"])


def release(tx: Transaction, wire: Wire) -> None:
    payout = payouts.read_payout(tx, wire.payout.store_id, wire.payout.id)
    assert payout is not None
    attempts.set_attempt_state(tx, wire.attempt, AttemptState.DEAD)
    payouts.move(tx, payout, S.FAILED, now=wire.clock.utc_now(), actor=SYSTEM)


def send_anew(tx: Transaction, wire: Wire) -> Send:
    """Retry the payout, by another invoice that goes on the wire."""
    payout = payouts.read_payout(tx, wire.payout.store_id, wire.payout.id)
    assert payout is not None
    now = wire.clock.utc_now()
    retried = payouts.move(tx, payout, S.APPROVED, now=now, actor=SYSTEM)
    attempt = an_attempt(retried, number=2, payment_hash="2" * 64)
    attempts.add_attempt(tx, attempt)
    payouts.move(tx, retried, S.PROCESSING, now=now, actor=SYSTEM, fence=1)
    send = a_send(attempt, logged_at=now)
    attempts.add_send(tx, send)
    return send


@pytest.fixture
async def wire(database: Database, clock: HandClock) -> Wire:
    """A payout that was sent, swept, given up and tried again: its first send has no answer."""
    laid = await lay(database, clock)
    await laid.send_again()
    await laid.tracking.sweep(await laid.now())
    await database.write(release, laid)
    return laid


@ON_SQLITE
@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (A.REFUSED, "payment_failed"),
        (A.NOT_EXECUTED, "limited"),
        (A.ERROR, "generic"),
        (A.PENDING, None),
    ],
)
async def test_the_late_answer_of_a_worker_that_stood_still_moves_nothing(
    wire: Wire, answer: SendAnswer, code: str | None
) -> None:
    (stalled,) = await wire.sends()
    await wire.database.write(send_anew, wire)
    before = await wire.now()

    await wire.tracking.take_answer(stalled, SendOutcome(answer, code, "words"))

    assert before.state is S.PROCESSING
    assert await wire.now() == before
    kept = next(send for send in await wire.sends() if send.attempt_id == wire.attempt.id)
    assert kept.answer is answer


@ON_SQLITE
async def test_an_invoice_before_that_ran_out_gives_nothing_up(wire: Wire) -> None:
    await wire.database.write(send_anew, wire)
    await wire.tracking.sweep(await wire.now())
    wire.clock.set(wire.attempt.invoice_expires_at)

    for _ in range(2):
        wire.clock.advance(minutes=10)
        after = await wire.status(InvoiceStatus.EXPIRED, clear=True)

    assert after.state is S.IN_FLIGHT


@ON_SQLITE
async def test_a_row_of_an_invoice_before_alarms_though_the_payout_was_paid_since(
    wire: Wire,
) -> None:
    send = await wire.database.write(send_anew, wire)
    await wire.tracking.take_answer(send, SendOutcome(A.SETTLED, None, None))
    assert (await wire.now()).state is S.COMPLETED

    at = (wire.payout.store_id, wire.payout.id, wire.attempt.id)
    await wire.database.write(wire.tracking.weigh_row, *at, "row of the first")

    assert await wire.alerts() == ["paid_after_release"]


@ON_SQLITE
async def test_yes_to_a_send_of_an_invoice_before_alarms(wire: Wire) -> None:
    (stalled,) = await wire.sends()
    await wire.database.write(send_anew, wire)

    await wire.tracking.take_answer(stalled, SendOutcome(A.SETTLED, None, None))

    assert (await wire.now()).state is S.PROCESSING
    assert await wire.alerts() == ["paid_after_release"]


@ON_SQLITE
async def test_what_turns_out_not_to_be_executed_after_a_sweep_may_be_sent_again(
    database: Database, clock: HandClock
) -> None:
    laid = await lay(database, clock)
    send = await laid.send_again()
    await laid.tracking.sweep(await laid.now())

    await laid.tracking.take_answer(send, SendOutcome(A.NOT_EXECUTED, "unauthenticated", "words"))

    found = await laid.now()
    assert (found.state, found.unknown_since) == (S.APPROVED, None)
