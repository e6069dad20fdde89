"""Transactions around a send: the intent before it, refusals without it, what is near it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from models.errors import StateChanged
from models.flash import StatementRow
from models.money import NANOUSD_PER_CENT, Rate
from models.payout import Attempt, AttemptState, Payout, Send
from models.statement import Debit, DebitState, RowState
from models.states import PayoutState
from models.store import SYSTEM
from services import attempt_policy
from services.mutation_policy import msat_per_cent
from services.storage import attempt as attempts
from services.storage import hold as holds
from services.storage import ledger
from services.storage import payout as payouts
from services.storage import statement_row as statement_rows
from services.storage import wallet as wallets
from services.storage.statement import Transaction

# Flash's list may show a payment later than it was made, and its clock is not ours.
WINDOW_BEFORE = timedelta(minutes=2)
WINDOW_AFTER = timedelta(hours=1)
INVOICE_EXPIRED = "invoice_expired"
PAID_AFTER_RELEASE = "paid_after_release"
STATEMENT_ROWS = 100  # Flash shows no more
LISTED_AFTER = timedelta(minutes=5)  # Flash's list lags behind its answers
SKEW = timedelta(minutes=2)  # Flash's clock is not ours
PRICE_DRIFT_PARTS = 4  # the price may be a quarter off the one of the payment


@dataclass(frozen=True, slots=True)
class Near:
    """Rows that others claimed, and the spans in which settled ones without a row were debited."""

    claimed: frozenset[str] = frozenset()
    settled: tuple[tuple[datetime, datetime], ...] = ()


@dataclass(frozen=True, slots=True)
class Way:
    """How a send goes: by which wallet of ours and of Flash, under which fence, keyed or not."""

    wallet_id: str
    fence: int
    flash_wallet_id: str
    takes_keys: bool


def log_send(
    tx: Transaction,
    payout: Payout,
    attempt: Attempt,
    way: Way,
    now: datetime,
    expected: Debit | None = None,
) -> Send | None:
    """Commit the intent to send: the send row, and the payout in `processing`.

    A payout that turns out to have been paid by an invoice before is closed instead.
    Nothing comes back if the gate is shut, a stop or hold is on, the lease was lost, the invoice
    is about to run out, or rule R no longer allows the repeat; then nothing is written but the
    payee's home, which is asked for once. `expected` is the debit to look for in the statement.

    Raises:
        StateChanged: The payout moved since it was read.
    """
    if payouts.lock_payout(tx, payout.store_id, payout.id) != payout:
        raise StateChanged(payout.id, payout.state)
    known = attempts.read_attempts(tx, payout.store_id, payout.id)
    if not any(each.id == attempt.id and each.state is AttemptState.LIVE for each in known):
        raise StateChanged(payout.id, payout.state)  # its invoice has run out meanwhile
    is_repeat = payout.state is PayoutState.IN_FLIGHT
    if not is_repeat:
        attempts.set_home(tx, attempt, attempt.home)
    if not wallets.lock_may_send(tx, payout.store_id, way.wallet_id, way.fence):
        return None
    if ledger.is_posted_after_release(tx, [each.id for each in known]):
        if not is_repeat:
            message = "It was paid after all; see the alarm."
            _close_unsent(tx, payout, attempt, PAID_AFTER_RELEASE, message, now)
        return None
    is_held = holds.open_hold(tx, payout.store_id, payout.id) is not None
    if is_held or not attempt_policy.may_begin(attempt, now):
        return None
    sends = _sends_of(tx, attempt)
    if is_repeat and not attempt_policy.may_repeat(
        attempt, sends, now, flash_wallet_id=way.flash_wallet_id
    ):
        return None
    send = _next_send(attempt, way, len(sends) + 1, now)
    payouts.move(
        tx,
        payout,
        PayoutState.PROCESSING,
        now=now,
        actor=SYSTEM,
        reason_code="sent" if send.number == 1 else "sent_again",
        wallet_id=way.wallet_id,
        fence=way.fence,
        attempts=attempt.number,
    )
    attempts.add_send(tx, send)
    if expected is not None:
        # Sends before that did nothing say nothing of the wallet, the price and the time of this.
        is_first = attempt_policy.all_did_nothing(sends)
        (statement_rows.expect_anew if is_first else statement_rows.add_debit)(tx, expected)
    return send


def _next_send(attempt: Attempt, way: Way, number: int, now: datetime) -> Send:
    return Send(
        store_id=attempt.store_id,
        payout_id=attempt.payout_id,
        attempt_id=attempt.id,
        number=number,
        flash_wallet_id=way.flash_wallet_id,
        idempotency_key=attempt.id if way.takes_keys else None,
        fence=way.fence,
        logged_at=now,
        answered_at=None,
        answer=None,
        answer_code=None,
    )


def expect_debit(attempt: Attempt, way: Way, rate: Rate, now: datetime) -> Debit:
    """Return what the statement should show of an attempt that is sent now, at a dollar rate."""
    return Debit(
        attempt_id=attempt.id,
        store_id=attempt.store_id,
        payout_id=attempt.payout_id,
        flash_wallet_id=way.flash_wallet_id,
        state=DebitState.OPEN,
        expected_nanousd=rate.minor_floor(attempt.amount_msat * NANOUSD_PER_CENT),
        msat_per_cent=msat_per_cent(rate),
        row_id=None,
        amount_nanousd=None,
        fee_nanousd=None,
        logged_at=now,
        claimed_at=None,
    )


def read_unsent(
    tx: Transaction, payout: Payout, wallet_id: str, fence: int
) -> tuple[Attempt | None, bool]:
    """Return the live attempt of a payout, and whether it may be sent now."""
    attempt = attempts.live_attempt(tx, payout.store_id, payout.id)
    return attempt, wallets.may_send(tx, payout.store_id, wallet_id, fence)


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
    if payouts.lock_payout(tx, payout.store_id, payout.id) != payout:
        raise StateChanged(payout.id, payout.state)
    return _close_unsent(tx, payout, attempt, code, message, now)


def _close_unsent(
    tx: Transaction,
    payout: Payout,
    attempt: Attempt,
    code: str | None,
    message: str | None,
    now: datetime,
) -> Payout:
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


def settled_near(tx: Transaction, attempt: Attempt, now: datetime) -> Near:
    """Return what explains rows near an unknown attempt: claims, and settled ones without a row.

    Only those that the wallet's list has had time to show.
    """
    tolerance = attempt_policy.tolerance_msat(attempt.amount_msat)
    since = attempt.created_at - WINDOW_BEFORE
    settled = attempts.settled_near(
        tx,
        attempt.store_id,
        since=since,
        until=min(attempt.invoice_expires_at + WINDOW_AFTER, now - LISTED_AFTER),
        least_msat=attempt.amount_msat - tolerance,
        most_msat=attempt.amount_msat + tolerance,
    )
    claimed = statement_rows.rows_of_state(tx, attempt.store_id, RowState.CLAIMED, since)
    return Near(
        frozenset(row.id for row in claimed),
        tuple((made_at - WINDOW_BEFORE, settled_at + SKEW) for made_at, settled_at in settled),
    )


def has_no_unclaimed_row(
    rows: Sequence[StatementRow], known: Near, attempt: Attempt, rate: Rate
) -> bool:
    """Tell whether the wallet's list has no row left that could be the unknown payment.

    Whatever makes the list doubtful answers no: an empty one (Flash also gives one when its
    custodian fails), a full one that does not reach back so far, a row without an amount. The
    direction is not believed, and the price may have moved since: a wide net only keeps us from
    deciding. A row is another payout's only if that one claimed it, or settled about then.
    """
    expected = rate.minor_floor(attempt.amount_msat * NANOUSD_PER_CENT)
    drift = max(expected // PRICE_DRIFT_PARTS, rate.minor_floor(2000 * NANOUSD_PER_CENT))
    since = attempt.created_at - WINDOW_BEFORE
    until = attempt.invoice_expires_at + WINDOW_AFTER
    is_cut = len(rows) >= STATEMENT_ROWS and min(row.at for row in rows) >= since
    if not rows or is_cut:
        return False
    near = [
        row.at
        for row in rows
        if since <= row.at <= until
        and row.id not in known.claimed
        and (row.amount_nanousd is None or abs(row.amount_nanousd - expected) <= drift)
    ]
    return _are_explained(sorted(near), known.settled)


def _are_explained(moments: Sequence[datetime], spans: Sequence[tuple[datetime, datetime]]) -> bool:
    """Tell whether each moment, in order, has a span of its own around it."""
    free = sorted(spans, key=lambda span: span[1])
    for moment in moments:
        fitting = next((span for span in free if span[0] <= moment <= span[1]), None)
        if fitting is None:
            return False
        free.remove(fitting)
    return True


def _sends_of(tx: Transaction, attempt: Attempt) -> list[Send]:
    found = attempts.read_sends(tx, attempt.store_id, attempt.payout_id)
    return [send for send in found if send.attempt_id == attempt.id]
