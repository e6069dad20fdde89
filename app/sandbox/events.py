"""What the sandbox tells its listeners: payments in, prices, and the state of invoices.

As on Flash, nothing is ever published about money that goes out.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from app.sandbox.accounts import Accounts
from app.sandbox.faults import Faults, Subject
from app.sandbox.hub import Hub
from app.sandbox.payment import Outcome
from app.sandbox.problems import IBEX
from app.sandbox.timetable import Timetable

OUTCOMES: Final = "outcomes"
PRICE_TICKS: Final = "prices"
_EXPIRY_GRACE_MS: Final = 1_000
_FIRST_MS: Final = 10

Event = dict[str, Any]


def account_topic(account_id: str) -> str:
    """Return the topic of one account's money."""
    return f"account:{account_id}"


def price_topic(currency: str) -> str:
    """Return the topic of prices in one currency."""
    return f"price:{currency}"


def invoice_topic(payment_hash: str) -> str:
    """Return the topic of one invoice's state."""
    return f"invoice:{payment_hash}"


class Events:
    """Publishes to the hub, with whatever faults are armed for events."""

    def __init__(self, hub: Hub, accounts: Accounts, faults: Faults, timetable: Timetable) -> None:
        self.hub = hub
        self._accounts = accounts
        self._faults = faults
        self._timetable = timetable
        # Set by the socket server: cuts every socket with a close code.
        self.restart_sockets: Callable[[int], object] = lambda _code: None

    def ended(self, outcome: Outcome) -> None:
        """Tell the payee of a settled home payment, and whoever lives inside the sandbox."""
        self.hub.publish(OUTCOMES, outcome)
        if outcome.state != "settled" or outcome.payee_wallet_id is None:
            return
        subject = Subject("myUpdates", outcome.payee_wallet_id, outcome.payment_hash)
        fault = self._faults.draw("event", subject)
        send = partial(self._paid, outcome.payment_hash, outcome.payee_wallet_id)
        match None if fault is None else fault.kind:
            case "lost_event":
                return
            case "socket_restart":
                self.restart_sockets(fault.params["code"] if fault else 1006)
            case "late_event":
                self._timetable.after(fault.params["delay_ms"] if fault else 0, send)
            case "duplicate_event":
                for _ in range(1 + (fault.params["copies"] if fault else 0)):
                    send()
            case "expired_after_paid":
                send()
                self.invoice(outcome.payment_hash, "EXPIRED")
            case _:
                send()

    def invoice(self, payment_hash: str, status: str) -> None:
        """Tell those who follow an invoice what it is now."""
        event = {"status": status, "errors": []}
        self.hub.publish(invoice_topic(payment_hash), event)

    def follow_invoice(self, payment_hash: str, status: str | None, expires_ms: int) -> None:
        """Answer a new follower shortly, and plan the EXPIRED that comes whatever happens."""
        topic = invoice_topic(payment_hash)
        errors = [IBEX.shown()] if status is None else []
        first = {"status": status, "errors": errors}
        self._timetable.after(_FIRST_MS, partial(self.hub.publish, topic, first))
        if status == "PENDING":
            due_ms = expires_ms + _EXPIRY_GRACE_MS
            self._timetable.at(due_ms, partial(self.invoice, payment_hash, "EXPIRED"))

    def first_prices(self, account_id: str, updates: list[Event]) -> None:
        """Send an account its first prices; all its sockets get a copy."""
        topic = account_topic(account_id)
        for update in updates:
            self._timetable.after(_FIRST_MS, partial(self.hub.publish, topic, update))

    def _paid(self, payment_hash: str, wallet_id: str) -> None:
        self.invoice(payment_hash, "PAID")
        account = self._accounts.owner(wallet_id)
        if account is not None:
            update = {
                "__typename": "LnUpdate",
                "paymentHash": payment_hash,
                "status": "PAID",
                "walletId": wallet_id,
            }
            self.hub.publish(account_topic(account.id), update)
