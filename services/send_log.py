"""Transactions around a send: the intent before it, refusals without it, what is near it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from models.flash import StatementRow
from models.money import MSAT_PER_SAT, NANOUSD_PER_CENT, Rate
from models.payout import Attempt, AttemptState, PayeeHome, Payout, Send
from models.states import PayoutState
from models.store import SYSTEM
from services import attempt_policy
from services.storage import attempt as attempts
from services.storage import payout as payouts
from services.storage import wallet as wallets
from services.storage.statement import Transaction

# Flash's list may show a payment later than it was made, and its clock is not ours.
WINDOW_BEFORE = timedelta(minutes=2)
WINDOW_AFTER = timedelta(hours=1)
INVOICE_EXPIRED = "invoice_expired"


def log_send(
    tx: Transaction, payout: Payout, attempt: Attempt, wallet_id: str, fence: int, now: datetime
) -> Send | None:
    """Commit the intent to send: the send row, and the payout in `processing`.

    Nothing comes back if the gate is shut, a stop is on, the lease was lost, or rule R no longer
    allows the repeat; then nothing is written.

    Raises:
        StateChanged: The payout moved since it was read.
    """
    if not wallets.may_send(tx, payout.store_id, wallet_id, fence):
        return None
    sends = _sends_of(tx, attempt)
    if payout.state is PayoutState.IN_FLIGHT:
        due = attempt_policy.repeat_due(attempt, sends, has_key=True)
        if due is None or due > now:
            return None
    send = Send(
        store_id=payout.store_id,
        payout_id=payout.id,
        attempt_id=attempt.id,
        number=len(sends) + 1,
        idempotency_key=attempt.id,
        fence=fence,
        logged_at=now,
        answered_at=None,
        answer=None,
        answer_code=None,
    )
    payouts.move(
        tx,
        payout,
        PayoutState.PROCESSING,
        now=now,
        actor=SYSTEM,
        reason_code="sent" if send.number == 1 else "sent_again",
        wallet_id=wallet_id,
        fence=fence,
        attempts=attempt.number,
    )
    attempts.add_send(tx, send)
    return send


def know_home(tx: Transaction, attempt: Attempt, home: PayeeHome) -> Attempt:
    """Remember whether Flash issued the invoice."""
    attempts.set_home(tx, attempt, home)
    return replace(attempt, home=home)


def read_live(tx: Transaction, payout: Payout) -> tuple[Attempt | None, list[Send]]:
    """Return the live attempt of a payout with its sends."""
    attempt = attempts.live_attempt(tx, payout.store_id, payout.id)
    return attempt, [] if attempt is None else _sends_of(tx, attempt)


def refuse_unsent(
    tx: Transaction,
    payout: Payout,
    attempt: Attempt,
    code: str | None,
    message: str | None,
    now: datetime,
) -> Payout:
    """Close an approved payout that has nothing on the wire: expired, or failed for a reason.

    Raises:
        StateChanged: The payout moved since it was read.
    """
    attempts.set_attempt_state(tx, attempt, AttemptState.DEAD)
    return payouts.move(
        tx,
        payout,
        PayoutState.EXPIRED if code == INVOICE_EXPIRED else PayoutState.FAILED,
        now=now,
        actor=SYSTEM,
        reason_code=code,
        error_code=code,
        error_message=message,
    )


def settled_near(tx: Transaction, attempt: Attempt, rate: Rate) -> int:
    """Count our settled attempts near an unknown one, of about the same amount."""
    tolerance = attempt_policy.tolerance_msat(attempt.amount_msat)
    del rate
    return attempts.count_settled(
        tx,
        attempt.store_id,
        since=attempt.created_at - WINDOW_BEFORE,
        until=attempt.invoice_expires_at + WINDOW_AFTER,
        least_msat=attempt.amount_msat - 2 * tolerance,
        most_msat=attempt.amount_msat + 2 * tolerance,
    )


def has_no_unclaimed_row(
    rows: Sequence[StatementRow], settled: int, attempt: Attempt, rate: Rate
) -> bool:
    """Tell whether the wallet's list has no row left that could be the unknown payment.

    An empty list proves nothing: Flash also answers one when its custodian fails.
    """
    if not rows:
        return False
    expected = rate.minor_floor(attempt.amount_msat * NANOUSD_PER_CENT)
    sat = rate.minor_floor(MSAT_PER_SAT * NANOUSD_PER_CENT)
    # The price moved since; a wider net can only keep us from deciding.
    drift = expected // 20
    since = attempt.created_at - WINDOW_BEFORE
    until = attempt.invoice_expires_at + WINDOW_AFTER
    near = sum(
        row.is_send
        and since <= row.at <= until
        and (
            row.amount_nanousd is None
            or abs(row.amount_nanousd - expected) <= drift
            or attempt_policy.fits(row.amount_nanousd, expected, sat)
        )
        for row in rows
    )
    return near <= settled


def _sends_of(tx: Transaction, attempt: Attempt) -> list[Send]:
    found = attempts.read_sends(tx, attempt.store_id, attempt.payout_id)
    return [send for send in found if send.attempt_id == attempt.id]
