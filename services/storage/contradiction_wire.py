"""What attempts, sends, evidence and holds of payouts must never say."""

from __future__ import annotations

from typing import Any

from sqlalchemy import and_, case, exists, func, or_, select, type_coerce

from models.instants import MICROSECOND
from models.invariant import Invariant
from models.payout import AttemptState, EvidenceGrade, SendAnswer
from models.statement import DebitState, RowState
from models.states import ON_THE_WIRE, RELEASED, PayoutState
from models.tables.base import table_of
from models.tables.card import TapRow
from models.tables.columns import BigKey
from models.tables.hold import HoldRow
from models.tables.ledger import LedgerRow
from models.tables.payout import AttemptRow, EvidenceRow, SendRow
from models.tables.statement import DebitRow, StatementRowRow
from services.storage.contradiction_path import CLOCK_SLACK
from services.storage.ledger import AFTER_RELEASE
from services.storage.payout_slice import IN_SLICE, PAYOUTS, Contradiction, contradiction
from services.storage.statement import among

_attempts = table_of(AttemptRow)
_sends = table_of(SendRow)
_evidence = table_of(EvidenceRow)
_ledger = table_of(LedgerRow)
_holds = table_of(HoldRow)
_taps = table_of(TapRow)
_debits = table_of(DebitRow)
_rows = table_of(StatementRowRow)
_other = PAYOUTS.alias("other")
_earlier = _sends.alias("earlier")
# A claim, a hold and a send may be dated by three machines.
_SLACK_US = CLOCK_SLACK // MICROSECOND

_state = PAYOUTS.c.state
_is_settled = among(_state, (PayoutState.COMPLETED, PayoutState.REVERSED))
_is_released = among(_state, RELEASED)
_is_waiting = among(
    _state, (PayoutState.PENDING, PayoutState.AWAITING_APPROVAL, PayoutState.APPROVED)
)
_of_payout = _attempts.c.payout_id == PAYOUTS.c.id
_attempt_is = {
    state: exists().where(_of_payout, _attempts.c.state == state) for state in AttemptState
}
_live = func.count(case((_attempts.c.state == AttemptState.LIVE, 1)))
_late_leg = and_(
    _ledger.c.payout_id == PAYOUTS.c.id,
    _ledger.c.leg == 0,
    _ledger.c.transaction_id.like(f"%{AFTER_RELEASE}"),
)
_was_paid_late = exists().where(_late_leg)
_late = select(func.count()).select_from(_ledger).where(_late_leg).scalar_subquery()
_settled = (
    select(func.count())
    .select_from(_attempts)
    .where(_of_payout, _attempts.c.state == AttemptState.SETTLED)
    .correlate(PAYOUTS)
    .scalar_subquery()
)
_did_nothing = among(_sends.c.answer, (SendAnswer.REFUSED, SendAnswer.NOT_EXECUTED))
_sent = exists().where(_sends.c.payout_id == PAYOUTS.c.id)


def _us(column: Any) -> Any:
    return type_coerce(column, BigKey)


def _payouts(*more: Any) -> Any:
    return select(PAYOUTS.c.id, _state, *more).where(*IN_SLICE)


_SENDS_OF = PAYOUTS.join(_sends, _sends.c.payout_id == PAYOUTS.c.id).join(
    _attempts, _attempts.c.id == _sends.c.attempt_id
)
WIRE: dict[Invariant, tuple[Contradiction, ...]] = {
    Invariant.PAID_ONCE: (
        contradiction(
            "It is {0}, and {1} attempts of it were paid.",
            _payouts(_settled + _late).where(_settled + _late > 1),
        ),
    ),
    Invariant.EVIDENCE: (
        contradiction(
            "It is {0} by {1}, but no such evidence is kept.",
            _payouts(PAYOUTS.c.evidence).where(
                _is_settled,
                ~exists().where(
                    _evidence.c.payout_id == PAYOUTS.c.id, _evidence.c.grade == PAYOUTS.c.evidence
                ),
            ),
        ),
        contradiction(
            "It is {0}, though there is evidence that it was paid.",
            _payouts().where(
                ~_is_settled,
                or_(~_is_released, ~_was_paid_late),
                exists().where(_evidence.c.payout_id == PAYOUTS.c.id),
            ),
        ),
        contradiction(
            "It is {0} by a preimage that is not kept.",
            _payouts().where(
                exists().where(
                    _evidence.c.payout_id == PAYOUTS.c.id,
                    _evidence.c.grade == EvidenceGrade.PREIMAGE,
                    _evidence.c.preimage_sealed.is_(None),
                )
            ),
        ),
    ),
    Invariant.RELEASED: (
        contradiction(
            "It is {0}, but an attempt of it is live or paid.",
            _payouts().where(
                _is_released,
                or_(_attempt_is[AttemptState.LIVE], _attempt_is[AttemptState.SETTLED]),
            ),
        ),
        contradiction(
            "It is {0}, but an attempt of it was paid.",
            _payouts().where(~_is_released, ~_is_settled, _attempt_is[AttemptState.SETTLED]),
        ),
        contradiction(
            "It is {0}, but no attempt of it was paid.",
            _payouts().where(_is_settled, ~_attempt_is[AttemptState.SETTLED]),
        ),
    ),
    Invariant.LOGGED: (
        contradiction(
            "It is {0}, but no send of it was logged.",
            _payouts().where(or_(among(_state, ON_THE_WIRE), _is_settled), ~_sent),
        ),
        contradiction(
            "It is {0}; send {1} of it was answered before it was logged.",
            _payouts(_sends.c.number)
            .select_from(_SENDS_OF)
            .where(
                or_(
                    _sends.c.answered_at < _sends.c.logged_at,
                    _us(_sends.c.logged_at) + _SLACK_US < _us(_attempts.c.created_at),
                )
            ),
        ),
        contradiction(
            "It is {0}; of {1} sends the last has number {2}.",
            _payouts(func.count(), func.max(_sends.c.number))
            .select_from(_SENDS_OF)
            .group_by(PAYOUTS.c.id, _state, _sends.c.attempt_id)
            .having(
                or_(
                    func.count() != func.max(_sends.c.number),
                    func.count(_sends.c.idempotency_key.distinct()) > 1,
                )
            ),
        ),
    ),
    Invariant.REPEATS: (
        contradiction(
            "It is {0}; send {1} came after an answer that says {2}.",
            _payouts(_sends.c.number, _earlier.c.answer)
            .select_from(
                _SENDS_OF.join(
                    _earlier,
                    and_(
                        _earlier.c.attempt_id == _sends.c.attempt_id,
                        _earlier.c.number < _sends.c.number,
                    ),
                )
            )
            .where(
                _earlier.c.answered_at <= _sends.c.logged_at,
                among(
                    _earlier.c.answer, (SendAnswer.SETTLED, SendAnswer.PENDING, SendAnswer.ERROR)
                ),
            ),
        ),
    ),
    Invariant.OFF_WIRE: (
        contradiction(
            "It is {0}, but send {1} of its live invoice may have gone.",
            _payouts(_sends.c.number)
            .select_from(_SENDS_OF)
            .where(
                _is_waiting,
                _attempts.c.state == AttemptState.LIVE,
                or_(_sends.c.answer.is_(None), ~_did_nothing),
            ),
        ),
        contradiction(
            "It is {0}, but send {1} of it was answered: settled.",
            _payouts(_sends.c.number)
            .select_from(_SENDS_OF)
            .where(_is_released, _sends.c.answer == SendAnswer.SETTLED, ~_was_paid_late),
        ),
    ),
    Invariant.ONE_INVOICE: (
        contradiction(
            "It is {0} with {1} live invoices.",
            _payouts(_live)
            .select_from(PAYOUTS.outerjoin(_attempts, _of_payout))
            .group_by(PAYOUTS.c.id, _state)
            .having(or_(_live > 1, and_(among(_state, ON_THE_WIRE), _live != 1))),
        ),
    ),
    Invariant.HELD: (
        contradiction(
            "It is {0}; send {1} was logged while it was held.",
            _payouts(_sends.c.number)
            .select_from(_SENDS_OF.join(_holds, _holds.c.payout_id == PAYOUTS.c.id))
            .where(
                _us(_holds.c.placed_at) + _SLACK_US < _us(_sends.c.logged_at),
                or_(
                    _holds.c.released_at.is_(None),
                    _us(_holds.c.released_at) > _us(_sends.c.logged_at) + _SLACK_US,
                ),
            ),
        ),
    ),
    Invariant.UNIQUE_HASH: (
        contradiction(
            "It is {0}; {1} pays the same invoice.",
            _payouts(_other.c.id).select_from(
                PAYOUTS.join(
                    _other,
                    and_(
                        _other.c.store_id == PAYOUTS.c.store_id,
                        _other.c.payment_hash == PAYOUTS.c.payment_hash,
                        _other.c.id != PAYOUTS.c.id,
                    ),
                )
            ),
        ),
    ),
    Invariant.UNIQUE_TAP: (
        contradiction(
            "It is {0}; its tap belongs to another payout, or to none.",
            _payouts().where(
                PAYOUTS.c.tap_id.is_not(None),
                ~exists().where(_taps.c.id == PAYOUTS.c.tap_id, _taps.c.payout_id == PAYOUTS.c.id),
            ),
        ),
    ),
    Invariant.UNIQUE_ROW: (
        contradiction(
            "It is {0}; the row that it says it claimed says otherwise.",
            _payouts()
            .select_from(
                PAYOUTS.join(_attempts, _of_payout).join(
                    _debits, _debits.c.attempt_id == _attempts.c.id
                )
            )
            .where(
                _debits.c.state == DebitState.CLAIMED,
                ~exists().where(
                    _rows.c.store_id == _debits.c.store_id,
                    _rows.c.id == _debits.c.row_id,
                    _rows.c.state == RowState.CLAIMED,
                    _rows.c.attempt_id == _debits.c.attempt_id,
                ),
            ),
        ),
    ),
}
