"""What waits for a person in a store."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from models.connection import Connection
from models.standing import WalletStanding
from models.wallet import Gate, Wallet

STUCK_AFTER = timedelta(minutes=10)
FAILED_WITHIN = timedelta(hours=24)
# The worker looks every few seconds; a hiccup is nobody's work.
AWAY_AFTER = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Attention:
    """How many payouts wait for whom; the tab's title counts all but failures.

    `matched` are kept back by a restored copy, because some debit could be them;
    `contradictions` are what the audits of our own books found.
    """

    to_approve: int
    to_review: int
    stuck: int
    failed: int
    matched: int = 0
    contradictions: int = 0

    @property
    def urgent(self) -> int:
        """Return how many a person should look at now."""
        return self.to_approve + self.to_review + self.stuck + self.matched + self.contradictions


class NeedKind(StrEnum):
    """Why somebody is needed, the most pressing first."""

    STOPPED = "stopped"
    GATE_SHUT = "gate_shut"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    PAUSED = "paused"
    SHORT = "short"
    CHECKS = "checks"
    REVIEW = "review"
    MATCHED = "matched"
    STUCK = "stuck"
    APPROVE = "approve"
    FAILED = "failed"
    BUDGET = "budget"
    # Of whoever looks, not of the store.
    ONE_FACTOR = "one_factor"


@dataclass(frozen=True, slots=True)
class Need:
    """One thing a person should look at: how many, how much, since when, as far as that says."""

    kind: NeedKind
    count: int = 0
    amount_nanousd: int = 0
    since: datetime | None = None
    subject: str | None = None


def needs_of(
    attention: Attention, wallet: Wallet, standing: WalletStanding, connection: Connection | None
) -> tuple[Need, ...]:
    """Return what needs a person, the most pressing first; usually nothing."""
    budget = standing.budgets[0] if standing.budgets else None
    found = [
        Need(NeedKind.STOPPED, since=wallet.stopped_at) if wallet.stopped_at else None,
        Need(
            NeedKind.GATE_SHUT,
            count=standing.unsettled.count,
            since=wallet.gate_changed_at,
            subject=wallet.gate_reason,
        )
        if wallet.gate is Gate.SHUT
        else None,
        *_of_connection(connection, standing.as_of),
        _of_money(wallet, standing),
        _counted(NeedKind.CHECKS, attention.contradictions),
        _counted(NeedKind.REVIEW, attention.to_review),
        _counted(NeedKind.MATCHED, attention.matched),
        _counted(NeedKind.STUCK, attention.stuck),
        _counted(NeedKind.APPROVE, attention.to_approve),
        _counted(NeedKind.FAILED, attention.failed),
        Need(
            NeedKind.BUDGET, standing.nearly_empty, subject=None if budget is None else budget.name
        )
        if standing.nearly_empty
        else None,
    ]
    return tuple(need for need in found if need is not None)


def _counted(kind: NeedKind, count: int) -> Need | None:
    return Need(kind, count) if count else None


def _of_money(wallet: Wallet, standing: WalletStanding) -> Need | None:
    if not standing.short_nanousd and wallet.short_since is None:
        return None
    # Flash refused for want of money, whatever our own sum says: then no amount is given.
    return Need(
        NeedKind.SHORT,
        standing.waiting.count,
        amount_nanousd=standing.short_nanousd,
        since=wallet.short_since,
    )


def _of_connection(connection: Connection | None, now: datetime) -> tuple[Need | None, ...]:
    if connection is None:
        return ()
    away = connection.away_since
    is_away = not connection.connected and away is not None and now - away > AWAY_AFTER
    is_out = connection.is_refused
    return (
        Need(NeedKind.REFUSED, since=away) if is_out else None,
        Need(NeedKind.UNREACHABLE, since=away, subject=connection.last_error)
        if is_away and not is_out
        else None,
        Need(NeedKind.PAUSED, count=connection.paused_s) if connection.paused_s else None,
    )
