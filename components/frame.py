"""What every page has around it: mark, store, live state, stop button, light and dark."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from nicegui import html

from components.live_badge import LiveBadge
from components.text import Text


@dataclass(slots=True)
class Frame:
    """The parts of a frame that change."""

    badge: LiveBadge
    stop: Text
    notice: html.div
    notice_text: Text

    def show_stopped(self, stopped: bool, reason: str | None = None) -> None:
        """Show whether sends are stopped, and why if the gate did it."""
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
            yield Frame(badge, stop, notice, text)
