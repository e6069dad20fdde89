"""How payouts end: mostly well, now and then in the ways that the service knows.

A fate takes a payout from `approved` on, as the wallet worker would; `decide` stands before it
where a person has to agree.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any, Final

from app.demo.life import PAYEE, SYSTEM, Actor, Life
from models.payout import (
    AttemptState,
    EvidenceGrade,
    PayeeHome,
    SendAnswer,
    SightingSource,
)
from models.states import PayoutState

_S = PayoutState
_SECOND_US: Final = 1_000_000
_MINUTE_US: Final = 60 * _SECOND_US

_NO_ROUTE: Final = "The payment could not be delivered."
_NO_WAY: Final = "No way was found to deliver this payment."
_SHORT: Final = "The wallet does not hold enough for this payout."
_ALREADY_PAID: Final = "This invoice is paid already."
_RUN_OUT: Final = "The invoice has run out."
_NOBODY_APPROVED: Final = "The invoice ran out before anybody approved it."
_REJECTIONS: Final = (
    ("duplicate", "Paid already on Tuesday's list."),
    ("no_receipt", "Please bring the receipt."),
    ("wrong_amount", "The permit costs less than this."),
    ("not_ours", "This belongs to the harbour office."),
)
_SILENCES: Final = ("cut", "timeout", "http_502", "busy_lock")
_HOME: Final = PayeeHome.HOME.value
_FOREIGN: Final = PayeeHome.FOREIGN.value
_SETTLED: Final = SendAnswer.SETTLED.value
_FLASH_SUCCESS: Final = EvidenceGrade.FLASH_SUCCESS.value
_FLASH_INVOICE: Final = EvidenceGrade.FLASH_INVOICE.value
_INVOICE_SEEN: Final = 0.3
_EXPIRED: Final = "invoice_expired"

Send = tuple[int, int, str, str | None]
"""When it was logged, when it was answered, what the answer says, and its code."""
Sighting = tuple[str, str, str | None, int]
"""From where, what it says, its code or none, and when."""


@dataclass(slots=True)
class Course:
    """What was done for one payout beside its steps."""

    # When the invoice ran out, if that is over.
    over_us: int | None = None
    home: str = PayeeHome.UNASKED.value
    attempt: str = AttemptState.LIVE.value
    sends: list[Send] = field(default_factory=list)
    sightings: list[Sighting] = field(default_factory=list)
    evidence: list[tuple[str, int]] = field(default_factory=list)
    # When the payment ended in Flash's core, and whether it was made.
    paid_us: int | None = None
    is_settled: bool = False
    decision: tuple[str, str | None, int] | None = None


def decide(
    chance: random.Random, life: Life, course: Course, at_us: int, until_us: int, owner: Actor
) -> int | None:
    """Let a claim wait for a person; returns when it was approved, or nothing if it was not."""
    life.step(_S.AWAITING_APPROVAL, at_us, PAYEE, "claimed")
    wait_us = int(chance.lognormvariate(3.0, 0.9) * _MINUTE_US)
    decided_us = at_us + max(_MINUTE_US, wait_us)
    if decided_us >= until_us:
        expired_us = until_us + chance.randrange(5 * _SECOND_US)
        life.step(_S.EXPIRED, expired_us, SYSTEM, _EXPIRED)
        life.error = (_EXPIRED, _NOBODY_APPROVED)
        course.attempt = AttemptState.DEAD.value
        return None
    draw = chance.random()
    if draw < 0.84:  # noqa: PLR2004  # most expenses are in order
        life.step(_S.APPROVED, decided_us, owner, "approved")
        course.decision = ("payout.approved", None, decided_us)
        return decided_us
    code, reason = ("cancelled", None) if draw < 0.89 else chance.choice(_REJECTIONS)  # noqa: PLR2004
    target = _S.CANCELLED if reason is None else _S.REJECTED
    life.step(target, decided_us, owner, code, reason)
    life.error = (code, reason)
    course.attempt = AttemptState.DEAD.value
    course.decision = (f"payout.{target.value}", reason, decided_us)
    return None


def pay(
    chance: random.Random,
    life: Life,
    course: Course,
    at_us: int,
    *,
    is_home: bool,
    is_reachable: bool,
) -> None:
    """Let the worker take an approved payout to its end."""
    draw = chance.random()
    course.home = _HOME if is_home else _FOREIGN
    start_us = at_us + chance.randrange(15_000, 90_000)
    reply_us = start_us + chance.randrange(140_000, 950_000)
    for least, fate in _HOME_FATES if is_home else _FOREIGN_FATES if is_reachable else _LOST_FATES:
        if draw >= least:
            fate(chance, life, course, start_us, reply_us)
            return


def _succeed(
    chance: random.Random, life: Life, course: Course, start_us: int, reply_us: int
) -> None:
    life.step(_S.PROCESSING, start_us, SYSTEM, "sent")
    _answer(course, start_us, reply_us, _SETTLED, None)
    _complete(life, course, _FLASH_SUCCESS, reply_us)
    course.paid_us = reply_us
    if course.home == _HOME and chance.random() < _INVOICE_SEEN:
        # The socket told the same a moment later; it adds nothing but its own word.
        seen_us = reply_us + chance.randrange(2_000, 30_000)
        course.sightings.append((SightingSource.SOCKET.value, "PAID", None, seen_us))
        course.evidence.append((_FLASH_INVOICE, seen_us))


def _pend(chance: random.Random, life: Life, course: Course, start_us: int, reply_us: int) -> None:
    """PENDING, and the word of the invoice's own status some time after."""
    life.step(_S.PROCESSING, start_us, SYSTEM, "sent")
    _answer(course, start_us, reply_us, SendAnswer.PENDING.value, None)
    life.step(_S.IN_FLIGHT, reply_us)
    paid_us = reply_us + chance.randrange(8 * _SECOND_US, 45 * _SECOND_US)
    source = SightingSource.SOCKET if chance.random() < 0.8 else SightingSource.STATUS  # noqa: PLR2004
    course.sightings.append((source.value, "PAID", None, paid_us))
    _complete(life, course, _FLASH_INVOICE, paid_us)
    course.paid_us = paid_us


def _repeat(
    chance: random.Random, life: Life, course: Course, start_us: int, reply_us: int
) -> None:
    """Silence, then the same send again under the same key, which finds it made."""
    silence = chance.choice(_SILENCES)
    life.step(_S.PROCESSING, start_us, SYSTEM, "sent")
    _answer(course, start_us, reply_us, SendAnswer.UNKNOWN.value, silence)
    life.step(_S.IN_FLIGHT, reply_us, SYSTEM, silence)
    again_us = reply_us + 2 * _SECOND_US + chance.randrange(_SECOND_US)
    life.step(_S.PROCESSING, again_us, SYSTEM, "sent_again")
    settled_us = again_us + chance.randrange(60_000, 300_000)
    _answer(course, again_us, settled_us, _SETTLED, None)
    _complete(life, course, _FLASH_SUCCESS, settled_us)
    course.paid_us = reply_us


def _no_route(
    _chance: random.Random, life: Life, course: Course, start_us: int, reply_us: int
) -> None:
    life.step(_S.PROCESSING, start_us, SYSTEM, "sent")
    _answer(course, start_us, reply_us, SendAnswer.REFUSED.value, "payment_failed")
    _fail(life, course, reply_us, "payment_failed", _NO_ROUTE)
    course.paid_us = reply_us


def _too_short(
    _chance: random.Random, life: Life, course: Course, start_us: int, reply_us: int
) -> None:
    life.step(_S.PROCESSING, start_us, SYSTEM, "sent")
    _answer(course, start_us, reply_us, SendAnswer.REFUSED.value, "INSUFFICIENT_BALANCE")
    _fail(life, course, reply_us, "INSUFFICIENT_BALANCE", _SHORT)


def _no_way(
    _chance: random.Random, life: Life, course: Course, start_us: int, _reply_us: int
) -> None:
    _fail(life, course, start_us, "probe_refused", _NO_WAY)


def _paid_by_another(
    _chance: random.Random, life: Life, course: Course, start_us: int, _reply_us: int
) -> None:
    course.home = PayeeHome.UNASKED.value
    _fail(life, course, start_us, "already_paid", _ALREADY_PAID)


def _run_out(
    chance: random.Random, life: Life, course: Course, start_us: int, reply_us: int
) -> None:
    """The wallet was stopped, and with five seconds left an invoice is not sent any more."""
    if course.over_us is None:
        _succeed(chance, life, course, start_us, reply_us)
        return
    course.home = PayeeHome.UNASKED.value
    course.attempt = AttemptState.DEAD.value
    life.step(_S.EXPIRED, course.over_us - 5 * _SECOND_US, SYSTEM, _EXPIRED)
    life.error = (_EXPIRED, _RUN_OUT)


# A draw at or above the number meets the fate; the first that fits is taken.
_Fates = tuple[tuple[float, Any], ...]
_HOME_FATES: Final[_Fates] = (
    (0.045, _succeed),
    (0.015, _pend),
    (0.008, _repeat),
    (0.005, _too_short),
    (0.003, _run_out),
    (0.0, _paid_by_another),
)
_FOREIGN_FATES: Final[_Fates] = (
    (0.045, _succeed),
    (0.035, _repeat),
    (0.03, _too_short),
    (0.008, _no_route),
    (0.0, _no_way),
)
_LOST_FATES: Final[_Fates] = ((0.25, _no_route), (0.0, _no_way))


def _answer(course: Course, start_us: int, reply_us: int, says: str, code: str | None) -> None:
    course.sends.append((start_us, reply_us, says, code))
    course.sightings.append((SightingSource.SEND.value, says, code, reply_us))


def _complete(life: Life, course: Course, grade: str, at_us: int) -> None:
    course.attempt = AttemptState.SETTLED.value
    course.is_settled = True
    course.evidence.append((grade, at_us))
    life.step(_S.COMPLETED, at_us, SYSTEM, grade)


def _fail(life: Life, course: Course, at_us: int, code: str, message: str) -> None:
    course.attempt = AttemptState.DEAD.value
    life.step(_S.FAILED, at_us, SYSTEM, code)
    life.error = (code, message)
