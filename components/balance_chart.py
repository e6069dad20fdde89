"""What the wallet held over a day, a week or a month, as a line."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

from nicegui import html

from components.chart_style import INSET_PX, Choice, Figure, compact, layout, scale
from components.dollars import MINUS, dollars
from components.plotly_bundle import LiveFigure
from components.sheet import Sheet
from models.balance import BalanceLine, BalanceSpan
from models.instants import iso
from models.money import NANOUSD_PER_CENT

MARKS = 6
LEFT_PX = 64
FLAT_PARTS = 3
_NOTHING = ("No history yet", "A point is kept whenever the balance has changed.")


class BalanceChart:
    """Shows a line; `on_span` is told when somebody wants to look further back."""

    def __init__(self, zone_name: str, on_span: Callable[[], object]) -> None:
        self._zone = ZoneInfo(zone_name)
        with html.section().classes("fp-panel fp-chart").props("data-testid=balance") as section:
            section.props('aria-label="Balance"')
            head = Sheet("div", "fp-chart-head").root
            head.add("h2", "", "Balance")
            self._change = head.add("span", "fp-aside num")
            head.add("span", "fp-gap")
            words = {str(span): str(span) for span in BalanceSpan}
            self._choice = Choice("Span", words, BalanceSpan.DAY, lambda _: on_span(), head)
            self._figure = LiveFigure("columns", "Balance", _NOTHING, _ignore)

    @property
    def span(self) -> BalanceSpan:
        """Return how far back one looks."""
        return BalanceSpan(self._choice.chosen)

    def show(self, line: BalanceLine) -> None:
        """Show a line."""
        is_empty = not line.balances_nanousd
        change = "" if is_empty else change_words(line)
        self._change.set_text(change)
        summary = "There is no balance to show yet."
        if not is_empty:
            first, last = line.balances_nanousd[0], line.balances_nanousd[-1]
            summary = f"Balance over {line.span}: from {dollars(first)} to {dollars(last)}."
        self._figure.show(balance_figure(line, self._zone), summary, is_empty=is_empty)


def change_words(line: BalanceLine) -> str:
    """Return what came or went, with its sign."""
    change = line.change_nanousd
    sign = MINUS if change < 0 else "+" if change else "±"
    return f"{sign}{dollars(abs(change))} in {line.span}"


def balance_figure(line: BalanceLine, zone: ZoneInfo) -> Figure:
    """Return the line through the last balance of each slot."""
    cents = [held // NANOUSD_PER_CENT for held in line.balances_nanousd]
    low, high, lines = bounds([held // 100 for held in cents])
    slots = [line.slot(number) for number in range(len(cents))]
    marks = _marks(slots, line.span, zone)
    stroke = {"color": "var(--chart-accent)", "width": 2, "shape": "hv"}
    return {
        "data": [
            {
                "type": "scatter",
                "mode": "lines",
                "name": "Balance",
                "meta": {"key": "completed", "mark": "●"},
                "x0": 0,
                "dx": 1,
                "y": cents,
                "line": stroke,
                "fill": "tozeroy",
                "fillcolor": "var(--chart-band)",
            }
        ],
        "layout": layout(
            meta={
                "kind": "columns",
                "keys": [iso(slot) for slot in slots],
                "labels": [_name(slot, zone) for slot in slots],
                "axis": "When",
                "one": "USD",
                "unit": "USD",
                "places": 2,
            },
            margin={"l": LEFT_PX, "r": 16, "t": 8, "b": 28},
            xaxis={
                "range": [-0.5, max(len(cents), 2) - 0.5],
                "tickvals": list(marks),
                "ticktext": list(marks.values()),
                "tickangle": 0,
                "ticklabelstandoff": 4,
            },
            yaxis={
                "range": [low * 100, high * 100],
                "tickvals": [each * 100 for each in lines],
                "ticktext": [f"${compact(each)}" for each in lines],
                "showgrid": True,
                "gridcolor": "var(--chart-grid)",
                "ticklabelstandoff": LEFT_PX - INSET_PX - 1,
            },
        ),
    }


def bounds(whole: list[int]) -> tuple[int, int, list[int]]:
    """Return where the axis begins and ends and where its lines are.

    It begins at zero, unless all that moves would then be a hair at the top.
    """
    most, least = max(whole, default=0), min(whole, default=0)
    if 0 <= (most - least) * FLAT_PARTS < least:
        _, lines = scale(max(most - least, 1))
        step = lines[1] - lines[0]
        low = max(least // step * step - step, 0)
        high = (most // step + 1) * step
        return low, high, list(range(low, high + 1, step))
    top, lines = scale(most)
    bottom = 0 if least >= 0 else -scale(-least)[0]
    return bottom, max(top, 1), lines


def _marks(slots: list[datetime], span: BalanceSpan, zone: ZoneInfo) -> dict[int, str]:
    """Return the slots that are named, and their names: hours of a day, else days."""
    names: dict[int, str] = {}
    before = ""
    for number, slot in enumerate(slots):
        local = slot.astimezone(zone)
        name = f"{local:%H}:00" if span is BalanceSpan.DAY else f"{local.day} {local:%b}"
        if before and name != before:
            names[number] = name
        before = name
    step = max(1, -(-len(names) // MARKS))
    return dict(list(names.items())[::step])


def _name(slot: datetime, zone: ZoneInfo) -> str:
    local = slot.astimezone(zone)
    return f"{local.day} {local:%b %H:%M}"


def _ignore(_key: str, _series: str | None) -> None:
    """Nothing follows from a click on a moment."""
