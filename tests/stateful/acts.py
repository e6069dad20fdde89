"""What people do to single payouts, and what state a payout is in that waits for it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from app.container import Container
from models.store import Actor, ActorKind

PEOPLE = {name: Actor(ActorKind.PERSON, f"us_{name}") for name in ("alice", "bob")}
ALICE = PEOPLE["alice"]


@dataclass(frozen=True)
class Asked:
    """Who asks what of which payout."""

    container: Container
    store_id: str
    payout_id: str
    actor: Actor

    @property
    def about(self) -> tuple[str, str]:
        return self.store_id, self.payout_id


Ask = Callable[[Asked, int, datetime], Coroutine[Any, Any, Any]]


def _hold(minutes: int | None) -> Ask:
    def ask(asked: Asked, _: int, now: datetime) -> Coroutine[Any, Any, Any]:
        until = None if minutes is None else now + timedelta(minutes=minutes)
        hold = asked.container.engine.interventions.hold
        return hold(*asked.about, asked.actor, reason="Look first.", release_at=until)

    return ask


# By the states of the payouts that wait for it.
ACTS: dict[str, tuple[tuple[str, ...], Ask]] = {
    "approve": (
        ("awaiting_approval",),
        lambda a, revision, _: a.container.payouts.approve(*a.about, revision, a.actor),
    ),
    "approve at once": (
        ("awaiting_approval",),
        lambda a, revision, _: a.container.payouts.approve(*a.about, revision, a.actor),
    ),
    "reject": (
        ("awaiting_approval",),
        lambda a, revision, _: a.container.payouts.reject(
            *a.about, revision, a.actor, reason_code="doubt", reason="Not ours."
        ),
    ),
    "cancel": (
        ("awaiting_approval", "approved"),
        lambda a, *_: a.container.payouts.cancel(*a.about, a.actor),
    ),
    "hold": (("approved", "in_flight", "awaiting_approval"), _hold(None)),
    "hold for a minute": (("approved", "in_flight", "awaiting_approval"), _hold(1)),
    "release": ((), lambda a, *_: a.container.engine.interventions.release(*a.about, a.actor)),
    "retry": (("failed",), lambda a, *_: a.container.engine.interventions.retry(*a.about, a.actor)),
}
