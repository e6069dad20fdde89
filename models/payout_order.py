"""In which order payouts are listed, and where in that order a page ends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from models.instants import to_us


class PayoutOrder(StrEnum):
    """What comes first; among equals the younger id does.

    By amount, payouts whose amount is not known yet are left out; by completion, payouts that
    were not completed are.
    """

    CREATED = "created"
    AMOUNT = "amount"
    COMPLETED = "completed"


class Ordered(Protocol):
    """What a place in an order is read from: a payout, or what is shown of one."""

    @property
    def id(self) -> str:
        """Return its id."""
        ...

    @property
    def created_at(self) -> datetime:
        """Return when it was asked for."""
        ...

    @property
    def amount_msat(self) -> int | None:
        """Return what is sent, once it is known."""
        ...

    @property
    def completed_at(self) -> datetime | None:
        """Return when it was completed."""
        ...


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in an order: the value there (microseconds or millisatoshi), and the payout."""

    order: PayoutOrder
    value: int
    id: str


def mark_of(payout: Ordered, order: PayoutOrder) -> Mark:
    """Return the place of a payout that stands in an order."""
    if order is PayoutOrder.AMOUNT:
        assert payout.amount_msat is not None
        return Mark(order, payout.amount_msat, payout.id)
    at = payout.created_at
    if order is PayoutOrder.COMPLETED:
        assert payout.completed_at is not None
        at = payout.completed_at
    return Mark(order, to_us(at), payout.id)
