"""What comparing our ledger with Flash's list and balance came to."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

# Debited from a wallet that Flash has since replaced: its list is not to be had any more.
UNDECIDED = "undecided"


class Span(StrEnum):
    """Which debits a comparison looks at by itself."""

    OPEN = "open"
    """Since the oldest that is open: every ten minutes."""
    MONTH = "month"
    """The last 35 days: each night."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One debit that is missing, extra, different or undecided; amounts are in nano-dollars."""

    kind: str
    payout_id: str | None
    row_id: str | None
    expected_nanousd: int | None
    found_nanousd: int | None
    at: datetime

    @property
    def key(self) -> str:
        """Return what names exactly this difference: with another amount it is another one."""
        parts = (self.kind, self.payout_id, self.row_id, self.expected_nanousd, self.found_nanousd)
        return "|".join(map(str, parts))


@dataclass(frozen=True, slots=True)
class SeenDifference:
    """Why a person minds a difference no more; its key holds as long as that stays as it was."""

    difference: str
    reason: str
    actor_id: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """One comparison of a span; nothing in `differences` is the only good answer.

    Attributes:
        matched: Debits of ours that claimed a row which fits.
        waiting: Debits that the statement has not shown yet, or whose outcome is unknown.
        balance_difference_nanousd: What the last comparison of the balance was off by.
        is_whole: Whether Flash's list was read completely; without it nothing can be missing.
    """

    since: datetime
    until: datetime
    matched: int
    waiting: int
    differences: tuple[Difference, ...]
    balance_difference_nanousd: int | None
    is_whole: bool

    @property
    def is_clean(self) -> bool:
        """Tell whether everything agrees, as far as it is known."""
        return self.is_clean_but(())

    def is_clean_but(self, seen: Collection[str]) -> bool:
        """Tell whether everything agrees but for differences with these keys."""
        told = [
            each for each in self.differences if each.kind != UNDECIDED and each.key not in seen
        ]
        return not told and not self.balance_difference_nanousd


@dataclass(frozen=True, slots=True)
class KeptReconciliation:
    """The last comparison of a span, and when it was made; of many differences the first."""

    span: Span
    at: datetime
    found: Reconciliation
    differences: int

    def is_clean_but(self, seen: Collection[str]) -> bool:
        """Tell whether everything agreed but for differences with these keys."""
        # A hundred are kept; what is beyond them is not known to be harmless.
        is_told = self.differences <= len(self.found.differences)
        return self.found.is_clean_but(seen) and is_told
