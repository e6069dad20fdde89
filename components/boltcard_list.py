"""Boltcards as a list: whose each is, how it is doing, and what it drew."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from nicegui import html

from components.live_list import LiveList
from components.moment import short_moment
from components.text import Text
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


class BoltcardList:
    """Shows rows; each leads to its own page."""

    def __init__(
        self,
        zone_name: str,
        on_new: Callable[[], Awaitable[None]] | None,
        on_more: Callable[[], Awaitable[None]],
    ) -> None:
        self._zone_name = zone_name
        self._now: datetime | None = None
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
            with html.ul().classes("fp-rows").props("data-testid=boltcards") as rows:
                self._list = LiveList[CardView](rows, _key_of, self._row)
            self._empty = _empty(on_new)
            self._empty.set_visibility(False)
            with html.div().classes("fp-panel-foot") as self._foot:
                more = Text("button", "Show older").classes("fp-button")
                more.on("click", on_more)
            self._foot.set_visibility(False)

    def show(self, views: Sequence[CardView], now: datetime, *, has_more: bool) -> None:
        """Show these cards, newest first."""
        self._now = now
        self._panel.classes(remove="is-loading")
        self._list.show(views)
        self._empty.set_visibility(not views)
        self._foot.set_visibility(has_more)
        in_use = sum(view.stage is CardStage.IN_USE for view in views)
        self._count.set_text(f"{in_use:,} in use" if views else "")

    def _row(self) -> _Row:
        return _Row(self._moment)

    def _moment(self, moment: datetime | None) -> str:
        if moment is None or self._now is None:
            return "never"
        return short_moment(moment, self._now, self._zone_name)


class _Row:
    """One card."""

    def __init__(self, moment_of: Callable[[datetime | None], str]) -> None:
        self._moment_of = moment_of
        self._stage: CardStage | None = None
        with html.li() as self.root, html.a().classes("fp-row fp-card-row") as self._link:
            self._link.props["data-go"] = ""
            with html.span().classes("fp-lead"):
                self._alias = Text("span").classes("strong clip")
                self._uid = Text("span").classes("soft num clip small")
            self._state = Text("span").classes("fp-state-word strong")
            self._pull = Text("span").classes("clip")
            self._tapped = Text("span").classes("num soft")
            self._payouts = Text("span").classes("num fp-far")
            self._paid = Text("span").classes("num fp-far strong")
            self._most = Text("span").classes("num fp-far soft")

    def show(self, view: CardView) -> None:
        """Show a card as it is now."""
        glyph, word, colour = STAGES[view.stage]
        if "href" not in self._link.props:
            self._link.props["href"] = f"/boltcards/{view.card.id}"
        self._alias.set_text(view.card.alias)
        self._uid.set_text(view.uid or "number not known yet")
        self._state.set_text(f"{glyph} {word}")
        if self._stage is not view.stage:
            old = STAGES[self._stage][2] if self._stage is not None else None
            self._state.classes(remove=old, add=colour)
            self._stage = view.stage
        self._pull.set_text(view.use.pull_payment_name)
        self._tapped.set_text(self._moment_of(view.last_seen_at))
        self._payouts.set_text(f"{view.payouts:,}" if view.payouts else "–")
        self._paid.set_text(f"{view.paid_sats:,} sats" if view.paid_sats else "–")
        most = view.use.max_sats
        self._most.set_text("no limit" if most is None else f"up to {most:,}")


def _key_of(view: CardView) -> str:
    return view.card.id


def _empty(on_new: Callable[[], Awaitable[None]] | None) -> html.div:
    with html.div().classes("fp-nothing") as empty:
        html.p("No Boltcard yet").classes("strong")
        html.p("A Boltcard is a card that draws on a pull payment when it is held to a till.")
        if on_new is not None:
            first = Text("button", "Make the first one").classes("fp-button primary")
            first.on("click", on_new)
    return empty
