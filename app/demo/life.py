"""One payout's life, written step by step by the rules of the state table.

What `services/storage/payout.py` does in transactions over days is here done at once: each step
leaves its event and its legs of the ledger, and sets the time column that the table names.
"""

from __future__ import annotations

from typing import Any, Final

from models.ledger import CLAWBACK, IN_TRANSIT, PAID, RESERVED, budget_account
from models.states import ALLOWED, PLACE, STATUS, PayoutState, Place
from models.store import ActorKind

Actor = tuple[str, str | None]
SYSTEM: Final[Actor] = (ActorKind.SYSTEM.value, None)
PAYEE: Final[Actor] = (ActorKind.PAYEE.value, None)

_PENDING: Final = PayoutState.PENDING.value
_STATUS: Final = {state.value: status.value for state, status in STATUS.items()}
_PLACE: Final = {state.value: place.value for state, place in PLACE.items()}
_STAMP: Final = {
    (source.value, target.value): step.stamp for (source, target), step in ALLOWED.items()
}
_ACCOUNTS: Final = {
    Place.RESERVED.value: RESERVED,
    Place.IN_TRANSIT.value: IN_TRANSIT,
    Place.PAID.value: PAID,
    Place.CLAWBACK.value: CLAWBACK,
}


class Life:
    """The states of one payout so far, and the rows that they left."""

    __slots__ = (
        *("_account", "_money", "_payout_id", "_store_id", "error", "events", "legs"),
        *("revision", "stamps", "state"),
    )

    def __init__(
        self,
        store_id: str,
        payout_id: str,
        at_us: int,
        *,
        pull_payment_id: str,
        money: tuple[int, str],
    ) -> None:
        self._store_id = store_id
        self._payout_id = payout_id
        self._account = budget_account(pull_payment_id)
        self._money = money
        self.state: str = _PENDING
        self.revision = 1
        self.stamps: dict[str, int] = {}
        self.error: tuple[str | None, str | None] = (None, None)
        event = (store_id, payout_id, 1, None, _PENDING, at_us, *PAYEE, None, None, None)
        self.events: list[tuple[Any, ...]] = [event]
        self.legs: list[tuple[Any, ...]] = []
        self._shift(Place.BUDGET.value, Place.RESERVED.value, at_us)

    @property
    def status(self) -> str:
        """Return the word that people see."""
        return _STATUS[self.state]

    def step(
        self,
        target: PayoutState,
        at_us: int,
        actor: Actor = SYSTEM,
        code: str | None = None,
        reason: str | None = None,
    ) -> None:
        """Take one step that the table allows."""
        source, word = self.state, target.value
        stamp = _STAMP[source, word]
        if stamp is not None and stamp not in self.stamps:
            self.stamps[stamp] = at_us
        self.state = word
        self.revision += 1
        key = (self._store_id, self._payout_id, self.revision)
        self.events.append((*key, source, word, at_us, *actor, code, reason, None))
        self._shift(_PLACE[source], _PLACE[word], at_us)

    def _shift(self, source: str, target: str, at_us: int) -> None:
        if source == target:
            return
        amount, unit = self._money
        store_id, payout_id, budget = self._store_id, self._payout_id, self._account
        transaction = f"{payout_id}:{self.revision}"
        out, into = _ACCOUNTS.get(source, budget), _ACCOUNTS.get(target, budget)
        self.legs.append((store_id, transaction, 0, out, unit, -amount, payout_id, at_us))
        self.legs.append((store_id, transaction, 1, into, unit, amount, payout_id, at_us))
