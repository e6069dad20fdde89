"""Says whether what is on the screen is live, catching up, or cut off."""

from __future__ import annotations

from nicegui import html, ui

from components.text import Text

_WORDS = {"live": "Live", "catching-up": "Catching up", "cut-off": "Cut off"}
_HINTS = {
    "live": "Every change appears as it happens.",
    "catching-up": "Reading what happened while the connection to Flash was gone.",
    "cut-off": "No live connection to Flash; payouts are still looked up, only more slowly.",
}
# The browser knows best when it has lost us: then it says so itself, and we correct it later.
_WATCH = """
(() => { const badge = document.querySelector('[data-testid="live-state"]');
  const say = (state, word) => { badge.dataset.state = state; badge.className =
    'fp-chip ' + state; badge.querySelector('.word').textContent = word; };
  const hook = () => { if (!window.socket) { setTimeout(hook, 100); return; }
    window.socket.on('disconnect', () => say('cut-off', 'Cut off'));
    window.socket.on('connect', () => say('catching-up', 'Catching up')); };
  hook(); })();
"""


class LiveBadge:
    """A chip with a dot and a word."""

    def __init__(self) -> None:
        self._shown = "catching-up"
        with html.span().classes("fp-chip catching-up") as self._chip:
            self._chip.props("data-testid=live-state data-state=catching-up role=status")
            html.span().classes("fp-dot").props("aria-hidden=true")
            self._word = Text("span", _WORDS[self._shown]).classes("word")
            self._hint = ui.tooltip(_HINTS[self._shown])

    def watch_browser(self) -> None:
        """Have the browser say by itself when it loses the server."""
        ui.run_javascript(_WATCH)

    def show(self, state: str, *, again: bool = False) -> None:
        """Show a state; `again` also when it is the same, after the browser changed it itself."""
        if state == self._shown and not again:
            return
        self._chip.classes(remove=self._shown, add=state)
        self._chip.props(f"data-state={state}")
        self._word.set_text(_WORDS[state])
        self._hint.set_text(_HINTS[state])
        self._shown = state
        if again:
            self._chip.update()
            self._word.update()
