"""Pull payments as a list: what is left of each budget, and whether claims are taken."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from components.moment import short_moment
from components.thing_panel import OnNew, ThingPanel, ThingWords
from components.thing_rows import Row, cell, lines
from components.unit import SATS, Unit
from models.money import SATS_CURRENCY
from models.pull_payment import PullPayment, PullPaymentPhase, PullPaymentView

# A glyph, words and the status colour that means the same.
PHASES = {
    PullPaymentPhase.OPEN: ("●", "Open", "is-completed"),
    PullPaymentPhase.NOT_BEGUN: ("○", "Not begun", "is-processing"),
    PullPaymentPhase.ENDED: ("–", "Ended", "is-cancelled"),
    PullPaymentPhase.EMPTY: ("◌", "Empty", "is-pending"),
    PullPaymentPhase.ARCHIVED: ("–", "Archived", "is-cancelled"),
}
_WORDS = ThingWords(
    name="Pull payments",
    new="New pull payment",
    columns=("Name", "State", "Left of the budget", "Paid", "Reserved", "Waiting", "Claims"),
    empty="No pull payment yet",
    meaning="A pull payment is a budget that people draw from: by a link, a QR code or a card.",
)


def unit_for(currency: str) -> Unit:
    """Return how amounts of a pull payment are written."""
    return SATS if currency == SATS_CURRENCY else Unit("fiat", currency)


def taken_percent(pull_payment: PullPayment) -> int:
    """Return how much of a budget is paid or reserved, in whole per cent, rounded down."""
    return (pull_payment.paid + pull_payment.reserved) * 100 // pull_payment.budget


def shares(pull_payment: PullPayment) -> tuple[str, str]:
    """Return the widths of what is paid and what is reserved, as the browser takes them."""
    paid = pull_payment.paid * 1000 // pull_payment.budget
    reserved = pull_payment.reserved * 1000 // pull_payment.budget
    # What is there is seen, be it ever so little.
    paid, reserved = max(paid, pull_payment.paid > 0), max(reserved, pull_payment.reserved > 0)
    return f"{paid // 10}.{paid % 10}%", f"{reserved // 10}.{reserved % 10}%"


def time_words(view: PullPaymentView, now: datetime, zone_name: str) -> str:
    """Return from when or until when claims are taken."""
    pull = view.pull_payment
    if view.phase is PullPaymentPhase.NOT_BEGUN:
        return f"Begins {short_moment(pull.starts_at, now, zone_name)}"
    if pull.expires_at is None:
        return "No end"
    word = "Ended" if pull.expires_at <= now else "Ends"
    return f"{word} {short_moment(pull.expires_at, now, zone_name)}"


def row_of(view: PullPaymentView, now: datetime, zone_name: str) -> Row:
    """Return a pull payment as a row."""
    pull, unit = view.pull_payment, unit_for(view.pull_payment.currency)
    glyph, word, colour = PHASES[view.phase]
    left = f"{unit.write(pull.remaining)} of {_plain(unit, pull.budget)}"
    paid, reserved = shares(pull)
    budget = lines((f"{left} · {taken_percent(pull)} % taken", "num"), look="fp-left")
    budget["bar"] = [{"look": "free", "width": paid}, {"look": "unsettled", "width": reserved}]
    return {
        "id": pull.id,
        "href": f"/pull-payments/{pull.id}",
        "cells": [
            lines(
                (pull.name, "strong clip"), (time_words(view, now, zone_name), "soft clip small")
            ),
            cell(f"{glyph} {word}", f"fp-state-word strong {colour}"),
            budget,
            cell(_plain(unit, pull.paid), "num fp-far"),
            cell(_plain(unit, pull.reserved) if pull.reserved else "–", "num fp-far soft"),
            cell(
                f"{view.waiting:,}" if view.waiting else "–",
                f"num fp-far {'is-pending strong' if view.waiting else 'soft'}",
            ),
            cell("paid at once" if pull.auto_approve else "approved by a person", "soft fp-far"),
        ],
    }


class PullPaymentList:
    """Shows rows; each leads to its own page."""

    def __init__(
        self, zone_name: str, on_new: OnNew, on_more: Callable[[], Awaitable[None]]
    ) -> None:
        self._zone_name = zone_name
        self._panel = ThingPanel(_WORDS, "fp-pull-row", "pull-payments", on_new, on_more)

    def show(self, views: Sequence[PullPaymentView], now: datetime, *, has_more: bool) -> None:
        """Show these pull payments, newest first."""
        open_now = sum(view.phase is PullPaymentPhase.OPEN for view in views)
        rows = [row_of(view, now, self._zone_name) for view in views]
        self._panel.show(rows, f"{open_now:,} open", has_more=has_more)


def _plain(unit: Unit, amount: int) -> str:
    """Write an amount whose unit has just been named."""
    return unit.number(amount) if unit is SATS else unit.write(amount)
