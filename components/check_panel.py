"""What the audits of our own books and the comparisons with Flash's list came to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from functools import partial

from nicegui import html

from components.dollars import exact
from components.moment import short_moment
from components.text import Text
from models.audit_run import AuditRun, Scope
from models.books import Finding
from models.checked import Checked
from models.reconciliation import (
    UNDECIDED,
    Difference,
    KeptReconciliation,
    Reconciliation,
    SeenDifference,
    Span,
)

SHOWN = 20
FIRST = "The first one comes a minute after the start; everything is checked each night."
_SCOPES = {Scope.ALL: "All payouts", Scope.RECENT: "Open payouts and the last day"}
_SPANS = {Span.OPEN: "Open items against Flash's list", Span.MONTH: "35 days against Flash's list"}
_HINTS = {
    "matched": "Debits of ours that claimed a row of the statement which fits",
    "waiting": "Debits that the statement has not shown yet, or whose outcome is unknown",
    "missing": "Settled by other evidence, and yet no row shows it",
    "extra": "Rows that no payout explains",
    "different": "Rows whose amount is not the one expected",
}
_KINDS = {
    "missing": "is settled, and no row of Flash's list shows it",
    "extra": "left the wallet, and no payout explains it",
    "different": "cost something else than expected",
    "undecided": "was paid from a wallet that Flash has replaced, so that no list shows it",
}

_CLEAN, _NOT_CLEAN = ("● Clean", "is-completed"), ("▲ Look at this", "is-pending")
_LOOKS = {"is-completed", "is-pending", "is-cancelled"}


class CheckPanel:
    """Every check that holds, and what each found.

    `on_check` is asked for a comparison now, `on_seen` is told which difference is no matter.
    """

    def __init__(
        self,
        zone_name: str,
        on_check: Callable[[], object] | None,
        on_seen: Callable[[Difference], object] | None = None,
    ) -> None:
        self._zone_name = zone_name
        self._on_seen = on_seen
        self._shown: Checked | None = None
        self._counts: dict[str, Text] = {}
        with html.section().classes("fp-panel").props("data-testid=checks id=checks") as panel:
            panel.props('aria-label="Checks"')
            with html.div().classes("fp-panel-head"):
                html.h2("Checks").classes("fp-h2")
                self._state = Text("span").classes("fp-state-word strong")
                html.span().classes("fp-gap")
                self._button = Text("button", "Check now").classes("fp-button")
                self._button.props("type=button").set_visibility(on_check is not None)
                if on_check is not None:
                    self._button.on("click", on_check)
            with html.div().classes("fp-panel-body fp-checks"):
                with html.dl().classes("fp-sums"):
                    for name, hint in _HINTS.items():
                        with html.div().classes("fp-sum") as box:
                            box.props["title"] = hint
                            Text("dt", name.capitalize())
                            self._counts[name] = Text("dd", "–").classes("num")
                self._progress = Text("p").classes("fp-note").props("aria-live=polite")
                self._lines = html.ul().classes("fp-check-lines")
                self._note = Text("p", FIRST).classes("fp-note")
                self._list = html.ul().classes("fp-findings").props("data-testid=findings")

    def show_progress(self, words: str) -> None:
        """Say how far a check is; without words it is over."""
        self._progress.set_text(words)
        if words:
            self._button.props["disabled"] = ""
        else:
            self._button.props.pop("disabled", None)
            self._button.update()

    def show(self, checked: Checked, now: datetime) -> None:
        """Show what they found."""
        if checked == self._shown:
            return
        self._shown = checked
        is_any = bool(checked.audits or checked.reconciliations)
        words, look = ("○ Not yet", "is-cancelled")
        if is_any:
            words, look = _CLEAN if checked.is_clean else _NOT_CLEAN
        self._state.set_text(words)
        self._state.classes(add=look, remove=" ".join(_LOOKS - {look}))
        self._note.set_visibility(not is_any)
        self._show_counts(checked)
        self._lines.clear()
        self._list.clear()
        with self._lines:
            for report in checked.audits:
                Text("li", audit_line(report.run, now, self._zone_name))
            for kept in checked.reconciliations:
                Text("li", comparison_line(kept, now, self._zone_name))
        with self._list:
            for finding in checked.findings[:SHOWN]:
                Text("li", finding_line(finding))
            seen = checked.seen_by_key
            # What nobody has seen yet comes first.
            for each in sorted(checked.differences, key=lambda one: one.key in seen)[:SHOWN]:
                self._difference(each, seen.get(each.key), now)

    def _difference(self, each: Difference, seen: SeenDifference | None, now: datetime) -> None:
        with html.li():
            Text("span", difference_line(each))
            if seen is not None:
                when = short_moment(seen.at, now, self._zone_name)
                Text("span", f" Seen {when}: {seen.reason}").classes("soft")
            elif self._on_seen is not None and each.kind != UNDECIDED:
                ask = Text("button", "Seen…").classes("fp-button small").props("type=button")
                ask.props["aria-label"] = f"Say why the difference of {_of(each)} is no matter"
                ask.on("click", partial(self._on_seen, each))

    def _show_counts(self, checked: Checked) -> None:
        """Count what the newest comparison found."""
        newest = max(checked.reconciliations, key=lambda kept: kept.at, default=None)
        counts = {} if newest is None else counts_of(newest.found)
        for name, place in self._counts.items():
            place.set_text(f"{counts[name]:,}" if counts else "–")
            is_bad = name in _KINDS and any(
                each.kind == name and each.key not in checked.seen_by_key
                for each in checked.differences
            )
            place.classes(add="is-warning" if is_bad else "", remove="" if is_bad else "is-warning")


def counts_of(found: Reconciliation) -> dict[str, int]:
    """Return how many debits a comparison found to be what."""
    differing = Counter(each.kind for each in found.differences)
    return {name: differing[name] for name in _HINTS} | {
        "matched": found.matched,
        "waiting": found.waiting,
    }


def audit_line(run: AuditRun, now: datetime, zone_name: str) -> str:
    """Return when an audit ended, over how many payouts, and what it found."""
    when = short_moment(run.ended_at or run.moved_at, now, zone_name)
    found = f"{run.found:,} found" if run.found else "nothing found"
    return f"{_SCOPES[run.scope]}: {when}, {run.payouts:,} payouts, {found}."


def comparison_line(kept: KeptReconciliation, now: datetime, zone_name: str) -> str:
    """Return when a comparison was made, and what agreed."""
    found = kept.found
    when = short_moment(kept.at, now, zone_name)
    counts = {kind: sum(each.kind == kind for each in found.differences) for kind in _KINDS}
    words = [f"{found.matched:,} matched", f"{found.waiting:,} waiting"]
    words += [f"{count:,} {kind}" for kind, count in counts.items() if count]
    if found.balance_difference_nanousd:
        words.append(f"balance off by {exact(found.balance_difference_nanousd)}")
    if not found.is_whole:
        words.append("as far as the list was read before")
    return f"{_SPANS[kept.span]}: {when}, {', '.join(words)}."


def finding_line(finding: Finding) -> str:
    """Return what must hold, what does not, and what to do about it."""
    return f"{finding.subject}: {finding.detail} {finding.says} {finding.next_step}"


def difference_line(each: Difference) -> str:
    """Return a debit that does not agree."""
    amounts = [
        f"{word} {exact(amount)}"
        for word, amount in (("expected", each.expected_nanousd), ("found", each.found_nanousd))
        if amount is not None
    ]
    return f"{_of(each)} {_KINDS[each.kind]}: {', '.join(amounts)}."


def _of(each: Difference) -> str:
    return each.payout_id or each.row_id or "a debit"
