"""The wallet's books: its balance over time, every comparison, and what nobody explains."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial

from nicegui import html

from components.chart_style import INSET_PX, Figure, compact, layout, scale
from components.dollars import dollars, exact
from components.moment import short_moment
from components.plotly_bundle import LiveFigure
from components.text import Text
from components.thing_rows import Row, ThingRows, cell
from models.instants import iso
from models.money import NANOUSD_PER_CENT
from models.statement import BookState, ClosedBook, KeptRow, Proposal

SHOWN = 20
MARKS = 6
LEFT_PX = 64
_STATES = {
    BookState.CLOSED: ("● Agrees", "is-completed"),
    BookState.AGREES: ("◐ Agrees, some unknown", "is-processing"),
    BookState.DIFFERS: ("▲ Differs", "is-pending"),
}
_HEADS = ("When", "Result", "Balance", "Sent", "Fees", "Received", "Difference", "Unknown")


class BalanceChart:
    """The balance at each comparison, as a line; it stays out of sight until there are two."""

    def __init__(self, zone_name: str) -> None:
        self._zone_name = zone_name
        with html.section().classes("fp-panel fp-chart").props("data-testid=balance") as section:
            section.props('aria-label="Balance"')
            self._section = section
            with html.div().classes("fp-chart-head"):
                html.h2("Balance at each comparison with Flash's list")
            nothing = ("No comparison yet", "The first one comes within ten minutes.")
            self._figure = LiveFigure("columns", "Balance", nothing, _ignore)
        section.set_visibility(False)

    def show(self, books: Sequence[ClosedBook], now: datetime) -> None:
        """Show these comparisons, which come newest first."""
        is_drawn = len(books) > 1
        self._section.set_visibility(is_drawn)
        if is_drawn:
            found = balance_figure(books[::-1], now, self._zone_name)
            newest, oldest = dollars(books[0].balance_nanousd), dollars(books[-1].balance_nanousd)
            words = f"Balance at {len(books)} comparisons: from {oldest} to {newest}."
            self._figure.show(found, words, is_empty=False)


def balance_figure(books: Sequence[ClosedBook], now: datetime, zone_name: str) -> Figure:
    """Return the line through the balances, the oldest first."""
    cents = [book.balance_nanousd // NANOUSD_PER_CENT for book in books]
    top, lines = scale(max(cents) // 100)
    names = [short_moment(book.at, now, zone_name) for book in books]
    step = max(1, -(-len(books) // MARKS))
    marked = list(range(0, len(books), step))
    line = {"color": "var(--chart-accent)", "width": 2, "shape": "hv"}
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
                "line": line,
            }
        ],
        "layout": layout(
            meta={
                "kind": "columns",
                "keys": [iso(book.at) for book in books],
                "labels": names,
                "axis": "When",
                "one": "USD",
                "unit": "USD",
                "places": 2,
            },
            margin={"l": LEFT_PX, "r": 16, "t": 8, "b": 28},
            xaxis={
                "range": [-0.5, len(books) - 0.5],
                "tickvals": marked,
                "ticktext": [names[place] for place in marked],
                "tickangle": 0,
                "ticklabelstandoff": 4,
            },
            yaxis={
                "range": [0, max(top * 100, 1)],
                "tickvals": [each * 100 for each in lines],
                "ticktext": [f"${compact(each)}" for each in lines],
                "showgrid": True,
                "gridcolor": "var(--chart-grid)",
                "ticklabelstandoff": LEFT_PX - INSET_PX - 1,
            },
        ),
    }


class BookList:
    """The newest comparisons, a row each."""

    def __init__(self, zone_name: str) -> None:
        self._zone_name = zone_name
        with html.section().classes("fp-panel").props('aria-label="Closed books"'):
            with html.div().classes("fp-panel-head"):
                html.h2("Closed books").classes("fp-h2")
                words = "balance against the rows since the book before"
                Text("span", words).classes("fp-aside fp-wide-only")
            with html.div().classes("fp-row fp-book-row fp-row-head").props("aria-hidden=true"):
                for word in _HEADS:
                    html.span(word)
            self._rows = ThingRows("fp-book-row", "books")
            self._nothing = Text("p", "No comparison yet. The first one comes within ten minutes.")
            self._nothing.classes("fp-note fp-none")

    def show(self, books: Sequence[ClosedBook], now: datetime) -> None:
        """Show the newest of these."""
        self._rows.show([book_row(book, now, self._zone_name) for book in books[:SHOWN]])
        self._nothing.set_visibility(not books)


def book_row(book: ClosedBook, now: datetime, zone_name: str) -> Row:
    """Return a comparison as a row."""
    word, look = _STATES[book.state]
    off = book.difference_nanousd
    return {
        "id": book.id,
        "cells": [
            cell(short_moment(book.at, now, zone_name), "num"),
            cell(word, f"strong {look}"),
            cell(dollars(book.balance_nanousd), "num strong"),
            cell(dollars(book.sent_nanousd), "num"),
            cell(exact(book.fees_nanousd), "num"),
            cell(dollars(book.received_nanousd), "num"),
            cell(exact(off) if off else "none", "num is-pending strong" if off else "num soft"),
            cell(f"{book.unknown:,}" if book.unknown else "–", "num soft"),
        ],
    }


class ExtraList:
    """Debits that no payout explains; nothing is shown where there are none."""

    def __init__(self, zone_name: str) -> None:
        self._zone_name = zone_name
        with html.section().classes("fp-panel").props('aria-label="Unexplained debits"'):
            with html.div().classes("fp-panel-head"):
                html.h2("Debits that no payout explains").classes("fp-h2")
            self._rows = ThingRows("fp-extra-row", "extras")
            self._nothing = Text("p", "None in the last 35 days.").classes("fp-note fp-none")

    def show(self, rows: Sequence[KeptRow], now: datetime) -> None:
        """Show these rows, newest first."""
        self._rows.show(
            [
                {
                    "id": row.id,
                    "cells": [
                        cell(short_moment(row.at, now, self._zone_name), "num"),
                        cell(_amount(row.amount_nanousd), "num strong"),
                        cell(f"fee {_amount(row.fee_nanousd)}", "num soft"),
                        cell(row.id, "clip soft"),
                    ],
                }
                for row in rows[:SHOWN]
            ]
        )
        self._nothing.set_visibility(not rows)


class ProposalList:
    """What the books say did not leave, each with one click to take it; hidden where empty."""

    def __init__(self, zone_name: str, on_accept: Callable[[str], object] | None) -> None:
        self._zone_name = zone_name
        self._on_accept = on_accept
        self._shown: tuple[Proposal, ...] = ()
        with html.section().classes("fp-panel").props("data-testid=proposals") as self._panel:
            self._panel.props('aria-label="Proposals"')
            with html.div().classes("fp-panel-head"):
                html.h2("The books say: not paid").classes("fp-h2")
            self._body = html.div().classes("fp-panel-body fp-payout-acts")
        self._panel.set_visibility(False)

    def show(self, proposals: tuple[Proposal, ...], now: datetime) -> None:
        """Show what waits for a decision."""
        self._panel.set_visibility(bool(proposals))
        if proposals == self._shown:
            return
        self._shown = proposals
        self._body.clear()
        with self._body:
            for each in proposals[:SHOWN]:
                self._row(each, now)

    def _row(self, each: Proposal, now: datetime) -> None:
        assert each.agreed_twice_at is not None, "only proposals that stand are shown"
        when = short_moment(each.agreed_twice_at, now, self._zone_name)
        with html.div().classes("fp-payout-act"):
            link = Text("a", f"{each.payout_id} did not leave, as of {when}").classes("fp-link")
            link.props.update({"href": f"/payouts/{each.payout_id}", "data-go": ""})
            if self._on_accept is not None:
                accept = Text("button", "Take it as not paid…").classes("fp-button")
                accept.on("click", partial(self._on_accept, each.payout_id))


def _amount(nanousd: int | None) -> str:
    return "not known" if nanousd is None else exact(nanousd)


def _ignore(_key: str, _series: str | None) -> None:
    """Nothing follows from a click on a comparison."""
