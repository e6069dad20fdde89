"""What has to be done now and then: claims whose invoice ran out, old answers, alerts to tell."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import structlog

from models.errors import StateChanged
from models.events import PayoutChanged
from models.instants import Clock
from models.payout import AttemptState, Payout
from models.states import PayoutState
from models.store import SYSTEM
from services.database import Database
from services.resolver import is_resolvable
from services.storage import attempt as attempts
from services.storage import hold as holds
from services.storage import idempotency
from services.storage import payout as payouts
from services.storage import person as people
from services.storage import session as sessions
from services.storage import wallet as wallets
from services.storage.statement import Transaction
from services.throttle_policy import FORGET_AFTER

_log = structlog.get_logger(__name__)

EVERY_S = 5.0
# More accounts than anybody has; a flood of made-up ones goes no further.
MOST_TRIES = 10_000
BATCH = 200
KEEP_ANSWERS = timedelta(days=7)
# For so long one sees who had a session, and a known address is known.
KEEP_SESSIONS = timedelta(days=30)


class Housekeeping:
    """Runs for all stores, a bounded batch of each chore at a time."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def run(self) -> None:
        """Do the chores for ever."""
        while True:
            await self.tidy()
            await asyncio.sleep(EVERY_S)

    async def tidy(self) -> None:
        """Do every chore once."""
        now = self._clock.utc_now()
        for payout in await self._database.read(attempts.read_overdue, now, BATCH):
            try:
                await self._database.write(_expire, payout, now)
            except StateChanged:
                continue  # somebody decided just now
        await self._database.write(_release_due, now)
        await self._database.write(idempotency.forget_answers, now - KEEP_ANSWERS)
        await self._database.write(people.forget_old_tries, now - FORGET_AFTER)
        await self._database.write(people.forget_many_tries, MOST_TRIES)
        await self._database.write(sessions.forget_sessions, now - KEEP_SESSIONS)
        for alert in await self._database.read(wallets.read_alerts, BATCH):
            # The log is the only notifier so far; screens read the same facts from the tables.
            _log.warning(
                "alert", topic=alert.topic, store_id=alert.store_id, about=alert.subject_id
            )
            await self._database.write(wallets.alert_told, alert, now)


def _release_due(tx: Transaction, now: datetime) -> None:
    """Lift the holds whose day has come, and have whoever sends look again."""
    for store_id, payout_id in holds.release_due(tx, now):
        payout = payouts.read_payout(tx, store_id, payout_id)
        if payout is not None:
            change = PayoutChanged(store_id, payout_id, payout.state, payout.revision)
            tx.changes.append(change)


def _expire(tx: Transaction, payout: Payout, now: datetime) -> None:
    if payouts.lock_payout(tx, payout.store_id, payout.id) != payout:
        raise StateChanged(payout.id, payout.state)
    attempt = attempts.live_attempt(tx, payout.store_id, payout.id)
    if attempt is not None:
        attempts.set_attempt_state(tx, attempt, AttemptState.DEAD)
    if is_resolvable(payout):
        return  # the recipient gives another invoice when it is its turn
    payouts.move(
        tx,
        payout,
        PayoutState.EXPIRED,
        now=now,
        actor=SYSTEM,
        reason_code="invoice_expired",
        error_code="invoice_expired",
        error_message="The invoice ran out before it was sent.",
    )
