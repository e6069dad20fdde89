"""Boltcards as a list: whose each is, how it is doing, and what it drew."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from nicegui import html

from components.moment import short_moment
from components.text import Text
from components.thing_rows import Row, ThingRows, cell, lines
from models.card import CardStage
from models.card_view import CardView

# A glyph, words and the status colour that means the same.
STAGES = {
    CardStage.UNPROGRAMMED: ("○", "Not programmed", "is-pending"),
    CardStage.AWAITING_TAP: ("◐", "Waiting for a tap", "is-processing"),
    CardStage.IN_USE: ("●", "In use", "is-completed"),
    CardStage.BLOCKED: ("✕", "Blocked", "is-failed"),
    CardStage.WIPED: ("–", "Wiped", "is-cancelled"),
}
_COLUMNS = ("Card", "State", "Draws on", "Last tap", "Payouts, 30 d", "Paid, 30 d", "One tap")


def row_of(view: CardView, now: datetime, zone_name: str) -> Row:
    """Return a card as a row."""
    glyph, word, colour = STAGES[view.stage]
    seen, most = view.last_seen_at, view.use.max_sats
    return {
        "id": view.card.id,
        "href": f"/boltcards/{view.card.id}",
        "cells": [
            lines(
                (view.card.alias, "strong clip"),
                (view.uid or "number not known yet", "soft num clip small"),
            ),
            cell(f"{glyph} {word}", f"fp-state-word strong {colour}"),
            cell(view.use.pull_payment_name, "clip"),
            cell("never" if seen is None else short_moment(seen, now, zone_name), "num soft"),
            cell(f"{view.payouts:,}" if view.payouts else "–", "num fp-far"),
            cell(f"{view.paid_sats:,} sats" if view.paid_sats else "–", "num fp-far strong"),
            cell("no limit" if most is None else f"up to {most:,}", "num fp-far soft"),
        ],
    }


class BoltcardList:
    """Shows rows; each leads to its own page."""

    def __init__(
        self,
        zone_name: str,
        on_new: Callable[[], Awaitable[None]] | None,
        on_more: Callable[[], Awaitable[None]],
    ) -> None:
        self._zone_name = zone_name
        with html.section().classes("fp-panel fp-things is-loading") as self._panel:
            self._panel.props("aria-label=Boltcards")
            with html.div().classes("fp-panel-head"):
                html.h2("Boltcards").classes("fp-h2")
                self._count = Text("span").classes("fp-aside num")
                html.span().classes("fp-gap")
                if on_new is not None:
                    new = Text("button", "New card").classes("fp-button primary")
                    new.on("click", on_new)
            with html.div().classes("fp-row fp-card-row fp-row-head").props("aria-hidden=true"):
                for word in _COLUMNS:
                    html.span(word)
            self._rows = ThingRows("fp-card-row", "boltcards")
            self._empty = _empty(on_new)
            self._empty.set_visibility(False)
            with html.div().classes("fp-panel-foot") as self._foot:
                more = Text("button", "Show older").classes("fp-button")
                more.on("click", on_more)
            self._foot.set_visibility(False)

    def show(self, views: Sequence[CardView], now: datetime, *, has_more: bool) -> None:
        """Show these cards, newest first."""
        self._panel.classes(remove="is-loading")
        self._rows.show([row_of(view, now, self._zone_name) for view in views])
        self._empty.set_visibility(not views)
        self._foot.set_visibility(has_more)
        in_use = sum(view.stage is CardStage.IN_USE for view in views)
        self._count.set_text(f"{in_use:,} in use" if views else "")


def _empty(on_new: Callable[[], Awaitable[None]] | None) -> html.div:
    with html.div().classes("fp-nothing") as empty:
        html.p("No Boltcard yet").classes("strong")
        html.p("A Boltcard is a card that draws on a pull payment when it is held to a till.")
        if on_new is not None:
            first = Text("button", "Make the first one").classes("fp-button primary")
            first.on("click", on_new)
    return empty
