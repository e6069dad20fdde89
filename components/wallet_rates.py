"""Prices in use with what stands against them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from nicegui import html

from components.moment import age
from components.text import Text
from components.thing_rows import Row, ThingRows, cell
from components.unit import unit_of
from models.money import SATS_PER_BTC, Rate
from models.wallet_sheet import RateSign

SECOND = timedelta(seconds=1)


class RateList:
    """Every price that is weighed, and which one converts."""

    def __init__(self) -> None:
        with html.section().classes("fp-panel").props("data-testid=rates") as panel:
            panel.props('aria-label="Rates"')
            with html.div().classes("fp-panel-head"):
                html.h2("Rates").classes("fp-h2")
                Text("span", "for one BTC").classes("fp-aside")
            self._rows = ThingRows("fp-rate-row", "rate-rows")
            self._note = Text("p").classes("fp-note is-warning fp-none")

    def show(self, signs: Sequence[RateSign], now: datetime) -> None:
        """Show what is known of each currency."""
        rows = [rate_row(sign, rate, now) for sign in signs for rate in sign.known]
        self._rows.show(rows)
        reasons = [
            f"Nothing converts to {each.currency}: {each.reason}." for each in signs if each.reason
        ]
        self._note.set_text(" ".join(reasons))
        self._note.set_visibility(bool(reasons))


def rate_row(sign: RateSign, rate: Rate, now: datetime) -> Row:
    """Return a price as a row, with how far it is from the one in use."""
    per_btc = rate.numerator * SATS_PER_BTC // rate.denominator
    in_use = sign.rate is not None and rate.source == sign.rate.source
    seconds = max(0, (now - rate.at) // SECOND)
    old = "now" if seconds <= 1 else f"{age(seconds)} old"
    source = rate.source[:1].upper() + rate.source[1:]
    return {
        "id": f"{sign.currency} {rate.source}",
        "cells": [
            cell(source, "strong"),
            cell(unit_of("fiat", sign.currency).write(per_btc), "num strong"),
            cell("in use" if in_use else deviation(rate, sign.rate), "num soft"),
            cell(old, "num soft"),
        ],
    }


def deviation(rate: Rate, used: Rate | None) -> str:
    """Return how far a price is from the one in use, in per cent with two decimals."""
    if used is None:
        return ""
    theirs = rate.numerator * used.denominator
    ours = used.numerator * rate.denominator
    hundredths = (theirs - ours) * 10_000 // ours
    sign = "\u2212" if hundredths < 0 else "+"
    whole, rest = divmod(abs(hundredths), 100)
    return f"{sign}{whole}.{rest:02d} %"
