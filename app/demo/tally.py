"""Adds up what parts of the past have in common, and lets go of what no later part can change."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from app.demo.scene import Decision, Rows, Scene, Told
from models.instants import MICROSECOND
from models.store import ActorKind

# A bucket this much older than the newest part is complete.
_SETTLED_US: Final = timedelta(days=2) // MICROSECOND
_KEPT_LIMIT: Final = 20_000

_Figures = dict[Any, list[int]]


@dataclass(slots=True)
class Tally:
    """Sums over all parts so far; complete rollups and records of decisions are handed out."""

    scene: Scene
    audit_count: int
    payouts: int = 0
    reserved: Counter[str] = field(default_factory=Counter)
    paid: Counter[str] = field(default_factory=Counter)
    last_used_us: dict[int, int] = field(default_factory=dict)
    _rollups: _Figures = field(default_factory=lambda: defaultdict(lambda: [0, 0, 0]))
    _card_rollups: _Figures = field(default_factory=lambda: defaultdict(lambda: [0, 0, 0]))
    _fees: _Figures = field(default_factory=lambda: defaultdict(lambda: [0, 0]))
    _card_fees: _Figures = field(default_factory=lambda: defaultdict(lambda: [0, 0]))
    _decisions: list[Decision] = field(default_factory=list)

    def add(self, told: Told) -> dict[str, Rows]:
        """Add a part and return the rows that are now complete."""
        self.payouts += told.payouts
        self.reserved += told.reserved
        self.paid += told.paid
        self.last_used_us |= told.last_used_us
        self._decisions += told.decisions
        _merge(self._rollups, told.rollups)
        _merge(self._card_rollups, told.card_rollups)
        _merge(self._fees, told.fee_rollups)
        _merge(self._card_fees, told.card_fee_rollups)
        ready = {"audit": self._record(told.first_us)}
        if len(self._rollups) + len(self._card_rollups) > _KEPT_LIMIT:
            ready |= self._rolled_up(told.first_us - _SETTLED_US)
        return ready

    def rest(self) -> dict[str, Rows]:
        """Return the rows that were still open."""
        ready = {"audit": self._record(self.scene.now_us)}
        return ready | self._rolled_up(self.scene.now_us + 1)

    def _record(self, until_us: int) -> Rows:
        """Number the decisions that no later part can come before."""
        known = sorted(d for d in self._decisions if d.at_us <= until_us)
        self._decisions = [d for d in self._decisions if d.at_us > until_us]
        actor = (ActorKind.PERSON.value, self.scene.owner_id)
        rows: Rows = []
        nowhere = (None,) * 5  # no address, sign-in, browser or request, and not hashed yet
        for at_us, action, payout_id, before, after in known:
            self.audit_count += 1
            head = (self.scene.store_id, self.audit_count, at_us, *actor, action, payout_id)
            rows.append((*head, before, after, *nowhere))
        return rows

    def _rolled_up(self, until_us: int) -> dict[str, Rows]:
        store_id, cards = self.scene.store_id, self.scene.cards
        rollups = [
            (store_id, *key, 0, *figure) for key, figure in _taken(self._rollups, 1, until_us)
        ]
        card_rollups = [
            (store_id, cards[place][0], *key, 0, *figure)
            for (place, *key), figure in _taken(self._card_rollups, 2, until_us)
        ]
        fees = [(store_id, *key, 0, *fee) for key, fee in _taken(self._fees, 1, until_us)]
        card_fees = [
            (store_id, cards[place][0], *key, 0, *fee)
            for (place, *key), fee in _taken(self._card_fees, 2, until_us)
        ]
        return {
            "rollups": rollups,
            "card_rollups": card_rollups,
            "fee_rollups": fees,
            "card_fee_rollups": card_fees,
        }


def _merge(into: _Figures, more: _Figures) -> None:
    for key, sums in more.items():
        figure = into[key]
        for place, added in enumerate(sums):
            figure[place] += added


def _taken(figures: _Figures, bucket_place: int, until_us: int) -> list[tuple[Any, list[int]]]:
    """Take the figures of buckets that began before a moment, in key order."""
    keys = sorted(key for key in figures if key[bucket_place] < until_us)
    return [(key, figures.pop(key)) for key in keys]
