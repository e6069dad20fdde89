"""What is left of the budgets that are nearest to empty."""

from __future__ import annotations

from dataclasses import dataclass

from components.moment import short_day
from components.sheet import Piece, Sheet
from models.money import SATS_CURRENCY, format_minor
from models.standing import Budget, WalletStanding

MOST = 5
ADDRESS = "/pull-payments"


@dataclass(slots=True)
class _Line:
    box: Piece
    name: Piece
    left: Piece
    bar: Piece
    detail: Piece
    shown: object = None


class BudgetList:
    """Five lines that stay; what they say changes."""

    def __init__(self, zone_name: str) -> None:
        self._zone_name = zone_name
        said = {"data_testid": "budgets", "aria_label": "Budgets"}
        self._panel = Sheet("section", "fp-panel fp-budgets is-loading", **said).root
        head = self._panel.add("div", "fp-panel-head")
        head.add("h2", "fp-h2", "Left in pull payments")
        head.add("span", "fp-gap")
        head.add("a", "fp-link", "All", href=ADDRESS, data_go="")
        self._empty = self._panel.add("p", "fp-note fp-panel-body hidden", "No open pull payment.")
        lines = self._panel.add("ul", "fp-budget-list")
        self._lines = [_line(lines) for _ in range(MOST)]

    def show(self, standing: WalletStanding) -> None:
        """Show budgets as they are now."""
        self._panel.mark("is-loading", on=False)
        self._empty.set_visibility(not standing.budgets)
        for number, line in enumerate(self._lines):
            budget = standing.budgets[number] if number < len(standing.budgets) else None
            if line.shown == budget:
                continue
            line.shown = budget
            line.box.set_visibility(budget is not None)
            if budget is not None:
                self._fill(line, budget, standing)

    def _fill(self, line: _Line, budget: Budget, standing: WalletStanding) -> None:
        line.name.set_text(budget.name)
        line.left.set_text(left_of(budget))
        used = budget.used_percent
        line.bar.set("style", f"width:{used}%")
        whole = amount(budget.budget, budget.currency)
        ends = ""
        if budget.expires_at is not None:
            ends = f", ends {short_day(budget.expires_at, standing.as_of, self._zone_name)}"
        line.detail.set_text(f"{used} % used{ends}")
        paid = amount(budget.paid, budget.currency)
        reserved = amount(budget.reserved, budget.currency)
        line.box.set("title", f"{whole}: {paid} paid, {reserved} reserved")
        line.box.mark("is-low", on=budget.is_nearly_empty)


def amount(minor: int, currency: str) -> str:
    """Print minor units with their currency: `12,000 sats`, `1,234.50 USD`."""
    if currency == SATS_CURRENCY:
        return f"{minor:,} sats"
    whole, dot, rest = format_minor(minor, currency).partition(".")
    return f"{int(whole):,}{dot}{rest} {currency}"


def left_of(budget: Budget) -> str:
    """Return what is left of how much: `67 of 222 k sats left`, `5.10 of 20.00 USD left`."""
    whole = amount(budget.budget, budget.currency)
    if budget.currency == SATS_CURRENCY:
        whole = f"{scale(budget.budget)} sats"
    return f"{amount(budget.remaining, budget.currency).split()[0]} of {whole} left"


def scale(count: int) -> str:
    """Print a count that only gives the scale: `20 M`, `182.5 k`, `999`; rounded down."""
    for size, letter in ((1_000_000, "M"), (1_000, "k")):
        if count >= size:
            tenths = count * 10 // size
            tail = f".{tenths % 10}" if tenths % 10 else ""
            return f"{tenths // 10:,}{tail} {letter}"
    return f"{count:,}"


def _line(into: Piece) -> _Line:
    box = into.add("li", "fp-budget hidden")
    name = box.add("span", "name")
    bar = box.add("span", "fp-meter", aria_hidden="true").add("span", "part")
    return _Line(box, name, box.add("span", "left num"), bar, box.add("span", "fp-aside num"))
