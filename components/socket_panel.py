"""The state of things behind the live badge: sockets, worker, pace, gate and queues."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from nicegui import events, html
from nicegui.element import Element

from components.moment import age, short_moment
from components.text import Text
from models.connection import Connection, SocketSign
from models.flash import SocketState
from models.wallet import Gate, Wallet

PANEL_ID = "fp-health"
SOCKETS = 2
SECOND = timedelta(seconds=1)
SOCKET_STATES = {
    SocketState.LIVE: ("● Live", "is-completed"),
    SocketState.CATCHING_UP: ("◐ Catching up", "is-processing"),
    SocketState.CUT_OFF: ("✕ Cut off", "is-failed"),
}
_LOOKS = ("is-completed", "is-processing", "is-failed", "soft")
_ELSEWHERE = "Known where the worker runs"
_ROWS = ("Flash", "Worker", "Pace", "Gate", "Queue")


class SocketPanel:
    """A popover; nothing is sent to it while it is closed."""

    def __init__(self, zone_name: str) -> None:
        self.on_open: Callable[[], object] | None = None
        self.is_open = False
        with html.div().classes("fp-pop fp-health") as self._panel:
            self._panel.props(f'id={PANEL_ID} popover=auto role=dialog aria-label="Connection"')
            html.h2("Connection").classes("fp-h2")
        self._zone_name = zone_name
        self._signs: ConnectionSigns | None = None
        self._panel.on("toggle", self._toggled, args=["newState"])

    def show(self, connection: Connection | None, wallet: Wallet, now: datetime) -> None:
        """Show how things are, if anybody looks."""
        if not self.is_open:
            return
        if self._signs is None:
            with self._panel:
                self._signs = ConnectionSigns(self._zone_name)
        self._signs.show(connection, wallet, now)

    def _toggled(self, event: events.GenericEventArguments) -> None:
        self.is_open = event.args.get("newState") == "open"
        if self.is_open and self.on_open is not None:
            self.on_open()


class ConnectionSigns:
    """Sockets, worker, pace and gate, line by line; only what changed is sent."""

    def __init__(self, zone_name: str) -> None:
        self._zone_name = zone_name
        self._shown: dict[str, str] = {}
        self._texts: dict[str, Text] = {}
        # What there is nothing to say of while the store has no connection.
        self._connected: list[Element] = []
        for number in range(SOCKETS):
            with html.div().classes("fp-socket") as box:
                if number:
                    self._connected.append(box)
                self._text(f"name {number}", "span", "name")
                self._text(f"state {number}", "span", "state")
                self._text(f"detail {number}", "span", "fp-aside num")
        with html.dl().classes("fp-health-rows"):
            for name in _ROWS:
                word = html.dt(name)
                self._text(name, "dd", "num")
                if name != "Gate":
                    self._connected += [word, self._texts[name]]

    def show(self, connection: Connection | None, wallet: Wallet, now: datetime) -> None:
        """Show how things are."""
        for element in self._connected:
            if element.visible is (connection is None):
                element.set_visibility(connection is not None)
        if connection is None:
            self._say("state 0", "")
            self._say("detail 0", "")
            self._say("name 0", "This store is not connected to Flash.")
            self._say("Gate", _gate(wallet, now, self._zone_name))
            return
        for number, sign in enumerate(connection.sockets[:SOCKETS]):
            state, look, details = self._socket(sign, now)
            self._say(f"name {number}", sign.name.capitalize())
            self._say(f"state {number}", state, look)
            self._say(f"detail {number}", details)
        self._say("Flash", _reached(connection, now))
        self._say("Worker", _worker(connection, wallet, now))
        self._say("Pace", _pace(connection))
        self._say("Gate", _gate(wallet, now, self._zone_name))
        self._say("Queue", _queue(connection))

    def _socket(self, sign: SocketSign, now: datetime) -> tuple[str, str, str]:
        if sign.limited:
            return (
                "○ Limited",
                "soft",
                "This credential has no account events; payouts are asked about.",
            )
        parts = []
        if sign.since is not None:
            parts.append(f"since {short_moment(sign.since, now, self._zone_name)}")
        if sign.last_message_at is not None:
            parts.append(f"last message {age((now - sign.last_message_at) // SECOND)}")
        parts.append(f"{sign.connects:,} connect{'' if sign.connects == 1 else 's'}")
        if sign.last_error is not None:
            parts.append(f"last error {sign.last_error}")
        return *SOCKET_STATES[sign.state], " · ".join(parts)

    def _text(self, name: str, tag: str, classes: str) -> None:
        self._texts[name] = Text(tag).classes(classes)

    def _say(self, name: str, text: str, look: str = "") -> None:
        if self._shown.get(name) != text:
            self._shown[name] = text
            self._texts[name].set_text(text)
            if look:
                self._texts[name].classes(remove=" ".join(_LOOKS), add=look)


def _reached(connection: Connection, now: datetime) -> str:
    if connection.connected:
        return "Reached"
    if not connection.holds_lease:
        return "Asked by another instance"
    away = (
        ""
        if connection.away_since is None
        else f" for {age((now - connection.away_since) // SECOND)}"
    )
    return f"Not reached{away}: {connection.last_error or 'no answer yet'}"


def _worker(connection: Connection, wallet: Wallet, now: datetime) -> str:
    if connection.holds_lease:
        return "Runs here"
    if wallet.lease_until is not None and wallet.lease_until > now:
        return "Runs in another instance"
    return "Waits for its lease"


def _queue(connection: Connection) -> str:
    if not connection.holds_lease:
        return _ELSEWHERE
    return f"{connection.waiting:,} waiting, {connection.working_on:,} in work"


def _pace(connection: Connection) -> str:
    if not connection.holds_lease:
        return _ELSEWHERE
    free, most = connection.free_requests, connection.requests_per_minute
    if connection.paused_s:
        return f"Flash asks us to wait {connection.paused_s} s"
    return f"{most - free:,} of {most:,} requests a minute used"


def _gate(wallet: Wallet, now: datetime, zone_name: str) -> str:
    if wallet.stopped_at is not None:
        return f"Stopped since {short_moment(wallet.stopped_at, now, zone_name)}"
    if wallet.gate is Gate.OPEN:
        return "Open"
    since = wallet.gate_changed_at
    return "Shut" if since is None else f"Shut since {short_moment(since, now, zone_name)}"
