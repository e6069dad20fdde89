"""The one door for evidence: each report counts once, for what it says and no more."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest

from models.flash import InvoiceStatus, SendOutcome
from models.ids import Ids
from models.ledger import FUNDING, PAID
from models.payout import (
    Attempt,
    AttemptState,
    EvidenceGrade,
    PayeeHome,
    Payout,
    PayoutKind,
    Send,
    SendAnswer,
)
from models.payout import SightingSource as Source
from models.states import PayoutState
from models.store import PAYEE, SYSTEM
from models.wallet import Gate
from services.database import Database
from services.flash.answers import unreadable
from services.storage import attempt as attempts
from services.storage import ledger
from services.storage import payout as payouts
from services.storage import wallet as wallets
from services.storage.statement import Transaction
from services.tracking import Tracking
from services.vault import Vault
from tests.support.builders import Ground, a_payout, a_send, an_attempt, plant
from tests.support.clock import NOON, HandClock

A, S, Q, G = SendAnswer, PayoutState, InvoiceStatus, EvidenceGrade
GRACE, LATER = timedelta(minutes=10), timedelta(minutes=5)


@dataclass
class Wire:
    """A store with one payout that was sent, and the door its evidence comes through."""

    database: Database
    clock: HandClock
    vault: Vault
    tracking: Tracking
    ground: Ground
    payout: Payout
    attempt: Attempt
    preimage: str

    @property
    def hash(self) -> str:
        return self.attempt.payment_hash

    async def answer(self, answer: SendAnswer, code: str | None = None) -> Payout:
        """Have the newest send answered."""
        sends = await self.sends()
        await self.tracking.take_answer(sends[-1], SendOutcome(answer, code, "words"))
        return await self.now()

    async def send_again(self) -> Send:
        """Send once more, as rule R does."""
        number = len(await self.sends()) + 1
        send = a_send(self.attempt, number=number, logged_at=self.clock.utc_now())
        await self.database.write(put_on_wire, await self.now(), send)
        return send

    async def status(self, status: InvoiceStatus, *, clear: bool = False) -> Payout:
        """Have Flash say how the invoice is."""
        await self.tracking.take_status(self.hash, status, Source.STATUS, statement_clear=clear)
        return await self.now()

    async def now(self) -> Payout:
        read = self.database.read
        found = await read(payouts.read_payout, self.payout.store_id, self.payout.id)
        assert found is not None
        return found

    async def sends(self) -> list[Send]:
        read = self.database.read
        return await read(attempts.read_sends, self.payout.store_id, self.payout.id)

    async def attempt_state(self) -> AttemptState:
        read = self.database.read
        (found,) = await read(attempts.read_attempts, self.payout.store_id, self.payout.id)
        return found.state

    async def balances(self) -> dict[str, int]:
        found = await self.database.read(ledger.balances, self.payout.store_id)
        return {account: amount for (account, _), amount in found.items() if amount}

    async def alerts(self) -> list[str]:
        return [found.topic for found in await self.database.read(wallets.read_alerts, 10)]


def put_on_wire(tx: Transaction, payout: Payout, send: Send) -> None:
    payouts.move(tx, payout, S.PROCESSING, now=send.logged_at, actor=SYSTEM, fence=send.fence)
    attempts.add_send(tx, send)


def begin(tx: Transaction, payment_hash: str, **changes: Any) -> tuple[Ground, Payout, Attempt]:
    ground = plant(tx)
    draws = ground.pull_payment.id
    given = {"kind": PayoutKind.CLAIM, "pull_payment_id": draws, "payment_hash": payment_hash}
    payout = a_payout(ground.store, **given | changes)
    attempt = an_attempt(payout, home=PayeeHome.HOME)
    payouts.create(tx, payout, PAYEE)
    attempts.add_attempt(tx, attempt)
    approved = payouts.move(tx, payout, S.APPROVED, now=NOON, actor=PAYEE)
    return ground, approved, attempt


async def lay(database: Database, clock: HandClock, **changes: Any) -> Wire:
    """Return a wire on which nothing is yet."""
    preimage = secrets.token_bytes(32)
    found = await database.write(begin, sha256(preimage).hexdigest(), **changes)
    vault = Vault(bytes(range(32)))
    vault.new_data_key(found[0].store.id)
    tracking = Tracking(database, vault, clock, Ids(clock))
    return Wire(database, clock, vault, tracking, *found, preimage.hex())


@pytest.fixture
async def approved(database: Database, clock: HandClock) -> Wire:
    return await lay(database, clock)


@pytest.fixture
async def wire(approved: Wire) -> Wire:
    """A wire with one send that is not answered."""
    await approved.send_again()
    return approved


ANSWERS = [
    (A.SETTLED, S.COMPLETED, AttemptState.SETTLED),
    (A.REFUSED, S.FAILED, AttemptState.DEAD),
    (A.NOT_EXECUTED, S.APPROVED, AttemptState.LIVE),
    (A.PENDING, S.IN_FLIGHT, AttemptState.LIVE),
    (A.UNKNOWN, S.IN_FLIGHT, AttemptState.LIVE),
    (A.ERROR, S.IN_FLIGHT, AttemptState.LIVE),
]


@pytest.mark.parametrize(("answer", "state", "attempt_state"), ANSWERS)
async def test_the_only_sends_answer_decides(
    wire: Wire, answer: SendAnswer, state: PayoutState, attempt_state: AttemptState
) -> None:
    after = await wire.answer(answer, "code")

    assert after.state is state
    assert await wire.attempt_state() is attempt_state
    assert (after.evidence is G.FLASH_SUCCESS) is (answer is A.SETTLED)
    assert (after.unknown_since is None) is (answer not in {A.UNKNOWN, A.ERROR})


@pytest.mark.parametrize("answer", A)
async def test_an_answer_counts_once(wire: Wire, answer: SendAnswer) -> None:
    after = await wire.answer(answer)

    for other in A:
        assert await wire.answer(other) == after
    assert [send.answer for send in await wire.sends()] == [answer]


@pytest.mark.parametrize("silence", [A.UNKNOWN, A.ERROR, A.PENDING])
@pytest.mark.parametrize("second", [A.REFUSED, A.NOT_EXECUTED])
async def test_a_no_to_the_second_send_says_nothing_of_the_first(
    wire: Wire, silence: SendAnswer, second: SendAnswer
) -> None:
    await wire.answer(silence)
    await wire.send_again()

    after = await wire.answer(second, "payment_failed")

    assert after.state is S.IN_FLIGHT
    assert await wire.attempt_state() is AttemptState.LIVE


async def test_a_yes_to_any_send_completes(wire: Wire) -> None:
    await wire.answer(A.UNKNOWN)
    await wire.send_again()

    assert (await wire.answer(A.SETTLED)).state is S.COMPLETED


async def test_a_late_yes_to_the_first_send_completes_while_the_second_runs(wire: Wire) -> None:
    (first,) = await wire.sends()
    await wire.tracking.sweep(await wire.now())
    await wire.send_again()

    await wire.tracking.take_answer(first, SendOutcome(A.SETTLED, None, None))

    assert (await wire.now()).state is S.COMPLETED
    assert (await wire.answer(A.UNKNOWN)).state is S.COMPLETED


async def test_when_every_send_was_refused_the_payout_has_failed(wire: Wire) -> None:
    await wire.answer(A.NOT_EXECUTED, "limited")
    await wire.send_again()

    after = await wire.answer(A.REFUSED, "payment_failed")

    assert (after.state, after.error_code, after.error_message) == (
        S.FAILED,
        "payment_failed",
        "words",
    )


async def test_a_kept_failure_beside_silence_decides_after_the_grace(wire: Wire) -> None:
    await wire.answer(A.UNKNOWN)
    await wire.send_again()
    await wire.answer(A.REFUSED, "payment_failed")
    wire.clock.set(wire.attempt.invoice_expires_at + GRACE - timedelta(seconds=1))
    await wire.tracking.look_at_age(await wire.now())
    assert (await wire.now()).state is S.IN_FLIGHT

    wire.clock.advance(seconds=1)
    await wire.tracking.look_at_age(await wire.now())

    assert (await wire.now()).state is S.FAILED


async def test_paid_completes_and_stays_paid(wire: Wire) -> None:
    await wire.answer(A.UNKNOWN)

    paid = await wire.status(Q.PAID)
    wire.clock.advance(hours=3)

    assert (paid.state, paid.evidence) == (S.COMPLETED, G.FLASH_INVOICE)
    assert paid.unknown_since is None
    assert await wire.status(Q.EXPIRED, clear=True) == paid


async def test_paid_completes_even_before_the_answer_comes(wire: Wire) -> None:
    assert (await wire.status(Q.PAID)).state is S.COMPLETED

    after = await wire.answer(A.SETTLED)

    assert (after.state, after.evidence) == (S.COMPLETED, G.FLASH_SUCCESS)
    assert [send.answer for send in await wire.sends()] == [A.SETTLED]


async def test_an_invoice_paid_by_somebody_else_is_not_ours(approved: Wire) -> None:
    assert (await approved.status(Q.PAID)).state is S.APPROVED

    await approved.send_again()
    await approved.answer(A.NOT_EXECUTED)

    assert (await approved.status(Q.PAID)).state is S.APPROVED
    assert await approved.alerts() == []


@pytest.mark.parametrize("status", [Q.PENDING, Q.NOT_OURS, Q.UNSUPPORTED])
async def test_what_is_no_news_moves_nothing(wire: Wire, status: InvoiceStatus) -> None:
    before = await wire.answer(A.UNKNOWN)

    assert await wire.status(status) == before


async def test_news_of_a_strangers_invoice_are_ignored(wire: Wire) -> None:
    assert await wire.tracking.take_status("ab" * 32, Q.PAID, Source.SOCKET) is None
    assert await wire.tracking.take_preimage(wire.hash, "cd" * 32, Source.VERIFY) is None
    stranger = secrets.token_bytes(32)
    named = sha256(stranger).hexdigest()
    assert await wire.tracking.take_preimage(named, stranger.hex(), Source.VERIFY) is None

    assert (await wire.now()).state is S.PROCESSING


async def test_a_preimage_is_proof_and_is_kept_sealed(wire: Wire) -> None:
    await wire.answer(A.PENDING)

    await wire.tracking.take_preimage(wire.hash, wire.preimage, Source.VERIFY)

    after = await wire.now()
    assert (after.state, after.evidence) == (S.COMPLETED, G.PREIMAGE)
    (kept,) = await wire.database.read(attempts.read_evidence, after.store_id, after.id)
    assert kept.preimage_sealed is not None
    assert bytes.fromhex(wire.preimage) not in kept.preimage_sealed
    opened = wire.vault.of(after.store_id).open_text(
        kept.preimage_sealed, f"evidence/{after.id}/preimage"
    )
    assert opened == wire.preimage


async def test_evidence_only_gets_better(wire: Wire) -> None:
    grades = [(await wire.status(Q.PAID)).evidence]
    grades.append((await wire.answer(A.SETTLED)).evidence)
    await wire.tracking.take_preimage(wire.hash, wire.preimage, Source.VERIFY)
    grades.append((await wire.now()).evidence)
    grades.append((await wire.status(Q.PAID)).evidence)

    assert grades == [G.FLASH_INVOICE, G.FLASH_SUCCESS, G.PREIMAGE, G.PREIMAGE]
    kept = await wire.database.read(attempts.read_evidence, wire.payout.store_id, wire.payout.id)
    assert [evidence.grade for evidence in kept] == [G.PREIMAGE, G.FLASH_SUCCESS, G.FLASH_INVOICE]


async def test_the_same_report_is_recorded_once(wire: Wire) -> None:
    await wire.answer(A.UNKNOWN)
    for source in (Source.STATUS, Source.SOCKET, Source.SOCKET):
        await wire.tracking.take_status(wire.hash, Q.PAID, source)

    found = await wire.database.read(attempts.read_sightings, wire.payout.store_id, wire.payout.id)

    assert sorted((str(sighting.source), sighting.says) for sighting in found) == [
        ("send", "unknown"),
        ("socket", "PAID"),
        ("status", "PAID"),
    ]


async def test_expired_twice_with_a_clear_statement_gives_up(wire: Wire) -> None:
    await wire.answer(A.UNKNOWN)
    wire.clock.set(wire.attempt.invoice_expires_at + GRACE)
    assert (await wire.status(Q.EXPIRED, clear=True)).state is S.IN_FLIGHT

    wire.clock.advance(minutes=5)
    after = await wire.status(Q.EXPIRED, clear=True)

    assert (after.state, after.error_code) == (S.FAILED, "invoice_expired")
    assert await wire.attempt_state() is AttemptState.DEAD


@pytest.mark.parametrize(
    ("first", "second", "clear"),
    [
        (GRACE, LATER, False),
        (GRACE, LATER - timedelta(seconds=1), True),
        (GRACE - timedelta(seconds=1), LATER, True),
        (timedelta(), timedelta(minutes=1), True),
    ],
)
async def test_anything_less_does_not_give_up(
    wire: Wire, first: timedelta, second: timedelta, clear: bool
) -> None:
    await wire.answer(A.UNKNOWN)
    wire.clock.set(wire.attempt.invoice_expires_at + first)
    await wire.status(Q.EXPIRED, clear=True)
    wire.clock.set(wire.clock.utc_now() + second)

    assert (await wire.status(Q.EXPIRED, clear=clear)).state is S.IN_FLIGHT


async def test_what_nothing_decides_within_a_day_is_for_people(wire: Wire) -> None:
    await wire.answer(A.ERROR)
    wire.clock.set(wire.attempt.invoice_expires_at + timedelta(hours=24))

    await wire.tracking.look_at_age(await wire.now())

    after = await wire.now()
    assert after.state is S.NEEDS_REVIEW
    assert after.review_at == wire.clock.utc_now()
    assert (await wire.status(Q.PAID)).state is S.COMPLETED


async def test_a_sweep_calls_unknown_what_was_on_the_wire_and_only_that(wire: Wire) -> None:
    sent = await wire.now()

    await wire.tracking.sweep(sent)
    swept = await wire.now()
    await wire.tracking.sweep(sent)

    assert (swept.state, swept.error_code) == (S.IN_FLIGHT, "worker_gone")
    assert swept.unknown_since == wire.clock.utc_now()
    assert await wire.now() == swept


async def test_the_moment_of_the_first_doubt_is_kept(wire: Wire) -> None:
    since = (await wire.answer(A.UNKNOWN)).unknown_since
    wire.clock.advance(minutes=1)
    await wire.send_again()

    assert (await wire.answer(A.UNKNOWN)).unknown_since == since


@pytest.fixture
async def released(wire: Wire) -> Wire:
    """A payout that was given up though its send had no answer."""
    await wire.answer(A.UNKNOWN)
    wire.clock.set(wire.attempt.invoice_expires_at + GRACE)
    await wire.status(Q.EXPIRED, clear=True)
    wire.clock.advance(minutes=5)
    assert (await wire.status(Q.EXPIRED, clear=True)).state is S.FAILED
    return wire


async def test_money_that_left_after_all_alarms_and_is_booked(released: Wire) -> None:
    before = await released.balances()

    after = await released.status(Q.PAID)

    assert after.state is S.FAILED
    assert await released.alerts() == ["paid_after_release"]
    wallet = await released.database.read(wallets.read_wallet, after.store_id)
    assert wallet is not None
    assert (wallet.gate, wallet.gate_reason) == (Gate.SHUT, "paid_after_release")
    units = after.original_amount
    assert await released.balances() == before | {FUNDING: before[FUNDING] - units, PAID: units}


async def test_more_evidence_of_it_is_kept_and_alarms_no_second_time(released: Wire) -> None:
    await released.status(Q.PAID)
    before = await released.balances()

    await released.tracking.take_preimage(released.hash, released.preimage, Source.VERIFY)
    await released.status(Q.PAID)

    assert await released.balances() == before
    assert await released.alerts() == ["paid_after_release"]
    kept = await released.database.read(
        attempts.read_evidence, released.payout.store_id, released.payout.id
    )
    assert [evidence.grade for evidence in kept] == [G.PREIMAGE, G.FLASH_INVOICE]


@pytest.mark.parametrize("run", range(8))
async def test_evidence_from_two_sides_at_once_settles_once(wire: Wire, run: int) -> None:
    del run
    (send,) = await wire.sends()
    await asyncio.gather(
        wire.tracking.take_status(wire.hash, Q.PAID, Source.SOCKET),
        wire.tracking.take_answer(send, SendOutcome(A.SETTLED, None, None)),
        wire.tracking.take_preimage(wire.hash, wire.preimage, Source.VERIFY),
        wire.tracking.take_status(wire.hash, Q.PAID, Source.STATUS),
    )

    after = await wire.now()
    assert (after.state, after.evidence) == (S.COMPLETED, G.PREIMAGE)
    events = await wire.database.read(payouts.read_events, after.store_id, after.id)
    assert [event.target for event in events].count(S.COMPLETED) == 1
    assert await wire.balances() == {
        FUNDING: -1_000_000,
        f"budget:{wire.ground.pull_payment.id}": 999_000,
        PAID: 1_000,
    }


@pytest.mark.parametrize("run", range(8))
async def test_an_answer_and_a_sweep_at_once_lose_neither(wire: Wire, run: int) -> None:
    del run
    (send,) = await wire.sends()
    before = await wire.now()

    await asyncio.gather(
        wire.tracking.sweep(before),
        wire.tracking.take_answer(send, SendOutcome(A.SETTLED, None, None)),
    )

    assert (await wire.now()).state is S.COMPLETED


async def test_a_claimant_without_cover_is_told_at_once(wire: Wire) -> None:
    after = await wire.answer(A.REFUSED, "INSUFFICIENT_BALANCE")

    assert (after.state, after.error_code) == (S.FAILED, "INSUFFICIENT_BALANCE")
    assert await wire.alerts() == []


@pytest.mark.parametrize("why", [{"kind": PayoutKind.MANUAL}, {"eligible_at": NOON}], ids=str)
async def test_what_a_person_let_go_waits_for_cover_and_alerts_once(
    database: Database, clock: HandClock, why: dict[str, Any]
) -> None:
    wire = await lay(database, clock, **why)
    for _ in range(2):
        await wire.send_again()
        assert (await wire.answer(A.REFUSED, "INSUFFICIENT_BALANCE")).state is S.APPROVED
    short = await database.read(wallets.read_wallet, wire.payout.store_id)
    assert short is not None
    assert short.short_since == NOON
    assert await wire.alerts() == ["wallet_short"]

    await wire.send_again()
    await wire.answer(A.SETTLED)

    covered = await database.read(wallets.read_wallet, wire.payout.store_id)
    assert covered is not None
    assert covered.short_since is None


async def test_silence_keeps_the_money_reserved(wire: Wire) -> None:
    await wire.tracking.take_answer((await wire.sends())[0], unreadable("timeout"))

    balances = await wire.balances()

    assert balances["in_transit"] == 1_000
    assert balances[f"budget:{wire.ground.pull_payment.id}"] == 999_000
