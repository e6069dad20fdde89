"""What is known of a payout, weighed: pure rules R, W and the give-up rule, no clock, no wire.

The rules answer for the sends of one attempt. A reply speaks for its own send only.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from models.payout import Attempt, PayeeHome, Send, SendAnswer

REPEAT_AFTER = (
    timedelta(seconds=2),
    timedelta(seconds=5),
    timedelta(seconds=15),
    timedelta(seconds=45),
    timedelta(minutes=2),
)
MAX_SENDS = 6
REPEAT_WINDOW = timedelta(hours=20)
KEY_LIFE = timedelta(hours=24)  # so long Flash keeps a result under its key
MIN_INVOICE_LEFT = timedelta(seconds=5)
EXPIRY_GRACE = timedelta(minutes=10)
EXPIRED_TWICE_APART = timedelta(minutes=5)
# The code of a FAILURE with empty errors, the only failure that Flash stores under a key.
KEPT_FAILURE = "payment_failed"
REVIEW_AFTER = timedelta(hours=24)
# Look-ups of a home invoice: soon at first, then ever more slowly.
LOOK_UP_AFTER = (
    timedelta(seconds=2),
    timedelta(seconds=5),
    timedelta(seconds=10),
    timedelta(seconds=30),
    timedelta(minutes=1),
    timedelta(minutes=5),
)

# Answers after which this send has certainly moved no money.
_DID_NOTHING = frozenset({SendAnswer.REFUSED, SendAnswer.NOT_EXECUTED})


def may_begin(attempt: Attempt, now: datetime) -> bool:
    """Tell whether an invoice lives long enough for a send to begin."""
    return now < attempt.invoice_expires_at - MIN_INVOICE_LEFT


def tries(sends: Sequence[Send]) -> int:
    """Return how many sends count as tries; a limiter's or a 401's answer does not."""
    return sum(send.answer is not SendAnswer.NOT_EXECUTED for send in sends)


def all_did_nothing(sends: Sequence[Send]) -> bool:
    """Tell whether every logged send was answered, and each answer says it did nothing."""
    return none_was_made([send.answer for send in sends])


def none_was_made(answers: Sequence[SendAnswer | None]) -> bool:
    """Tell the same by the answers alone."""
    return all(answer in _DID_NOTHING for answer in answers)


def is_unknown(sends: Sequence[Send]) -> bool:
    """Tell whether some send got no answer, an unreadable one, or an error."""
    unclear = (None, SendAnswer.UNKNOWN, SendAnswer.ERROR)
    return any(send.answer in unclear for send in sends)


def repeat_due(attempt: Attempt, sends: Sequence[Send], *, flash_wallet_id: str) -> datetime | None:
    """Return when rule R allows the same send again, or nothing if it never does.

    Only silence is repeated: never a PENDING, and never after an error, because Flash keeps no
    errors under a key and would run the payment anew. Only through the same wallet of Flash: that
    is the key's scope.
    """
    if not sends or tries(sends) >= MAX_SENDS:
        return None
    if any(
        send.idempotency_key is None or send.flash_wallet_id != flash_wallet_id for send in sends
    ):
        return None
    repeatable = (None, SendAnswer.UNKNOWN, SendAnswer.NOT_EXECUTED)
    if any(send.answer not in repeatable for send in sends):
        return None
    last = sends[-1]
    waited = last.answered_at or last.logged_at
    due = waited + REPEAT_AFTER[min(tries(sends), len(REPEAT_AFTER)) - 1 if tries(sends) else 0]
    return due if due <= _last_repeat(attempt, sends) else None


def may_repeat(
    attempt: Attempt, sends: Sequence[Send], now: datetime, *, flash_wallet_id: str
) -> bool:
    """Tell whether rule R allows the same send again at this moment: due, and not too late.

    A worker that was away for long finds repeats that fell due long ago: by now the invoice may
    have run out, or Flash may have forgotten the key and would run the payment anew.
    """
    due = repeat_due(attempt, sends, flash_wallet_id=flash_wallet_id)
    return due is not None and due <= now <= _last_repeat(attempt, sends)


def _last_repeat(attempt: Attempt, sends: Sequence[Send]) -> datetime:
    return min(attempt.invoice_expires_at - MIN_INVOICE_LEFT, sends[0].logged_at + REPEAT_WINDOW)


def look_up_due(attempt: Attempt, last_asked_at: datetime, asked: int) -> datetime | None:
    """Return when to ask again about an invoice; nothing where there is nobody to ask.

    Flash knows its own invoices; of others only a recipient's server may know (LUD-21).
    """
    if attempt.home is not PayeeHome.HOME and attempt.verify_sealed is None:
        return None
    return last_asked_at + LOOK_UP_AFTER[min(asked, len(LOOK_UP_AFTER) - 1)]


def is_refused_and_over(attempt: Attempt, sends: Sequence[Send], now: datetime) -> bool:
    """Tell whether a refusal, with other sends unanswered, has outlived the invoice by the grace.

    Only a FAILURE without errors counts: Flash keeps it under the key, so its replay is a look-up
    that said failed. Any other refusal speaks for its own send alone, and may even come from the
    debit of the send before. And only if Flash kept it until the invoice ran out: once it has
    forgotten the key, a send that was on its way for long would run.
    """
    refused = any(
        send.answer is SendAnswer.REFUSED and send.answer_code == KEPT_FAILURE for send in sends
    )
    open_answers = (SendAnswer.PENDING, SendAnswer.ERROR)
    is_open = any(send.answer in open_answers for send in sends)
    was_kept = bool(sends) and attempt.invoice_expires_at <= sends[0].logged_at + KEY_LIFE
    is_over = now >= attempt.invoice_expires_at + EXPIRY_GRACE
    return refused and not is_open and was_kept and is_over


def expired_counts(attempt: Attempt, now: datetime) -> bool:
    """Tell whether an EXPIRED seen now may be the first of the two that rule W asks for."""
    return attempt.home is PayeeHome.HOME and now >= attempt.invoice_expires_at + EXPIRY_GRACE


def expired_twice(attempt: Attempt, now: datetime) -> bool:
    """Tell whether an EXPIRED seen now is the second, five minutes after the first."""
    seen = attempt.expired_seen_at
    return seen is not None and expired_counts(attempt, now) and now >= seen + EXPIRED_TWICE_APART


def review_due(attempt: Attempt) -> datetime:
    """Return when a payout that nothing decides becomes a person's."""
    return attempt.invoice_expires_at + REVIEW_AFTER


def fits(amount_nanousd: int, expected_nanousd: int, sat_nanousd: int) -> bool:
    """Tell whether a statement row may be an expected payment: within 2 sats or 0.2 %."""
    off = abs(amount_nanousd - expected_nanousd)
    return off <= tolerance(expected_nanousd, 2 * sat_nanousd)


def tolerance(amount: int, two_sats: int) -> int:
    """Return how far a statement row may be off: 2 sats or 0.2 %, in the unit of both."""
    return max(two_sats, amount // 500)


def tolerance_msat(amount_msat: int) -> int:
    """Return how far a statement row may be off: 2 sats or 0.2 %, whichever is more."""
    return tolerance(amount_msat, 2_000)
