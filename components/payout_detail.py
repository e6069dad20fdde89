"""The modal that explains one payout: figures, story, evidence, what to do, what to tell."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from zoneinfo import ZoneInfo

from nicegui import html, ui

from components.copy_button import copy_button
from components.fact import Folds
from components.payout_acts import act_rows
from components.payout_facts import PayoutFacts
from components.text import Text
from components.theme import GLYPHS
from models.payout_act import PayoutAct, PossibleActs
from models.payout_detail import PayoutDetail, StepKind, TimelineStep
from models.payout_view import PayoutView
from models.statement import Proposal
from models.store import Store

Act = Callable[[PayoutAct, PayoutView, str | None], Awaitable[None]]
STORY = "What happened"
_STEP_GLYPHS = {StepKind.STATE: "●", StepKind.SEND: "→", StepKind.SIGHTING: "◌"}


class PayoutDetailDialog:
    """One dialog for a page, filled anew each time; `on_act` is told what was decided."""

    def __init__(self, store: Store, on_act: Act, on_close: Callable[[], None]) -> None:
        self._zone = ZoneInfo(store.time_zone)
        self._on_act = on_act
        self._folds = Folds()
        self._facts = PayoutFacts(store, self._folds)
        self.shown: PayoutDetail | None = None
        with ui.dialog() as self._dialog, html.article().classes("fp-modal") as self._body:
            self._body.props('data-testid=payout-detail role=dialog aria-label="Payout"')
        self._dialog.on("hide", on_close)

    def open(self, detail: PayoutDetail, possible: PossibleActs) -> None:
        """Show a payout, and what whoever looks may do to it."""
        self._folds.begin(frozenset({STORY}))
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
                self._advice(detail)
                act_rows(possible, self._zone, lambda act: self._on_act(act, detail.payout, None))
                self._facts.gist(detail)
                with html.section().classes("fp-folds").props('aria-label="Everything else"'):
                    self._story(detail.steps)
                    self._facts.folded(detail)
                    with self._folds.part("The customer says it did not arrive"):
                        html.p(detail.claim_text).classes("fp-quote")
                        copy_button(detail.claim_text, "Copy this text")
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
            close.props('type=button aria-label="Close"').on("click", self._dialog.close)

    def _advice(self, detail: PayoutDetail) -> None:
        payout = detail.payout
        with html.div().classes(f"fp-advice of-{payout.status}"):
            Text("p", detail.advice.meaning).classes("strong")
            Text("p", detail.advice.next_step).classes("soft")
            if payout.error_message:
                Text("p", payout.error_message).classes("soft")
            if payout.error_code:
                wallet = detail.wallet_currency
                of = "" if wallet is None else f"{wallet} wallet · "
                Text("p", f"{of}code {payout.error_code}").classes("fp-aside")
            if detail.proposal is not None and detail.proposal.decided_at is None:
                Text("p", self._proposed(detail.proposal)).classes("fp-note is-warning")

    def _proposed(self, proposal: Proposal) -> str:
        first = self._facts.time(proposal.agreed_first_at)
        if proposal.agreed_twice_at is None:
            return f"The wallet's books say since {first} that it did not leave; they look again."
        twice = self._facts.time(proposal.agreed_twice_at)
        return f"The wallet's books say that it did not leave: they agreed {first} and {twice}."

    def _story(self, steps: list[TimelineStep]) -> None:
        gist = f"{len(steps):,} steps"
        if len(steps) > 1:
            gist += f" in {took(steps[-1].at - steps[0].at)}"
        with self._folds.part(STORY, gist), html.ol().classes("fp-steps"):
            for step in steps:
                self._step(step)

    def _step(self, step: TimelineStep) -> None:
        with html.li().classes(f"fp-step {step.kind}"):
            html.span(_STEP_GLYPHS[step.kind]).classes("mark").props("aria-hidden=true")
            with html.div():
                html.span(step.title).classes("strong")
                if step.note:
                    html.span(step.note).classes("soft")
            since = step.since_before
            html.span("" if since is None else f"+{took(since)}").classes("num soft")
            html.span(self._facts.time(step.at)).classes("num soft")

    def _decision(self, payout: PayoutView) -> None:
        with html.footer().classes("fp-modal-foot"):
            reason = ui.input(placeholder="Reason, if you reject").classes("fp-input")
            reason.props("dense outlined")
            reject = Text("button", "Reject").classes("fp-button stop")
            reject.on("click", lambda: self._on_act(PayoutAct.REJECT, payout, reason.value))
            approve = Text("button", "Approve").classes("fp-button primary")
            approve.on("click", lambda: self._on_act(PayoutAct.APPROVE, payout, None))


def took(span: timedelta) -> str:
    """Write how long something took: `7 ms`, `1.1 s`, `2 min 5 s`, `3 h 2 min`."""
    ms = span // timedelta(milliseconds=1)
    if ms < 1000:  # noqa: PLR2004
        return f"{ms} ms"
    if ms < 60_000:  # noqa: PLR2004
        return f"{ms // 1000}.{ms // 100 % 10} s"
    minutes, seconds = divmod(ms // 1000, 60)
    if minutes < 60:  # noqa: PLR2004
        return f"{minutes} min {seconds} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours:,} h {minutes} min"
