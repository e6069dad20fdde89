"""The six figures at the top: counts, amounts, and how they changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from components.change import Better, Change, ChangeMark, change_of
from components.prepared import Prepared
from components.sheet import Piece, Sheet
from components.theme import GLYPHS
from components.unit import SATS, Unit
from models.period import Comparison
from models.rollup import Figure, Stats
from models.states import PayoutStatus

# What is open now has no counterpart: payouts of the period before have long moved on.
_COMPARED: dict[PayoutStatus, Better] = {
    PayoutStatus.COMPLETED: "more",
    PayoutStatus.FAILED: "less",
}
_SHOWN = [status for status in PayoutStatus if status is not PayoutStatus.CANCELLED]
# Count, amount, and how the count changed.
Words = tuple[str, str, Change | None]


@dataclass(slots=True)
class _Card:
    count: Piece
    amount: Piece
    change: ChangeMark | None

    def show(self, count: str, amount: str, change: Change | None = None) -> None:
        if self.change is not None:
            self.change.show(change)
        self.count.set_text(count)
        self.amount.set_text(amount)


class SummaryCards:
    """Shows statistics; only what changed is sent to the browser."""

    def __init__(self, on_pick: Callable[[str], object]) -> None:
        self._on_pick = on_pick
        self._shown: list[Words] | None = None
        words = {"aria_label": "Summary", "aria_busy": "true"}
        self._section = Sheet("section", "fp-cards waiting", **words).root
        self._total = self._card("total", "Total Payouts", "")
        self._by_status = [
            self._card(str(status), str(status).capitalize(), str(status)) for status in _SHOWN
        ]
        self._cards = self._card("cards", "Active Boltcards", None)

    def show(
        self,
        stats: Stats,
        comparison: Comparison | None = None,
        unit: Unit = SATS,
        prepared: Prepared | None = None,
    ) -> None:
        """Show new figures beside those of the period before, if there is one.

        What is `prepared` of the same figures for another page is shown as it is.
        """
        words = (prepared or Prepared()).once(
            ("cards", unit), lambda: _words(stats, comparison, unit)
        )
        if words == self._shown:
            return
        self._shown = words
        for card, said in zip((self._total, *self._by_status, self._cards), words, strict=True):
            card.show(*said)
        self._section.mark("waiting", on=False)
        self._section.set("aria-busy", "false")

    def _card(self, testid: str, name: str, status: str | None) -> _Card:
        tag = "article" if status is None else "button"
        card = self._section.add(tag, "fp-card", data_testid=f"stat-{testid}")
        head = card.add("div", "name")
        if status:
            head.add("span", f"glyph is-{status}", GLYPHS[status], aria_hidden="true")
        head.add("span", "", name)
        change = ChangeMark(head) if not status or status in _COMPARED else None
        count, amount = card.add("span", "count"), card.add("span", "amount")
        if status is not None:
            card.on("click", lambda: self._on_pick(status))
        return _Card(count, amount, change)


def _words(stats: Stats, comparison: Comparison | None, unit: Unit) -> list[Words]:
    """Return what each card says, from the first to the last."""
    before = None if comparison is None else comparison.before
    total = stats.total
    change = None if before is None else change_of(total.count, before.total.count)
    said: list[Words] = [(*_texts(total, unit), change)]
    for status in _SHOWN:
        figure, change = stats.by_status[status], None
        if before is not None and status in _COMPARED:
            then = before.by_status[status].count
            change = change_of(figure.count, then, _COMPARED[status])
        said.append((*_texts(figure, unit), change))
    cards, change = stats.active_boltcards, None
    if comparison is not None:
        then = comparison.boltcards_before
        change = change_of(cards, then, "more", than="the 30 days before")
    return [*said, (f"{cards:,}", "last 30 days", change)]


def _texts(figure: Figure, unit: Unit) -> tuple[str, str]:
    return f"{figure.count:,}", unit.write(unit.of(figure))
