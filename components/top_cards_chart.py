"""The Boltcards that collected most: one bar each, by amount or by count."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

from nicegui import html

from components.chart_style import (
    INSET_PX,
    MEASURES,
    Choice,
    Figure,
    Measure,
    counted,
    label,
    layout,
    plain,
)
from components.plotly_bundle import LiveFigure
from components.prepared import Prepared
from components.sheet import Sheet
from components.unit import SATS, Unit
from models.rollup import TopCard

MAX_CARDS = 10
# Fewer cards stand as far apart as this many would, from the top.
MIN_ROWS = 6
LABEL_CHARACTERS = 21
LABEL_PX = 150
DIGIT_PX = 7
BAR_PX = 12
_ROOM_PX = 244


class TopCardsChart:
    """Shows a ranking; `on_pick` is told the id of a card that somebody clicked.

    `on_change` is told when another measure is chosen: it has to read that ranking and `show`.
    """

    def __init__(
        self,
        on_pick: Callable[[str], object],
        on_change: Callable[[Measure], object] | None = None,
        *,
        measure: Measure = "amount",
    ) -> None:
        self._on_pick = on_pick
        self._on_change = on_change
        self._cards: Sequence[TopCard] | None = None
        self._unit = SATS
        self._shown: tuple[Prepared, Measure, Unit] | None = None
        with html.section().classes("fp-panel fp-chart").props("data-testid=top-cards") as section:
            section.props('aria-label="Top Boltcards"')
            head = Sheet("div", "fp-chart-head").root
            head.add("h2", "", "Top Boltcards")
            head.add("span", "fp-gap")
            words = {key: MEASURES[key] for key in ("amount", "count")}
            choices = head.add("div", "fp-choices")
            self._measure = Choice("Rank by", words, measure, self._changed, choices)
            self._figure = LiveFigure(
                "rows",
                "Top Boltcards. Up and down move, Enter filters.",
                ("No card payouts in this time", "Tap a Boltcard, and it appears here."),
                self._picked,
            )

    @property
    def measure(self) -> Measure:
        """Tell what the ranking is by."""
        return cast("Measure", self._measure.chosen)

    def show(
        self, cards: Sequence[TopCard], unit: Unit = SATS, prepared: Prepared | None = None
    ) -> None:
        """Show a ranking, the first ten of it, amounts in a unit.

        What is `prepared` of the same ranking for another page is shown as it is.
        """
        prepared, measure = prepared or Prepared(), self.measure
        if self._shown == (prepared, measure, unit):
            return
        self._shown = (prepared, measure, unit)
        self._cards, self._unit = cards, unit

        def make() -> tuple[Figure, str]:
            best = ranked(cards, measure, unit)
            return top_cards_figure(best, measure, unit), top_cards_summary(best, measure, unit)

        figure, summary = prepared.once(("top", measure, unit), make)
        is_empty = not figure["layout"]["meta"]["keys"]
        self._figure.show(figure, summary, is_empty=is_empty, prepared=prepared)

    def _changed(self, _key: str) -> None:
        # What is here is sorted anew at once; who else belongs here only the server knows.
        if self._cards is not None:
            self.show(self._cards, self._unit)
        if self._on_change is not None:
            self._on_change(self.measure)

    def _picked(self, key: str, _series: str | None) -> None:
        if any(card.card_id == key for card in self._cards or ()):
            self._on_pick(key)


def ranked(cards: Sequence[TopCard], measure: Measure, unit: Unit = SATS) -> list[TopCard]:
    """Return the first ten by a measure, without those that have nothing of it."""
    order = sorted(cards, key=lambda card: (-_value(card, measure, unit), card.alias, card.card_id))
    return [card for card in order if _value(card, measure, unit)][:MAX_CARDS]


def top_cards_figure(cards: Sequence[TopCard], measure: Measure, unit: Unit = SATS) -> Figure:
    """Return the figure of a ranking; rows are numbered, because two cards may share an alias."""
    values = [_value(card, measure, unit) for card in cards]
    is_count = measure == "count"
    texts = [f"{value:,}" if is_count else unit.number(value) for value in values]
    rows = max(len(cards), MIN_ROWS)
    longest = max(map(len, texts), default=1)
    return {
        "data": [
            {
                "type": "bar",
                "orientation": "h",
                "name": MEASURES[measure],
                "meta": {"key": "card"},
                "x": values,
                "y0": 0,
                "dy": 1,
                "text": [f"\N{NO-BREAK SPACE}{text}" for text in texts],
                "textposition": "outside",
                "constraintext": "none",
                "cliponaxis": False,
                "textangle": 0,
                "textfont": {"size": 12, "color": "var(--ink)"},
                "marker": {"color": "var(--chart-accent)", "line": {"width": 0}},
            }
        ],
        "layout": layout(
            meta={
                "kind": "rows",
                "keys": [card.card_id for card in cards],
                "labels": [plain(card.alias) for card in cards],
                "facts": [_facts(card, unit) for card in cards],
                "axis": "Card",
            },
            margin={"l": LABEL_PX, "r": longest * DIGIT_PX + 20, "t": 4, "b": 12},
            xaxis={"range": [0, max(values, default=1)], "showticklabels": False},
            yaxis={
                "range": [rows - 0.5, -0.5],
                "tickvals": list(range(len(cards))),
                "ticktext": [label(card.alias, LABEL_CHARACTERS) for card in cards],
                "tickfont": {"size": 12, "color": "var(--ink-2)"},
                "ticklabelstandoff": LABEL_PX - INSET_PX - 1,
            },
            bargap=round(1 - BAR_PX * rows / _ROOM_PX, 3),
            barcornerradius=3,
        ),
    }


def top_cards_summary(cards: Sequence[TopCard], measure: Measure, unit: Unit = SATS) -> str:
    """Say in one sentence what the chart shows."""
    if not cards:
        return "Top Boltcards: none."
    parts = ", ".join(
        f"{plain(card.alias)} {counted(_value(card, measure, unit), measure, unit)}"
        for card in cards
    )
    return f"Top Boltcards by {measure}: {parts}."


def _value(card: TopCard, measure: Measure, unit: Unit) -> int:
    return card.count if measure == "count" else unit.of(card)


def _facts(card: TopCard, unit: Unit) -> list[list[str]]:
    return [["Amount", unit.write(unit.of(card))], ["Payouts", f"{card.count:,}"]]
