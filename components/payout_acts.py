"""What may be done to one payout, each act with what it does said before the click."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from zoneinfo import ZoneInfo

from nicegui import html

from components.text import Text
from models.hold import Hold
from models.payout_act import PayoutAct, PossibleActs

# In this order; approving and rejecting have a place of their own.
_ROWS = {
    PayoutAct.RESOLVE: (
        "Resolve…",
        "You say whether it was paid, by evidence you have found. It is decided for good.",
    ),
    PayoutAct.NOT_PAID: (
        "It was not paid…",
        "The wallet's books agreed twice that it did not leave. Its money becomes free again.",
    ),
    PayoutAct.RETRY: (
        "Try again…",
        "Its money is reserved anew, and it is sent once more.",
    ),
    PayoutAct.RELEASE: ("Release", "It goes on where it stopped."),
    PayoutAct.HOLD: (
        "Hold…",
        "It is not sent until somebody releases it. Its money stays reserved.",
    ),
    PayoutAct.CANCEL: (
        "Cancel…",
        "It is withdrawn before it is sent, and its money becomes free again.",
    ),
}
_GRAVE = frozenset({PayoutAct.CANCEL})


def act_rows(
    possible: PossibleActs, zone: ZoneInfo, on_act: Callable[[PayoutAct], Awaitable[None]]
) -> None:
    """Place a row for each act; nothing where there is none."""
    rows = [act for act in _ROWS if act in possible.acts]
    if not rows and possible.hold is None and possible.no_retry is None:
        return
    with html.section().classes("fp-payout-acts").props('aria-label="What you can do"'):
        if possible.hold is not None:
            Text("p", _held(possible.hold, zone)).classes("fp-note is-warning")
        if possible.no_retry is not None:
            Text("p", f"It cannot be tried again. {possible.no_retry}").classes("fp-note")
        for act in rows:
            word, meaning = _ROWS[act]
            with html.div().classes("fp-payout-act"):
                Text("p", meaning)
                button = Text("button", word)
                button.classes("fp-button stop" if act in _GRAVE else "fp-button")
                button.props(f"type=button data-testid=act-{act}")
                button.on("click", lambda act=act: on_act(act))


def _held(hold: Hold, zone: ZoneInfo) -> str:
    until = "until somebody releases it"
    if hold.release_at is not None:
        until = f"until {hold.release_at.astimezone(zone):%b %d, %H:%M}"
    return f"Held {until}: {hold.reason}"
