"""Putting keys on a card, step by step: the link, the keys that were fetched, the first tap."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from nicegui import html

from components.copy_button import copy_button
from components.moment import short_moment
from components.qr_code import qr_code
from components.text import Text
from models.card import CardStage
from models.card_link import LinkAction
from models.card_view import CardView

APP_NAME = "Bolt Card programmer"
_WIPED = "Its keys were taken off, so its taps are refused. With new keys it can be used again."


@dataclass(frozen=True, slots=True)
class ShownLink:
    """A link as it is offered: what opens the app, and what an older app scans."""

    action: LinkAction
    deeplink: str
    scan_url: str | None
    expires_at: datetime
    made_at: datetime


class CardProgramming:
    """Shows how far a card is; the steps tick by themselves."""

    def __init__(
        self, zone_name: str, on_link: Callable[[LinkAction], object] | None, *, reach: str = ""
    ) -> None:
        self._zone_name = zone_name
        self._reach = reach
        self._on_link = on_link
        self._link: ShownLink | None = None
        self._shown: tuple[object, ...] | None = None
        with html.section().classes("fp-panel fp-program") as panel:
            panel.props('aria-label="Keys of the card" data-testid=programming')
            with html.div().classes("fp-panel-head"):
                self._title = Text("h2", "Program the card").classes("fp-h2")
            self._body = html.div().classes("fp-panel-body fp-program-body")

    def offer(self, link: ShownLink) -> None:
        """Offer a new link."""
        self._link = link
        self._shown = None

    def show(self, view: CardView, now: datetime) -> None:
        """Show how far the card is."""
        state = (view.stage, view.use.handed_at, view.use.first_tap_at, self._open_link(view, now))
        if state == self._shown:
            return
        self._shown = state
        self._body.clear()
        with self._body:
            link = self._open_link(view, now)
            if link is not None:
                self._offer(link, now)
            self._title.set_text(_title(view.stage, link))
            if link is None and view.stage is CardStage.WIPED:
                html.p(_WIPED).classes("fp-note")
            elif link is None or link.action is LinkAction.PROGRAM:
                self._steps(view, link, now)
            if link is None and self._on_link is not None:
                self._next(view)

    def _open_link(self, view: CardView, now: datetime) -> ShownLink | None:
        """Return the link that can still be used; the keys being fetched uses it up."""
        link = self._link
        if link is None or link.expires_at <= now:
            return None
        use = view.use
        used_at = use.handed_at if link.action is LinkAction.PROGRAM else use.wiped_at
        return None if used_at is not None and used_at >= link.made_at else link

    def _offer(self, link: ShownLink, now: datetime) -> None:
        with html.div().classes("fp-offer"):
            code = qr_code(link.deeplink, f"QR code that opens the {APP_NAME} app")
            code.props("data-testid=program-qr")
            with html.div().classes("fp-offer-words"):
                html.p("Scan it with the camera of an Android phone or iPhone.").classes("strong")
                until = short_moment(link.expires_at, now, self._zone_name)
                html.p(
                    f"It opens the {APP_NAME} app. Then hold the card to the phone until the app "
                    f"says it is done. The code works once, until {until}."
                ).classes("fp-note")
                if self._reach:
                    html.p(self._reach).classes("fp-note is-warning")
                with html.div().classes("fp-copies"):
                    copy_button(link.deeplink, "Copy link")
                    here = html.a("Open on this phone").classes("fp-button")
                    here.props["href"] = link.deeplink
        if link.scan_url is not None:
            with html.details().classes("fp-details"):
                html.summary("The app does not open")
                html.p("In the app, choose Create Bolt Card and scan this code.").classes("fp-note")
                qr_code(link.scan_url, "QR code to scan inside the app")

    def _steps(self, view: CardView, link: ShownLink | None, now: datetime) -> None:
        is_fetched = view.use.handed_at is not None and link is None
        tapped = view.use.first_tap_at if link is None else None
        with html.ol().classes("fp-ticks").props("aria-live=polite"):
            fetched = "The app fetches the keys"
            if is_fetched and view.use.handed_at is not None:
                at = short_moment(view.use.handed_at, now, self._zone_name)
                fetched = f"Keys handed out, {at}"
            _tick(fetched, is_done=is_fetched, is_next=not is_fetched)
            words = "Waiting for the first tap…" if is_fetched else "The first tap"
            if tapped is not None:
                words = f"First tap, {short_moment(tapped, now, self._zone_name)}"
            _tick(words, is_done=tapped is not None, is_next=is_fetched and tapped is None)
        if is_fetched and tapped is None and view.stage is CardStage.AWAITING_TAP:
            html.p(
                "Hold the card to a till, or open its address once: the app does that by itself "
                "when it has written the card."
            ).classes("fp-note")

    def _next(self, view: CardView) -> None:
        assert self._on_link is not None
        stage, on_link = view.stage, self._on_link
        with html.div().classes("fp-copies"):
            if stage in {CardStage.UNPROGRAMMED, CardStage.WIPED}:
                start = Text("button", "Program this card").classes("fp-button primary")
                start.on("click", lambda: on_link(LinkAction.PROGRAM))
                return
            waits = stage is CardStage.AWAITING_TAP
            word = "Make a new link" if waits else "Give it new keys"
            again = Text("button", word).classes("fp-button")
            again.on("click", lambda: on_link(LinkAction.PROGRAM))
            wipe = Text("button", "Wipe the card").classes("fp-button")
            wipe.on("click", lambda: on_link(LinkAction.RESET))


def _title(stage: CardStage, link: ShownLink | None) -> str:
    if link is not None and link.action is LinkAction.RESET:
        return "Wipe the card"
    is_set_up = link is None and stage in {CardStage.IN_USE, CardStage.BLOCKED}
    return "Keys" if is_set_up else "Program the card"


def _tick(words: str, *, is_done: bool, is_next: bool) -> None:
    with html.li().classes("done" if is_done else "next" if is_next else "later"):
        html.span("✓" if is_done else "◌").classes("mark").props("aria-hidden=true")
        html.span(words)
