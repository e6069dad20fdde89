"""Every answer that Flash can give to a send: how the payout ends, and who decides that.

The rows of the table of answers, over real sockets with a clock that is moved by hand. Rows of
one batch stand in one window of the wallet's statement, so their amounts lie far apart: whatever
could be another payment's row decides nothing. The sandbox's ledger says what was really paid.

What pauses the wallet (401, limits) stands with the sends, a crash with the points it may come at.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from models.payout import EvidenceGrade, Payout
from models.payout import SendAnswer as A
from models.states import FINAL, PayoutState
from tests.services.test_statements import compare
from tests.support.clock import HandClock
from tests.support.sandbox import FlashAccount, Hand, Minted
from tests.support.shop import Shop, open_shop, settings_for, through

_SEND = "lnInvoicePaymentSend"
_EXPIRY_S = 300
# The pauses before repeats; then the invoice runs out, and Flash and the books say so twice.
_PAUSES_S = (2, 5, 16, 46, 121, _EXPIRY_S + 11 * 60, 6 * 60, 6 * 60)
_FIRST_SATS = 1_000
_BATCH = 10

Fault = tuple[str, dict[str, Any]]
AT_ONCE, REFUSED = "processing completed", "processing failed"
REPEATED = "processing in_flight processing completed"
DECIDED, GIVEN_UP = "processing in_flight completed", "processing in_flight failed"


@dataclass(frozen=True)
class Row:
    """One answer, or several in turn: what they count as, the way the payout goes, who decides."""

    name: str
    faults: tuple[Fault, ...]
    answers: tuple[A, ...]
    path: str
    by: str
    is_home: bool = False
    is_paid: bool = False
    # Whether the faults stay, so that every send meets them.
    stays: bool = False


def _fault(kind: str, **script: Any) -> Fault:
    return kind, script


def _refusals() -> Iterator[Row]:
    """This send did nothing."""
    for kind, script in (
        _fault("failure_empty_errors"),
        _fault("insufficient_balance"),
        _fault("send_error", code="INVALID_LNURL"),
        _fault("send_error", code="INVALID_INPUT", message="Another wallet's currency"),
        _fault("cutover_in_progress"),
        _fault("status_null"),
        _fault("html_body", status=400),
    ):
        name = f"{kind} {script.get('code', '')}".strip()
        yield Row(name, ((kind, script),), (A.REFUSED,), REFUSED, "the answer")


def _silences() -> Iterator[Row]:
    """Nobody knows, and the same send with the same key may be made again."""
    for kind, script in (
        _fault("busy_lock", executed=False),
        _fault("http_500", executed=True),
        _fault("http_500", executed=False),
        _fault("http_502", executed=True),
        _fault("http_502", executed=False),
        _fault("http_504", executed=True, delay_ms=20),
        _fault("ingress_503"),
        _fault("response_lost", executed=True),
        _fault("response_lost", executed=False),
        _fault("invalid_json", executed=True),
        _fault("html_body", executed=True),
    ):
        name = f"{kind}, executed: {script.get('executed', False)}"
        faults, answers = ((kind, script),), (A.UNKNOWN, A.SETTLED)
        yield Row(name, faults, answers, REPEATED, "R", is_paid=True)


_LONG = " ".join(["processing in_flight"] * 6)


def _endless_silences() -> Iterator[Row]:
    """Six sends, and never an answer."""
    lost = (_fault("response_lost", executed=False),)
    for is_home, by in ((True, "W"), (False, "B")):
        name, path = f"never an answer, home: {is_home}", f"{_LONG} failed"
        yield Row(name, lost, (A.UNKNOWN,) * 6, path, by, is_home, stays=True)
    # What was paid shows in the statement before the third.
    path = f"processing in_flight {DECIDED}"
    lost = (_fault("response_lost", executed=True),)
    yield Row("paid, never an answer", lost, (A.UNKNOWN,) * 2, path, "S", is_paid=True, stays=True)


def _pending() -> Iterator[Row]:
    """It is on its way, and never sent again."""
    for is_home, is_paid, by in ((True, True, "W"), (True, False, "W"), (False, True, "S")):
        fault = _fault(f"pending_then_{'success' if is_paid else 'failure'}", after_ms=1)
        path = DECIDED if is_paid else GIVEN_UP
        name = f"{fault[0]}, home: {is_home}"
        yield Row(name, (fault,), (A.PENDING,), path, by, is_home, is_paid)


def _errors() -> Iterator[Row]:
    """Nobody knows, and it must not be sent again: Flash keeps no errors under a key."""
    for kind, code in (
        ("generic_error", None),
        ("already_prepared", None),
        ("debited_but_error", None),
        ("send_error", "IBEX_ERROR"),
        ("send_error", "LIGHTNING_PAYMENT_ERROR"),
        ("send_error", "ALREADY_PAID"),
        ("send_error", "UNKNOWN_CLIENT_ERROR"),
        ("send_error", "UNEXPECTED_CLIENT_ERROR"),
        ("send_error", "DB_ERROR"),
        ("send_error", "INTERNAL_SERVER_ERROR"),
        ("send_error", "INVALID_INPUT"),
    ):
        script: dict[str, Any] = {} if code is None else {"code": code}
        if code == "INVALID_INPUT":
            script["message"] = "There is a pending payment for this invoice"
        whether = {"debited_but_error": (True,)}.get(kind, (True, False) if code else (False,))
        for was_paid in whether:
            more = {"executed": was_paid} if code else {}
            for is_home in (True, False):
                by = "W" if is_home else "S" if was_paid else "B"
                path = DECIDED if was_paid else GIVEN_UP
                name = f"{code or kind}, home: {is_home}, executed: {was_paid}"
                faults = ((kind, script | more),)
                yield Row(name, faults, (A.ERROR,), path, by, is_home, was_paid)


def _after_silence() -> Iterator[Row]:
    """A refusal of the repeat: kept under the key it is a look-up, any other says nothing."""
    silence = _fault("http_502", executed=False)
    path, answers = f"processing in_flight {GIVEN_UP}", (A.UNKNOWN, A.REFUSED)
    kept, own = _fault("failure_empty_errors"), _fault("status_null")
    yield Row("silence, then failure", (silence, kept), answers, path, "R")
    yield Row("silence, then a refusal, home", (silence, own), answers, path, "W", is_home=True)
    yield Row("silence, then a refusal", (silence, own), answers, path, "B")
    path = f"processing in_flight {DECIDED}"
    paid = (_fault("http_502", executed=True), _fault("html_body", status=400))
    yield Row("paid in silence, then a refusal", paid, answers, path, "S", is_paid=True)
    lock, answers = (_fault("busy_lock", executed=True),), (A.UNKNOWN, A.ERROR)
    yield Row("paid behind the lock, then an error", lock, answers, path, "S", is_paid=True)


SUCCESS = [
    Row(f"SUCCESS, home: {is_home}", (), (A.SETTLED,), AT_ONCE, "the answer", is_home, is_paid=True)
    for is_home in (True, False)
]
ROWS = [
    *(*SUCCESS, *_refusals(), *_silences(), *_endless_silences()),
    *(*_pending(), *_errors(), *_after_silence()),
]
BATCHES = [ROWS[start : start + _BATCH] for start in range(0, len(ROWS), _BATCH)]


@pytest.fixture
async def shop(
    sqlite_url: str, tmp_path: Path, hand: Hand, account: FlashAccount
) -> AsyncIterator[Shop]:
    """A shop whose machine may decide by its books."""
    settings = settings_for(sqlite_url, tmp_path, **through(hand, account, auto_release=True))
    async with open_shop(settings, HandClock(await hand.now())) as opened:
        yield opened


@pytest.mark.parametrize("batch", BATCHES, ids=lambda batch: batch[0].name)
async def test_every_answer_ends_without_a_person(shop: Shop, hand: Hand, batch: list[Row]) -> None:
    await compare(shop)  # a book to begin from
    await shop.later(hand, seconds=1)
    sent = [await send(shop, hand, row, number) for number, row in enumerate(batch)]

    for seconds in _PAUSES_S:
        await shop.later(hand, seconds=seconds)
        await compare(shop)

    found = {
        row.name: await outcome(shop, hand, row, payout_id, minted)
        for row, (payout_id, minted) in zip(batch, sent, strict=True)
    }
    assert found == {row.name: (row.answers, row.path, row.by, row.is_paid) for row in batch}
    assert await shop.container.books.audit(shop.store.id) == []


async def test_what_only_a_person_decides_waits_for_one(shop: Shop, hand: Hand) -> None:
    """The network failed what Flash called pending: no balance and no row ever tells that."""
    await compare(shop)
    row = Row("", (_fault("pending_then_failure", after_ms=1),), (A.PENDING,), "", "a person")
    payout_id, _ = await send(shop, hand, row, 0)

    for seconds in (*_PAUSES_S, 24 * 3_600):
        await shop.later(hand, seconds=seconds)
        await compare(shop)

    assert (await shop.payout(payout_id)).state is PayoutState.NEEDS_REVIEW


async def send(shop: Shop, hand: Hand, row: Row, number: int) -> tuple[str, Minted]:
    """Arm a row's faults and draw; nothing else of the batch costs about as much."""
    mint = hand.home_invoice if row.is_home else hand.foreign_invoice
    minted = await mint(_FIRST_SATS * 2**number, expiry_s=_EXPIRY_S)
    for kind, script in row.faults:
        times = {} if row.stays else {"times": 1}
        match = {"payment_hash": minted.hash, "operation": _SEND}
        await hand.fault(kind, match=match, **times, **script)
    payout_id = await shop.draw(await shop.pull_payment(), minted.pr)
    await shop.reaches(payout_id, PayoutState.IN_FLIGHT, *FINAL)
    return payout_id, minted


async def outcome(
    shop: Shop, hand: Hand, row: Row, payout_id: str, minted: Minted
) -> tuple[tuple[A | None, ...], str, str, bool]:
    payout = await shop.payout(payout_id)
    answers = tuple([each.answer for each in await shop.sends(payout_id)])
    path = " ".join((await shop.path(payout_id))[2:])
    if row.is_home and row.is_paid and path == AT_ONCE:
        # What the socket tells of a home invoice may come before the answer.
        answers, path = row.answers, row.path
    return answers, path, decider(payout, len(answers)), await hand.times_paid(minted.hash) == 1


def decider(payout: Payout, sends: int) -> str:
    """Return which rule decided: the answer itself, R, W, S, B, or nobody."""
    if payout.state is PayoutState.COMPLETED:
        by_grade = {EvidenceGrade.FLASH_INVOICE: "W", EvidenceGrade.STATEMENT: "S"}
        assert payout.evidence is not None
        return by_grade.get(payout.evidence, "R" if sends > 1 else "the answer")
    if payout.state is PayoutState.FAILED:
        by_code = {"invoice_expired": "W", "not_paid": "B"}
        return by_code.get(payout.error_code or "", "R" if sends > 1 else "the answer")
    return "nobody"
