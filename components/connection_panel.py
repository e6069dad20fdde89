"""How a store is connected to Flash, in words; what a live test showed; and what may be done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from nicegui import html

from components.dollars import dollars
from components.moment import short_moment
from components.room_panel import Button, RoomPanel
from components.socket_panel import SOCKET_STATES
from components.text import Text
from models.connection import Connection
from models.flash import ConnectionTest, CredentialKind, KeptConnection
from models.wallet import Wallet

_KINDS = {CredentialKind.TOKEN: "A token", CredentialKind.API_KEY: "An API key"}


_MAY_WRITE = "Whether the key may pay (write_wallet) shows only with the first payout"


@dataclass(frozen=True, slots=True)
class ConnectionSign:
    """What is known of a store's connection, without its credential."""

    connection: Connection | None
    wallet: Wallet
    kept: KeptConnection | None
    is_operators: bool
    url: str

    @property
    def is_meant(self) -> bool:
        """Tell whether there is a credential at all."""
        return self.is_operators or self.kept is not None


class ConnectionPanel:
    """Shows the connection; a test shows below it what it found."""

    def __init__(self, zone_name: str) -> None:
        self._zone_name = zone_name
        self._shown: object = None
        self._panel = RoomPanel("Flash", "flash")
        with html.section().classes("fp-panel") as self._result:
            self._result.props('data-testid=flash-test aria-label="Live test" aria-live=polite')
            with html.div().classes("fp-panel-head"):
                html.h2("Live test").classes("fp-h2")
            with html.div().classes("fp-panel-body"):
                self._lines = html.ul().classes("fp-ticks")
        self._result.set_visibility(False)

    def show(
        self, sign: ConnectionSign, now: datetime, note: str, buttons: Sequence[Button]
    ) -> None:
        """Show how it is."""
        facts = self._facts(sign, now)
        shown = (facts, note, [word for word, _ in buttons])
        # A board looks every few seconds; a button under a finger stays the same button.
        if shown != self._shown:
            self._shown = shown
            primary = "" if sign.is_meant else buttons[0][0]
            self._panel.show(facts, note, buttons, primary)

    def show_testing(self) -> None:
        """Show that a test runs."""
        self._say([("…", "Asking Flash…", "next")])

    def show_test(self, found: ConnectionTest | str, *, is_key: bool = False) -> None:
        """Show what a test found, or why it failed; a key tells nothing of what it may."""
        if isinstance(found, str):
            self._say([("✕", found, "later")])
            return
        wallet, cut = found.wallet, "later"
        balance = wallet.balance_nanousd
        worth = "in bitcoin" if balance is None else f"with {dollars(balance)}"
        reads = "Its list of transactions is read, which settles what is unknown"
        not_read = "Its list of transactions is refused: give the key read_transactions too"
        live = "The socket is live: payouts are seen to settle at once"
        self._say(
            [
                ("✓", f"Flash answered in {found.took_ms:,} ms", "done"),
                ("✓", f"A {wallet.currency} wallet {worth}", "done"),
                ("✓", reads, "done") if found.reads_statement else ("✕", not_read, cut),
                ("✓", live, "done")
                if found.socket_answers
                else ("✕", "The socket does not answer: payouts are looked up instead", cut),
            ]
            + ([("!", _MAY_WRITE, "later")] if is_key else [])
            + ([("!", "It is a sandbox: no real money", "later")] if found.is_sandbox else [])
        )

    def _say(self, lines: Sequence[tuple[str, str, str]]) -> None:
        self._result.set_visibility(True)
        self._lines.clear()
        with self._lines:
            for mark, words, look in lines:
                with html.li().classes(look):
                    html.span(mark).classes("mark").props("aria-hidden=true")
                    Text("span", words)

    def _facts(self, sign: ConnectionSign, now: datetime) -> dict[str, tuple[str, str]]:
        wallet, zone = sign.wallet, self._zone_name
        facts = {"State": _state(sign)}
        if sign.is_meant:
            kind = "The operator's" if sign.kept is None else _KINDS[sign.kept.kind]
            if sign.kept is not None and not sign.is_operators:
                kind += f", entered {short_moment(sign.kept.created_at, now, zone)}"
            facts["Credential"] = ("The operator's" if sign.is_operators else kind, "")
        facts["Address"] = (sign.url, "")
        if wallet.flash_wallet_id is not None:
            facts["Wallet"] = (f"{wallet.currency} · {wallet.flash_wallet_id}", "num")
        if wallet.balance_nanousd is not None:
            facts["Balance"] = (dollars(wallet.balance_nanousd), "num")
        for socket in () if sign.connection is None else sign.connection.sockets:
            sign_of = ("○ Limited: an API key has no account events", "soft")
            if not socket.limited:
                sign_of = SOCKET_STATES[socket.state]
            facts[f"Socket for {socket.name}"] = sign_of
        return facts


def _state(sign: ConnectionSign) -> tuple[str, str]:
    if not sign.is_meant:
        return "○ Not connected", "soft"
    found = sign.connection
    if found is None:
        return "◐ Connecting…", "is-processing"
    if found.connected:
        if any(socket.limited for socket in found.sockets):
            return "● Connected, limited: no live account events", "is-completed"
        return "● Connected", "is-completed"
    if not found.holds_lease:
        return "● Connected through another instance", "is-completed"
    if found.last_error is None:
        return "◐ Connecting…", "is-processing"
    if found.is_refused:
        return "✕ Refused: Flash does not accept the credential; enter another", "is-failed"
    return f"✕ Not reached: {found.last_error}", "is-failed"
