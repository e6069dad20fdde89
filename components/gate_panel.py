"""Whether payouts may leave the wallet, why not, and what may be done about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from nicegui import html

from components.moment import short_moment
from components.socket_panel import ConnectionSigns
from components.text import Text
from models.attention import Attention
from models.connection import Connection
from models.wallet import RECOVERY, Gate, Wallet

DOUBT = "unknown_outcomes"
_REASONS = {
    DOUBT: "Too much is unknown: it opens by itself once the outcomes are known.",
    "paid_after_release": "A payout was paid after its money had been given free. Look into it"
    " before you open the gate.",
    RECOVERY: "The database was restored from a copy, which does not know what was paid since."
    " Once Flash's list has been read, an owner may open the gate; what a debit could be stays"
    " held until a person decides.",
}
_OPEN = "Approved payouts are sent as their turn comes."
_NO_WALLET = "Nothing is sent before a wallet is connected, on the page Settings."
_STOPPED = "A person stopped them: nothing new is sent, look-ups go on."


@dataclass(frozen=True, slots=True)
class GateActs:
    """What the role of whoever looks allows; nothing for the rest."""

    open_gate: Callable[[], object] | None
    stop: Callable[[], object] | None
    resume: Callable[[], object] | None


class GatePanel:
    """Shows gate, stop, sockets and pace; only what changed is sent."""

    def __init__(self, zone_name: str, acts: GateActs) -> None:
        self._zone_name = zone_name
        self._acts = acts
        with html.section().classes("fp-panel").props("data-testid=gate") as panel:
            panel.props('aria-label="Sending"')
            with html.div().classes("fp-panel-head fp-gate-head"):
                html.h2("Sending").classes("fp-h2")
                self._state = Text("span").classes("fp-state-word strong")
                html.span().classes("fp-gap")
                self._open = _button("Open the gate", acts.open_gate)
                self._stop = _button("Stop payouts", acts.stop, "stop")
                self._resume = _button("Resume payouts", acts.resume)
            with html.div().classes("fp-panel-body fp-gate-body"):
                self._why = Text("p").classes("fp-note")
                with html.p().classes("fp-note") as self._links:
                    self._open_ones = _link("/?state=in_flight")
                    self._review = _link("/?state=needs_review")
                self._signs = ConnectionSigns(zone_name)

    def show(
        self,
        wallet: Wallet,
        attention: Attention,
        connection: Connection | None,
        unsettled: int,
        now: datetime,
    ) -> None:
        """Show how sending stands."""
        shut, stopped = wallet.gate is Gate.SHUT, wallet.stopped_at is not None
        word, look = "● Open", "is-completed"
        since, why = None, _OPEN
        if connection is None:
            word, look, why = "○ No wallet", "soft", _NO_WALLET
        if shut:
            word, look, since = "✕ Gate shut", "is-failed", wallet.gate_changed_at
            why = _REASONS.get(wallet.gate_reason or "", "The gate is shut; nothing new is sent.")
        if stopped:
            word, look, since = "■ Stopped", "is-failed", wallet.stopped_at
            why = f"{_STOPPED} {why}" if shut else _STOPPED
        when = "" if since is None else f" since {short_moment(since, now, self._zone_name)}"
        self._state.set_text(word + when)
        self._state.classes(remove="is-completed is-failed soft", add=look)
        self._why.set_text(why)
        self._open.set_visibility(shut and self._acts.open_gate is not None)
        self._stop.set_visibility(not stopped and self._acts.stop is not None)
        self._resume.set_visibility(stopped and self._acts.resume is not None)
        self._open_ones.set_text(f"{unsettled:,} sent, not settled →" if unsettled else "")
        review = attention.to_review
        self._review.set_text(f"{review:,} for a person to decide →" if review else "")
        self._links.set_visibility(bool(unsettled or review))
        self._signs.show(connection, wallet, now)


def shut_words(wallet: Wallet) -> str:
    """Return in one sentence that the gate is shut, for every page."""
    if wallet.gate_reason == RECOVERY:
        return "Restored from a copy: nothing is sent until an owner opens the gate."
    if wallet.gate_reason == DOUBT:
        return "The gate is shut: too much is unknown, so nothing new is sent."
    return "The gate is shut: nothing new is sent until an owner opens it on the wallet's page."


def _button(word: str, act: Callable[[], object] | None, look: str = "") -> Text:
    button = Text("button", word).classes(f"fp-button {look}").props("type=button")
    button.set_visibility(False)
    if act is not None:
        button.on("click", act)
    return button


def _link(address: str) -> Text:
    link = Text("a").classes("fp-link")
    link.props.update({"href": address, "data-go": ""})
    return link
