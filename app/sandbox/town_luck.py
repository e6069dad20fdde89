"""What befalls a visit: people's own mistakes, and how the network treats the payment.

The network's share is done with the sandbox's faults, each armed for one invoice and one send.
"""

from __future__ import annotations

import random
from collections import deque
from enum import StrEnum
from typing import Any, Final

from app.sandbox.town_wallets import Ask
from app.sandbox.townsfolk import Payee
from app.sandbox.world import World

_NO_ROUTE: Final = "failure_empty_errors"
_SLOW: Final = "pending_then_success"
_KINDS: Final = frozenset({_NO_ROUTE, _SLOW})
_SLOW_MS: Final = (10_000, 40_000)
_SLOW_SHARE: Final = 0.035
_NO_ROUTE_SHARE: Final = 0.01
MOST_ARMED: Final = 40


class Mistake(StrEnum):
    """What people do wrong."""

    NONE = "none"
    STALE_INVOICE = "stale invoice"
    TOO_MUCH = "too much"
    CHANGED_MIND = "changed mind"
    TAP_AGAIN = "tap again"
    ASK_TWICE = "ask twice"


# A draw below the number makes the mistake; the first that fits is made.
_MISTAKES: Final = (
    (0.012, Mistake.STALE_INVOICE),
    (0.030, Mistake.TOO_MUCH),
    (0.042, Mistake.CHANGED_MIND),
    (0.052, Mistake.TAP_AGAIN),
    (0.062, Mistake.ASK_TWICE),
)


def mistake(chance: random.Random) -> Mistake:
    """Choose what somebody does wrong, mostly nothing."""
    draw = chance.random()
    return next((made for most, made in _MISTAKES if draw < most), Mistake.NONE)


class Weather:
    """Arms the sandbox's faults for single invoices, and disarms those that were not needed."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._armed: deque[int] = deque()

    def clear_old(self) -> None:
        """Disarm what a town that was cut off has left behind."""
        for script in self._world.faults.armed():
            is_for_one = set(script["match"]) == {"payment_hash"} and script["times"] == 1
            if script["kind"] in _KINDS and is_for_one:
                self._world.faults.clear(script["id"])

    def befall(self, chance: random.Random, payee: Payee, ask: Ask) -> None:
        """Choose how the network will treat an invoice, mostly well."""
        draw = chance.random()
        if ask.is_home:
            if draw < _SLOW_SHARE:
                self._arm(ask, kind=_SLOW, after_ms=chance.randint(*_SLOW_MS))
        elif not payee.is_reachable or draw < _NO_ROUTE_SHARE:
            self._arm(ask, kind=_NO_ROUTE)

    def clear(self) -> None:
        """Disarm everything that is still armed from here."""
        while self._armed:
            self._world.faults.clear(self._armed.popleft())

    def _arm(self, ask: Ask, **script: Any) -> None:
        while len(self._armed) >= MOST_ARMED:
            # Used up long ago, or for an invoice that nobody will pay any more.
            self._world.faults.clear(self._armed.popleft())
        match = {"payment_hash": ask.payment_hash}
        fault = self._world.faults.add({**script, "match": match, "times": 1})
        self._armed.append(fault.id)
