"""What a new payout would come to, for a person to read before it is made."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from nicegui import html, ui

from components.countdown import Countdown
from components.fact import fact, fact_line, group
from components.moment import age, short_moment
from components.text import Text
from components.unit import SATS, unit_of
from models.money import MSAT_PER_SAT, SATS_CURRENCY, SATS_PER_BTC, Rate
from models.payout import DestinationKind
from models.payout_request import PayoutPreview

SECOND = timedelta(seconds=1)
_KINDS = {
    DestinationKind.BOLT11: "Lightning invoice",
    DestinationKind.LNURL: "LNURL",
    DestinationKind.ADDRESS: "Lightning Address",
    DestinationKind.FLASH: "Flash user",
}
_AMOUNTLESS = (
    "This invoice names no amount, so Flash takes no key that would keep a second try from paying"
    " twice. If the connection breaks while it is sent, a person may have to look."
)


@dataclass(frozen=True, slots=True)
class Review:
    """What is reviewed; `warning` stands above all else."""

    preview: PayoutPreview
    fee: str
    cap: str
    memo: str
    pull_payment: str | None
    currency: str
    zone_name: str
    now: datetime
    warning: str = ""


class PayoutReview:
    """One dialog for a page; `on_send` is told once, however often somebody clicks."""

    def __init__(
        self, on_send: Callable[[], Awaitable[bool]], on_back: Callable[[], object]
    ) -> None:
        self._on_send = on_send
        self._on_back = on_back
        self._is_busy = False
        with ui.dialog() as self._dialog, html.section().classes("fp-modal fp-form") as body:
            self._body = body.props('role=dialog aria-label="Review payout"')
            self._body.props("data-testid=payout-review")

    def show(self, review: Review) -> None:
        """Show what would be made."""
        preview = review.preview
        self._body.clear()
        with self._body:
            with html.header().classes("fp-modal-head"):
                with html.div():
                    html.h2(_sats(preview.amount_msat)).classes("fp-amount")
                    Text("p", _worth(review)).classes("fp-note num")
                close = html.button("✕").classes("fp-button quiet")
                close.props('type=button aria-label="Close"').on("click", self._dialog.close)
            with html.div().classes("fp-modal-body"):
                if review.warning:
                    Text("p", review.warning).classes("fp-note is-warning").props("role=alert")
                _to(review)
                _costs(review)
                if preview.risk is not None:
                    Text("p", _AMOUNTLESS).classes("fp-note is-warning")
                Text("p", _next(preview)).classes("fp-note")
                self._error = Text("p").classes("fp-field-error").props("role=alert")
            with html.footer().classes("fp-modal-foot"):
                back = Text("button", "Back").classes("fp-button").props("type=button")
                back.on("click", self._back)
                word = "Ask for approval" if preview.needs_approval else "Send now"
                self._send = Text("button", word).classes("fp-button primary")
                self._send.props("type=button autofocus").on("click", self._sent)
        self._dialog.open()

    def show_error(self, words: str) -> None:
        """Say why it was not made."""
        self._error.set_text(words)

    def _back(self) -> None:
        self._dialog.close()
        self._on_back()

    async def _sent(self) -> None:
        if self._is_busy:
            return
        self._is_busy = True
        self._send.props["disabled"] = ""
        try:
            if await self._on_send():
                self._dialog.close()
        finally:
            self._is_busy = False
            self._send.props.pop("disabled", None)
            self._send.update()


def _to(review: Review) -> None:
    preview = review.preview
    with group("To"):
        fact(_KINDS[preview.kind], preview.destination)
        fact("Belongs to", preview.host)
        if preview.callback_host != preview.host:
            fact("Invoice made by", preview.callback_host)
        if preview.invoice_expires_at is not None:
            left = max(0, (preview.invoice_expires_at - review.now) // SECOND)
            when = short_moment(preview.invoice_expires_at, review.now, review.zone_name)
            fact("Runs out", f"{when}, in {age(left)}" if left > 1 else "now")
        fact("Memo, for us", review.memo)
    with html.div():
        html.span("The recipient's own words").classes("fp-note")
        Text("p", preview.description or "none").classes("fp-quote")


def _costs(review: Review) -> None:
    preview = review.preview
    with group("Costs"):
        fact("Fee", review.fee)
        fact("Fee at most", review.cap)
        if preview.rate is not None:
            fact("Rate", _rate(preview.rate, review.now))
        if preview.locked_until is not None:
            when = short_moment(preview.locked_until, review.now, review.zone_name)
            with fact_line("Amount holds until"):
                Text("span", f"{when},").classes("num")
                Countdown(preview.locked_until - review.now, "over; it is quoted anew")
        if review.pull_payment is not None:
            units = _minor(preview.units, preview.currency)
            fact("Taken from", f"{review.pull_payment}, {units}")


def _sats(amount_msat: int) -> str:
    sats, rest = divmod(amount_msat, MSAT_PER_SAT)
    return f"{sats:,}.{rest:03d} sats" if rest else SATS.write(sats)


def _minor(amount: int, currency: str) -> str:
    return unit_of("sats" if currency == SATS_CURRENCY else "fiat", currency).write(amount)


def _worth(review: Review) -> str:
    preview = review.preview
    if preview.value_cents is None:
        return "There is no price now, so its worth is not shown."
    return f"worth {_minor(preview.value_cents, review.currency)} now"


def _rate(rate: Rate, now: datetime) -> str:
    per_btc = _minor(rate.numerator * SATS_PER_BTC // rate.denominator, rate.currency)
    old = max(0, (now - rate.at) // SECOND)
    source = rate.source[:1].upper() + rate.source[1:]
    return f"{per_btc} per BTC, {source}, {'of now' if old <= 1 else f'{age(old)} old'}"


def _next(preview: PayoutPreview) -> str:
    if preview.needs_approval:
        return "It waits until somebody approves it; nothing is sent before."
    return "It is sent as soon as its turn comes. What is sent cannot be taken back."
