"""One pull payment: how its budget stands, its claim link as a QR code, and a sheet to print."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from nicegui import html

from components.copy_button import copy_button
from components.moment import short_moment
from components.pull_payment_list import PHASES, shares, taken_percent, time_words, unit_for
from components.qr_code import qr_code
from components.text import Text
from components.unit import SATS
from models.pull_payment import PullPayment, PullPaymentPhase, PullPaymentView

_PRINT = "() => window.print()"
_CLOSED = {
    PullPaymentPhase.NOT_BEGUN: "Claims are refused until it begins.",
    PullPaymentPhase.ENDED: "It has ended, so claims are refused.",
    PullPaymentPhase.EMPTY: "The budget is used up. Give it more, and claims are taken again.",
    PullPaymentPhase.ARCHIVED: "It is archived, so claims are refused. Cards that draw on it too.",
}


@dataclass(frozen=True, slots=True)
class ClaimLink:
    """The three spellings of a claim link."""

    url: str
    lnurl: str
    lnurlw: str


@dataclass(frozen=True, slots=True)
class SheetActs:
    """What may be done; nothing for those who may only look."""

    edit: Callable[[], object]
    archive: Callable[[], object]
    replace_link: Callable[[], object]


class PullPaymentSheet:
    """Shows one pull payment and its link; only what changed is drawn anew."""

    def __init__(self, zone_name: str, acts: SheetActs | None, *, reach: str = "") -> None:
        self._zone_name = zone_name
        self._reach = reach
        self._acts = acts
        self._link: ClaimLink | None = None
        self._phase: PullPaymentPhase | None = None
        self._facts: dict[str, Text] = {}
        with html.nav().classes("fp-crumbs").props('aria-label="Back"'):
            back = html.a("← Pull payments")
            back.props.update({"href": "/pull-payments", "data-go": ""})
        with html.div().classes("fp-two"):
            with html.section().classes("fp-panel fp-thing is-loading") as self._panel:
                self._head()
                self._money()
                self._foot()
            with html.section().classes("fp-panel fp-claim") as self._claim:
                self._claim.props('aria-label="Claim link"')
        self._print = html.div().classes("fp-print").props("aria-hidden=true")

    def show(self, view: PullPaymentView, link: ClaimLink | None, now: datetime) -> None:
        """Show a pull payment as it is now; without a link to those who may not draw."""
        pull, unit = view.pull_payment, unit_for(view.pull_payment.currency)
        self._panel.classes(remove="is-loading")
        self._name.set_text(pull.name)
        self._show_phase(view.phase)
        self._left.set_text(unit.write(pull.remaining))
        self._of.set_text(f"left of {unit.write(pull.budget)} · {taken_percent(pull)} % taken")
        paid, reserved = shares(pull)
        self._paid_part.style(replace=f"width:{paid}")
        self._reserved_part.style(replace=f"width:{reserved}")
        self._legend["paid"].set_text(f"{unit.write(pull.paid)} paid")
        self._legend["reserved"].set_text(f"{unit.write(pull.reserved)} reserved")
        for name, words in self._words(view, now):
            self._facts[name].set_text(words)
        payouts = "its payouts" if not view.waiting else f"its payouts, {view.waiting:,} waiting"
        self._payouts.set_text(f"See {payouts} →")
        if "href" not in self._payouts.props:
            self._payouts.props["href"] = f"/?pull_payment={pull.id}"
        self._claim.set_visibility(link is not None)
        if link is not None and link != self._link:
            self._link = link
            self._show_link(link, pull)

    def _words(self, view: PullPaymentView, now: datetime) -> tuple[tuple[str, str], ...]:
        pull = view.pull_payment
        most = SATS.write(pull.max_sats) if pull.max_sats is not None else "what is left"
        zone = self._zone_name
        return (
            ("One claim", f"{SATS.write(pull.min_sats)} to {most}"),
            ("Claims", "are paid at once" if pull.auto_approve else "wait for a person"),
            ("Taken from", short_moment(pull.starts_at, now, zone)),
            ("Until", time_words(view, now, zone)),
            ("Made", short_moment(pull.created_at, now, zone)),
            ("Number", pull.id),
        )

    def _head(self) -> None:
        with html.div().classes("fp-panel-head"):
            self._name = Text("h2").classes("fp-h2 clip")
            self._state = Text("span").classes("fp-state-word strong")
            html.span().classes("fp-gap")
            if self._acts is not None:
                edit = Text("button", "Edit").classes("fp-button")
                edit.on("click", self._acts.edit)
                self._archive = Text("button", "Archive").classes("fp-button")
                self._archive.on("click", self._acts.archive)

    def _money(self) -> None:
        with html.div().classes("fp-panel-body fp-thing-money"):
            self._left = Text("p", "–").classes("fp-amount").props("data-testid=remaining")
            self._of = Text("p").classes("fp-note num")
            with html.div().classes("fp-stack big"):
                self._paid_part = html.span().classes("part free")
                self._reserved_part = html.span().classes("part unsettled")
            with html.div().classes("fp-split"):
                self._legend = {"paid": _key("free"), "reserved": _key("unsettled")}
            self._closed = Text("p").classes("fp-note is-warning")
            with html.div().classes("fp-facts"):
                for name in ("One claim", "Claims", "Taken from", "Until", "Made", "Number"):
                    with html.div().classes("fp-fact"):
                        html.span(name).classes("soft")
                        self._facts[name] = Text("span").classes("num clip")

    def _foot(self) -> None:
        with html.div().classes("fp-panel-foot"):
            self._payouts = Text("a", "See its payouts →").classes("fp-link")
            self._payouts.props["data-go"] = ""

    def _show_phase(self, phase: PullPaymentPhase) -> None:
        if phase is self._phase:
            return
        glyph, word, colour = PHASES[phase]
        old = PHASES[self._phase][2] if self._phase is not None else None
        self._state.set_text(f"{glyph} {word}")
        self._state.classes(remove=old, add=colour)
        self._closed.set_text(_CLOSED.get(phase, ""))
        if self._acts is not None:
            archived = phase is PullPaymentPhase.ARCHIVED
            self._archive.set_text("Take out of the archive" if archived else "Archive")
        self._phase = phase

    def _show_link(self, link: ClaimLink, pull: PullPayment) -> None:
        self._claim.clear()
        with self._claim:
            with html.div().classes("fp-panel-head"):
                html.h2("Claim link").classes("fp-h2")
                html.span().classes("fp-gap")
                printing = Text("button", "Print").classes("fp-button")
                printing.on("click", js_handler=_PRINT)
            with html.div().classes("fp-panel-body fp-claim-body"):
                qr_code(link.lnurl, "QR code of the claim link").props("data-testid=claim-qr")
                html.p("Whoever scans this with a Lightning wallet can draw.").classes("fp-note")
                if self._reach:
                    html.p(self._reach).classes("fp-note is-warning")
                with html.div().classes("fp-copies"):
                    copy_button(link.url, "Copy link", label="Copy the web address")
                    copy_button(link.lnurl, "Copy LNURL")
                    copy_button(link.lnurlw, "Copy lnurlw://")
                _codes(link)
            if self._acts is not None:
                with html.div().classes("fp-panel-foot"):
                    replace = Text("button", "Replace the link").classes("fp-link fp-plain")
                    replace.on("click", self._acts.replace_link)
        self._print.clear()
        with self._print:
            _print_sheet(link, pull)


def _key(part: str) -> Text:
    with html.span():
        html.span("■").classes(f"key {part}").props("aria-hidden=true")
        return Text("span").classes("num")


def _codes(link: ClaimLink) -> None:
    with html.details().classes("fp-details"):
        html.summary("As text")
        for spelling in (link.url, link.lnurl, link.lnurlw):
            html.p(spelling).classes("fp-code")


def _print_sheet(link: ClaimLink, pull: PullPayment) -> None:
    with html.article():
        html.h1(pull.name)
        qr_code(link.lnurl, "QR code")
        with html.ol():
            html.li("Open a Lightning wallet on your phone.")
            html.li("Choose Scan, and point it at this code.")
            html.li("Pick an amount and confirm. The money arrives in seconds.")
        html.p(link.lnurl).classes("fp-code")
