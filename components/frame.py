"""What every page has around it: mark, store, live state, stop button, light and dark."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from nicegui import html

from components.live_badge import LiveBadge
from components.text import Text
from models.money import NANOUSD_PER_CENT


@dataclass(slots=True)
class Frame:
    """The parts of a frame that change."""

    badge: LiveBadge
    stop: Text
    notice: html.div
    notice_text: Text
    wallet: Text
    title: str
    _shown: dict[str, object] = field(default_factory=dict)

    def show_wallet(self, balance_nanousd: int | None) -> None:
        """Show what the wallet holds, rounded down to cents."""
        if self._changed("wallet", balance_nanousd):
            cents = None if balance_nanousd is None else balance_nanousd // NANOUSD_PER_CENT
            text = "" if cents is None else f"Wallet ${cents // 100:,}.{cents % 100:02d}"
            self.wallet.set_text(text)

    def show_waiting(self, count: int) -> None:
        """Count in the tab's title what waits for a person."""
        if self._changed("waiting", count):
            title = f"({count}) {self.title}" if count else self.title
            self.wallet.client.run_javascript(f"document.title = {json.dumps(title)}")

    def _changed(self, name: str, value: object) -> bool:
        if name in self._shown and self._shown[name] == value:
            return False
        self._shown[name] = value
        return True

    def show_stopped(self, stopped: bool, reason: str | None = None) -> None:
        """Show whether sends are stopped, and why if the gate did it."""
        if not self._changed("stopped", (stopped, reason)):
            return
        self.stop.set_text("Resume payouts" if stopped else "Stop payouts")
        self.stop.classes(
            add="stopped" if stopped else "stop", remove="stop" if stopped else "stopped"
        )
        text = "Payouts are stopped: nothing new is sent, look-ups go on." if stopped else ""
        self.notice_text.set_text(text or reason or "")
        self.notice.set_visibility(bool(text or reason))


@contextmanager
def frame(
    store_name: str, *, is_demo: bool, on_stop: Callable[[], object] | None
) -> Iterator[Frame]:
    """Build a page's frame; what is built inside stands in its main part."""
    with html.div().classes("fp-frame"):
        with html.header().classes("fp-top"), html.div().classes("fp-bar"):
            html.div("ϟ").classes("fp-mark").props("aria-hidden=true")
            html.span("Flash Payouts").classes("fp-brand")
            html.span(store_name).classes("fp-store")
            if is_demo:
                html.span("SANDBOX").classes("fp-chip sandbox")
            html.span().classes("fp-gap")
            wallet = Text("span").classes("fp-wallet num")
            badge = LiveBadge()
            stop = Text("button", "Stop payouts").classes("fp-button stop")
            if on_stop is None:
                stop.set_visibility(False)
            else:
                stop.on("click", on_stop)
            toggle = html.button("◑").classes("fp-button quiet")
            toggle.props('aria-label="Light or dark" title="Light or dark"')
            toggle.on("click", js_handler="() => Quasar.Dark.toggle()")
        with html.main().classes("fp-main").props("id=fp-main tabindex=-1"):
            with html.div().classes("fp-notice").props("role=alert") as notice:
                html.span("■").props("aria-hidden=true")
                text = Text("span")
            notice.set_visibility(False)
            yield Frame(badge, stop, notice, text, wallet, f"{store_name} · Flash Payouts")
