"""Pull payments as a list: what is left of each budget, and whether claims are taken."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from nicegui import html

from components.live_list import LiveList
from components.moment import short_moment
from components.text import Text
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
_COLUMNS = ("Name", "State", "Left of the budget", "Paid", "Reserved", "Waiting", "Claims")


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
    return f"width:{paid // 10}.{paid % 10}%", f"width:{reserved // 10}.{reserved % 10}%"


def time_words(view: PullPaymentView, now: datetime, zone_name: str) -> str:
    """Return from when or until when claims are taken."""
    pull = view.pull_payment
    if view.phase is PullPaymentPhase.NOT_BEGUN:
        return f"Begins {short_moment(pull.starts_at, now, zone_name)}"
    if pull.expires_at is None:
        return "No end"
    word = "Ended" if pull.expires_at <= now else "Ends"
    return f"{word} {short_moment(pull.expires_at, now, zone_name)}"


class PullPaymentList:
    """Shows rows; each leads to its own page."""

    def __init__(
        self,
        zone_name: str,
        on_new: Callable[[], object] | None,
        on_more: Callable[[], Awaitable[None]],
    ) -> None:
        self._zone_name = zone_name
        self._now: datetime | None = None
        with html.section().classes("fp-panel fp-things is-loading") as self._panel:
            self._panel.props('aria-label="Pull payments"')
            with html.div().classes("fp-panel-head"):
                html.h2("Pull payments").classes("fp-h2")
                self._count = Text("span").classes("fp-aside num")
                html.span().classes("fp-gap")
                if on_new is not None:
                    new = Text("button", "New pull payment").classes("fp-button primary")
                    new.on("click", on_new)
            with html.div().classes("fp-row fp-pull-row fp-row-head").props("aria-hidden=true"):
                for word in _COLUMNS:
                    html.span(word)
            with html.ul().classes("fp-rows").props("data-testid=pull-payments") as rows:
                self._list = LiveList[PullPaymentView](rows, _key_of, self._row)
            self._empty = _empty(on_new)
            self._empty.set_visibility(False)
            with html.div().classes("fp-panel-foot") as self._foot:
                more = Text("button", "Show older").classes("fp-button")
                more.on("click", on_more)
            self._foot.set_visibility(False)

    def show(self, views: Sequence[PullPaymentView], now: datetime, *, has_more: bool) -> None:
        """Show these pull payments, newest first."""
        self._now = now
        self._panel.classes(remove="is-loading")
        self._list.show(views)
        self._empty.set_visibility(not views)
        self._foot.set_visibility(has_more)
        open_now = sum(view.phase is PullPaymentPhase.OPEN for view in views)
        self._count.set_text(f"{open_now:,} open" if views else "")

    def _row(self) -> _Row:
        return _Row(self._words)

    def _words(self, view: PullPaymentView) -> str:
        return "" if self._now is None else time_words(view, self._now, self._zone_name)


class _Row:
    """One pull payment."""

    def __init__(self, time_words_of: Callable[[PullPaymentView], str]) -> None:
        self._time_words = time_words_of
        self._phase: PullPaymentPhase | None = None
        with html.li() as self.root, html.a().classes("fp-row fp-pull-row") as self._link:
            self._link.props["data-go"] = ""
            with html.span().classes("fp-lead"):
                self._name = Text("span").classes("strong clip")
                self._time = Text("span").classes("soft clip small")
            self._state = Text("span").classes("fp-state-word strong")
            with html.span().classes("fp-left"):
                self._left = Text("span").classes("num")
                with html.span().classes("fp-stack"):
                    self._paid_part = html.span().classes("part free")
                    self._reserved_part = html.span().classes("part unsettled")
            self._paid = Text("span").classes("num fp-far")
            self._reserved = Text("span").classes("num fp-far soft")
            self._waiting = Text("span").classes("num fp-far")
            self._claims = Text("span").classes("soft fp-far")

    def show(self, view: PullPaymentView) -> None:
        """Show a pull payment as it is now."""
        pull, unit = view.pull_payment, unit_for(view.pull_payment.currency)
        glyph, word, colour = PHASES[view.phase]
        if "href" not in self._link.props:
            self._link.props["href"] = f"/pull-payments/{pull.id}"
        self._name.set_text(pull.name)
        self._time.set_text(self._time_words(view))
        self._state.set_text(f"{glyph} {word}")
        if self._phase is not view.phase:
            old = PHASES[self._phase][2] if self._phase is not None else None
            self._state.classes(remove=old, add=colour)
            self._phase = view.phase
        left = unit.write(pull.remaining)
        self._left.set_text(
            f"{left} of {_plain(unit, pull.budget)} · {taken_percent(pull)} % taken"
        )
        paid, reserved = shares(pull)
        self._paid_part.style(replace=paid)
        self._reserved_part.style(replace=reserved)
        self._paid.set_text(_plain(unit, pull.paid))
        self._reserved.set_text(_plain(unit, pull.reserved) if pull.reserved else "–")
        self._waiting.set_text(f"{view.waiting:,}" if view.waiting else "–")
        self._waiting.classes(
            add="is-pending strong" if view.waiting else "soft",
            remove="soft" if view.waiting else "is-pending strong",
        )
        self._claims.set_text("paid at once" if pull.auto_approve else "approved by a person")


def _plain(unit: Unit, amount: int) -> str:
    """Write an amount whose unit has just been named."""
    return unit.number(amount) if unit is SATS else unit.write(amount)


def _key_of(view: PullPaymentView) -> str:
    return view.pull_payment.id


def _empty(on_new: Callable[[], object] | None) -> html.div:
    with html.div().classes("fp-nothing") as empty:
        html.p("No pull payment yet").classes("strong")
        html.p("A pull payment is a budget that people draw from: by a link, a QR code or a card.")
        if on_new is not None:
            first = Text("button", "Make the first one").classes("fp-button primary")
            first.on("click", on_new)
    return empty
