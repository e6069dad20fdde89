"""The modal that explains one payout: figures, story, evidence, what to do, what to tell."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from nicegui import html, ui

from components.payout_acts import act_rows
from components.text import Text
from components.theme import GLYPHS
from components.unit import unit_of
from models.money import (
    MSAT_PER_SAT,
    NANOUSD_PER_CENT,
    SATS_CURRENCY,
    SATS_PER_BTC,
)
from models.payout import EvidenceGrade
from models.payout_act import PayoutAct, PossibleActs
from models.payout_detail import PayoutDetail, StepKind, TimelineStep
from models.payout_view import PayoutView, RateView
from models.store import Store

Act = Callable[[PayoutAct, PayoutView, str | None], Awaitable[None]]
_GRADES = {
    EvidenceGrade.PREIMAGE: "Proof",
    EvidenceGrade.FLASH_SUCCESS: "Flash: success",
    EvidenceGrade.FLASH_INVOICE: "Flash: invoice paid",
    EvidenceGrade.STATEMENT: "Statement",
    EvidenceGrade.STRIPE_TRANSFER: "Stripe transfer",
    EvidenceGrade.PERSON: "Confirmed by a person",
}
_STEP_GLYPHS = {StepKind.STATE: "●", StepKind.SEND: "→", StepKind.SIGHTING: "◌"}


class PayoutDetailDialog:
    """One dialog for a page, filled anew each time; `on_act` is told what was decided."""

    def __init__(self, store: Store, on_act: Act, on_close: Callable[[], None]) -> None:
        self._zone = ZoneInfo(store.time_zone)
        self._currency = store.currency
        self._on_act = on_act
        self.shown: PayoutDetail | None = None
        with ui.dialog() as self._dialog, html.article().classes("fp-modal") as self._body:
            self._body.props('data-testid=payout-detail role=dialog aria-label="Payout"')
        self._dialog.on("hide", on_close)

    def open(self, detail: PayoutDetail, possible: PossibleActs) -> None:
        """Show a payout, and what whoever looks may do to it."""
        self._fill(detail, possible)
        self._dialog.open()

    def refresh(self, detail: PayoutDetail, possible: PossibleActs) -> None:
        """Show the same payout as it is now."""
        if self._dialog.value:
            self._fill(detail, possible)

    def close(self) -> None:
        """Close the dialog."""
        self._dialog.close()

    @property
    def open_id(self) -> str | None:
        """Return the id of the payout that is shown, if one is."""
        return self.shown.payout.id if self.shown is not None and self._dialog.value else None

    def _fill(self, detail: PayoutDetail, possible: PossibleActs) -> None:
        self.shown = detail
        self._body.clear()
        with self._body:
            self._head(detail.payout)
            with html.div().classes("fp-modal-body"):
                _advice(detail)
                act_rows(possible, self._zone, lambda act: self._on_act(act, detail.payout, None))
                with html.div().classes("fp-facts"):
                    self._facts(detail)
                with html.section():
                    html.h3("What happened").classes("fp-h3")
                    with html.ol().classes("fp-steps"):
                        for step in detail.steps:
                            self._step(step)
                _not_arrived(detail)
            if PayoutAct.APPROVE in possible.acts:
                self._decision(detail.payout)

    def _head(self, payout: PayoutView) -> None:
        with html.header().classes("fp-modal-head"):
            with html.div():
                amount = "–" if payout.amount_sats is None else f"{payout.amount_sats:,} sats"
                html.h2(amount).classes("fp-amount")
                with html.div().classes("fp-status"):
                    word = str(payout.status)
                    html.span(f"{GLYPHS[word]} {word.capitalize()}").classes(f"is-{word} strong")
                    if str(payout.state) != word:
                        html.span(str(payout.state).replace("_", " ")).classes("soft")
            close = html.button("✕").classes("fp-button quiet")
            close.props('aria-label="Close"').on("click", self._dialog.close)

    def _facts(self, detail: PayoutDetail) -> None:
        payout = detail.payout
        with _group("Money"):
            _fact("Asked", _money(payout.original_amount, payout.currency))
            _fact("Sent", _msat(payout.amount_msat) or "not fixed yet")
            _fact("Fee", _msat(payout.fee_msat) or "not known yet")
            if payout.debited_nanousd is not None:
                _fact("Debited", _dollars(payout.debited_nanousd))
            if payout.value_cents is not None:
                _fact("Worth then", _money(payout.value_cents, self._currency))
            if payout.rate is not None:
                _fact("Rate", self._rate(payout.rate))
        with _group("From"):
            _fact("Pull payment", detail.pull_payment.name if detail.pull_payment else None)
            card = payout.boltcard_alias or payout.boltcard_uid
            if card is not None:
                said = "tapped" if payout.card_verified else "only said, not verified"
                _fact("Card", f"{card} ({said})")
            if payout.boltcard_alias and payout.boltcard_uid:
                _fact("Card number", payout.boltcard_uid)
            _fact("Memo", payout.memo)
            _fact("Asked at", self._time(payout.created_at))
            _fact("Payout", payout.id, copy=True)
        with _group("To"):
            self._destination(detail)

    def _destination(self, detail: PayoutDetail) -> None:
        payout, invoice = detail.payout, detail.invoice
        if invoice is not None:
            _fact("Invoice says", invoice.description or "nothing")
            _fact("Runs out", self._time(invoice.expires_at))
            _fact("Payee's node", invoice.payee, copy=True)
        _fact("Destination", payout.destination, copy=True)
        _fact("Payment hash", payout.payment_hash, copy=True)
        _fact("Preimage", payout.preimage, copy=True)
        _fact("Evidence", _GRADES[payout.evidence] if payout.evidence else "none yet")

    def _rate(self, rate: RateView) -> str:
        per_btc = _money(rate.numerator * SATS_PER_BTC // rate.denominator, self._currency)
        return f"{per_btc} per BTC, {rate.source}, {self._time(rate.at)}"

    def _step(self, step: TimelineStep) -> None:
        with html.li().classes(f"fp-step {step.kind}"):
            html.span(_STEP_GLYPHS[step.kind]).classes("mark").props("aria-hidden=true")
            with html.div():
                html.span(step.title).classes("strong")
                if step.note:
                    html.span(step.note).classes("soft")
            html.span(_took(step.since_before)).classes("num soft")
            html.span(self._time(step.at)).classes("num soft")

    def _decision(self, payout: PayoutView) -> None:
        with html.footer().classes("fp-modal-foot"):
            reason = ui.input(placeholder="Reason, if you reject").classes("fp-input")
            reason.props("dense outlined")
            reject = Text("button", "Reject").classes("fp-button stop")
            reject.on("click", lambda: self._on_act(PayoutAct.REJECT, payout, reason.value))
            approve = Text("button", "Approve").classes("fp-button primary")
            approve.on("click", lambda: self._on_act(PayoutAct.APPROVE, payout, None))

    def _time(self, at: datetime) -> str:
        return f"{at.astimezone(self._zone):%b %d, %H:%M:%S}"


def _advice(detail: PayoutDetail) -> None:
    with html.div().classes("fp-advice"):
        html.p(detail.advice.meaning).classes("strong")
        html.p(detail.advice.next_step).classes("soft")
        if detail.payout.error_message:
            html.p(detail.payout.error_message).classes("soft")


def _not_arrived(detail: PayoutDetail) -> None:
    with html.details().classes("fp-details"):
        html.summary("The customer says it did not arrive")
        html.p(detail.claim_text).classes("fp-quote")
        _copy_button(detail.claim_text, "Copy this text")


@contextmanager
def _group(name: str) -> Iterator[None]:
    with html.section().classes("fp-group"):
        html.h3(name).classes("fp-h3")
        with html.dl():
            yield


def _fact(name: str, value: str | None, *, copy: bool = False) -> None:
    if value is None:
        return
    with html.div().classes("fp-fact"):
        html.dt(name).classes("soft")
        with html.dd():
            html.span(value).classes("num clip").props["title"] = value
            if copy:
                _copy_button(value, "Copy", quiet=True)


def _money(amount: int, currency: str) -> str:
    return unit_of("sats" if currency == SATS_CURRENCY else "fiat", currency).write(amount)


def _msat(amount_msat: int | None) -> str | None:
    """Write an amount in sats, with its thousandths only where there are some."""
    if amount_msat is None:
        return None
    sats, rest = divmod(amount_msat, MSAT_PER_SAT)
    return f"{sats:,}.{rest:03d} sats" if rest else f"{sats:,} sats"


def _dollars(nanousd: int) -> str:
    """Write what Flash debited: it counts fractions of a cent."""
    whole, rest = divmod(nanousd, NANOUSD_PER_CENT * 100)
    return f"{whole:,}.{rest:09d}".rstrip("0") + " USD"


def _copy_button(text: str, label: str, *, quiet: bool = False) -> None:
    button = html.button(label).classes("fp-copy" if quiet else "fp-button")
    button.props.update({"aria-label": label, "title": label})
    button.on("click", js_handler=f"() => navigator.clipboard.writeText({json.dumps(text)})")


def _took(since: timedelta | None) -> str:
    if since is None:
        return ""
    ms = since // timedelta(milliseconds=1)
    if ms < 1000:  # noqa: PLR2004
        return f"+{ms} ms"
    if ms < 60_000:  # noqa: PLR2004
        return f"+{ms / 1000:.1f} s"
    minutes, seconds = divmod(ms // 1000, 60)
    return f"+{minutes} min {seconds} s"
