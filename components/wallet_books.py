"""The wallet's books: every comparison, what is proposed, and what nobody explains."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial

from nicegui import html

from components.dollars import dollars, exact
from components.moment import short_moment
from components.text import Text
from components.thing_rows import Row, ThingRows, cell
from models.statement import BookState, ClosedBook, KeptRow, Proposal
from models.wallet_sheet import LateAlarm

SHOWN = 20
_STATES = {
    BookState.CLOSED: ("● Agrees", "is-completed"),
    BookState.AGREES: ("◐ Agrees, some unknown", "is-processing"),
    BookState.DIFFERS: ("▲ Differs", "is-pending"),
}
# Within a hundredth of a cent it is a rounding.
_OFF = {
    BookState.CLOSED: "soft",
    BookState.AGREES: "soft",
    BookState.DIFFERS: "is-pending strong",
}
_HEADS = ("When", "Result", "Balance", "Sent", "Fees", "Received", "Difference", "Unknown")


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
            cell(exact(off) if off else "none", f"num {_OFF[book.state]}"),
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


class AlarmList:
    """What was paid after its money had been given free; nothing is shown where there is none."""

    def __init__(self, zone_name: str) -> None:
        self._zone_name = zone_name
        with html.section().classes("fp-panel is-alarm").props("data-testid=alarms") as self._panel:
            self._panel.props('aria-label="Paid after release"')
            with html.div().classes("fp-panel-head"):
                html.h2("Paid after release").classes("fp-h2")
                words = "their money was free again when they turned out to be paid"
                Text("span", words).classes("fp-aside fp-wide-only")
            self._rows = ThingRows("fp-alarm-row", "alarm-rows")
        self._panel.set_visibility(False)

    def show(self, alarms: Sequence[LateAlarm], now: datetime) -> None:
        """Show these, newest first."""
        self._panel.set_visibility(bool(alarms))
        self._rows.show(
            [
                {
                    "id": alarm.payout_id,
                    "href": f"/payouts/{alarm.payout_id}",
                    "cells": [
                        cell(short_moment(alarm.at, now, self._zone_name), "num"),
                        cell(alarm.payout_id, "num strong clip"),
                        cell("Look into it →", "is-failed strong"),
                    ],
                }
                for alarm in alarms
            ]
        )


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
