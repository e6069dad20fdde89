"""Boltcards as a list: whose each is, how it is doing, and what it drew."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from components.moment import short_moment
from components.thing_panel import OnNew, ThingPanel, ThingWords
from components.thing_rows import Row, cell, lines
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
_WORDS = ThingWords(
    name="Boltcards",
    new="New card",
    columns=("Card", "State", "Draws on", "Last tap", "Payouts, 30 d", "Paid, 30 d", "One tap"),
    empty="No Boltcard yet",
    meaning="A Boltcard is a card that draws on a pull payment when it is held to a till.",
)


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
        self, zone_name: str, on_new: OnNew, on_more: Callable[[], Awaitable[None]]
    ) -> None:
        self._zone_name = zone_name
        self._panel = ThingPanel(_WORDS, "fp-card-row", "boltcards", on_new, on_more)

    def show(self, views: Sequence[CardView], now: datetime, *, has_more: bool) -> None:
        """Show these cards, newest first."""
        in_use = sum(view.stage is CardStage.IN_USE for view in views)
        rows = [row_of(view, now, self._zone_name) for view in views]
        self._panel.show(rows, f"{in_use:,} in use", has_more=has_more)
