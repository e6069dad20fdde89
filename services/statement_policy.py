"""Rule S, pure: which debits of the statement are which sends, or that nothing can be told.

Rows carry no payment hash, so only counting decides: sends whose amounts fit and whose windows
touch are judged together, and only if there are exactly as many rows as sends are all of them
settled. Anything else decides nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

PRICE_DRIFT_PARTS = 4  # a price that was old may be a quarter off the one of the debit
GROUP_LIMIT = 200  # more that look alike are left to other evidence


@dataclass(frozen=True, slots=True)
class Expected:
    """A send whose debit has not been found: settled by other evidence, or unknown.

    `is_open` says that its answer is still awaited; then nothing is decided around it.
    """

    attempt_id: str
    amount_nanousd: int
    tolerance_nanousd: int
    since: datetime
    until: datetime
    is_settled: bool
    is_open: bool = False

    def may_be(self, row: Seen) -> bool:
        """Tell whether a row could be this send."""
        is_near = abs(self.amount_nanousd - row.amount_nanousd) <= self.tolerance_nanousd
        return is_near and self.since <= row.at <= self.until


@dataclass(frozen=True, slots=True)
class Seen:
    """A debit in the statement that nothing has claimed; `is_completed` once Flash was asked."""

    row_id: str
    amount_nanousd: int
    at: datetime
    is_completed: bool | None


@dataclass(frozen=True, slots=True)
class Claim:
    """That a row is the debit of an attempt."""

    attempt_id: str
    row_id: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """What follows from counting: claims, rows to ask Flash about first, rows that fit nothing."""

    claims: tuple[Claim, ...]
    to_ask: tuple[str, ...]
    strangers: tuple[str, ...]


def judge(
    expected: Sequence[Expected],
    seen: Sequence[Seen],
    extras: Sequence[datetime],
    elsewhere: Sequence[Expected] = (),
) -> Judgement:
    """Judge every group of sends and rows by itself; `extras` are the times of extra rows.

    `elsewhere` are the sends by a wallet before: its rows stand in the list of the one of now.
    """
    claims: list[Claim] = []
    to_ask: list[str] = []
    strangers = [row for row in seen if not any(each.may_be(row) for each in expected)]
    # What nobody can claim is as good as extra, where something unknown is to be decided.
    foreign = [*extras, *(row.at for row in strangers)]
    # One that settled but shows nowhere may have been debited at another price than expected.
    unplaced = [each for each in expected if each.is_settled and not any(map(each.may_be, seen))]
    for group in _groups(expected) if seen else ():
        rows = [row for row in seen if any(each.may_be(row) for each in group)]
        is_known = all(each.is_settled for each in group)
        off = _is_switched_off(group, extras if is_known else foreign)
        if len(rows) != len(group) or off:
            continue
        if len(group) > GROUP_LIMIT or any(each.is_open for each in group):
            continue
        if not is_known:
            if any(_may_hide(each, row) for each in unplaced for row in rows):
                continue
            if any(each.may_be(row) for each in elsewhere for row in rows):
                continue
            # One that was not completed when Flash was asked may be by now.
            incomplete = [row.row_id for row in rows if not row.is_completed]
            to_ask += incomplete
            if incomplete:
                continue
        claims += _paired(group, rows)
    return Judgement(tuple(claims), tuple(to_ask), tuple(row.row_id for row in strangers))


def _is_switched_off(group: Sequence[Expected], extras: Sequence[datetime]) -> bool:
    return any(each.since <= at <= each.until for each in group for at in extras)


def _may_hide(settled: Expected, row: Seen) -> bool:
    off = abs(settled.amount_nanousd - row.amount_nanousd)
    is_near = off <= settled.amount_nanousd // PRICE_DRIFT_PARTS
    return is_near and settled.since <= row.at <= settled.until


def _groups(expected: Sequence[Expected]) -> list[list[Expected]]:
    """Return the sends that one row could mix up, together, also by way of a third one.

    First by amount, then by time: a little coarser than send by send, and never finer.
    """
    by_amount = sorted(expected, key=lambda each: each.amount_nanousd)
    groups: list[list[Expected]] = []
    for near in _chained(by_amount, _are_near):
        groups += _in_time(near)
    return groups


def _are_near(one: Expected, other: Expected) -> bool:
    near = one.tolerance_nanousd + other.tolerance_nanousd
    return other.amount_nanousd - one.amount_nanousd <= near


def _chained(
    ordered: Sequence[Expected], is_linked: Callable[[Expected, Expected], bool]
) -> list[list[Expected]]:
    chains: list[list[Expected]] = []
    for each in ordered:
        if chains and is_linked(chains[-1][-1], each):
            chains[-1].append(each)
        else:
            chains.append([each])
    return chains


def _in_time(near: Sequence[Expected]) -> list[list[Expected]]:
    groups: list[list[Expected]] = []
    until: datetime | None = None
    for each in sorted(near, key=lambda each: each.since):
        if until is not None and each.since <= until:
            groups[-1].append(each)
            until = max(until, each.until)
        else:
            groups.append([each])
            until = each.until
    return groups


def _paired(group: Sequence[Expected], rows: Sequence[Seen]) -> list[Claim]:
    """Return one row for each send if they can be paired at all, else nothing."""
    taken: dict[str, int] = {}

    def place(number: int, tried: set[str]) -> bool:
        for row in rows:
            if row.row_id in tried or not group[number].may_be(row):
                continue
            tried.add(row.row_id)
            if row.row_id not in taken or place(taken[row.row_id], tried):
                taken[row.row_id] = number
                return True
        return False

    if not all(place(number, set()) for number in range(len(group))):
        return []
    return [Claim(group[number].attempt_id, row_id) for row_id, number in taken.items()]
