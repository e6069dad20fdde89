"""Says whether what is on the screen is live, catching up, or cut off."""

from __future__ import annotations

from nicegui import html, ui

from components.sheet import Sheet
from components.socket_panel import PANEL_ID
from components.text import Text

CUT_OFF_ID = "fp-cut-off"
CUT_OFF_AFTER_MS = 10_000
APART = "apart"
_WORDS = {
    APART: "Not connected",
    "live": "Live",
    "catching-up": "Catching up",
    "cut-off": "Cut off",
}
_HINTS = {
    APART: "This store is not connected to a Flash wallet.",
    "live": "Every change appears as it happens.",
    "catching-up": "Reading what happened while the connection to Flash was gone.",
    "cut-off": "No live connection to Flash; payouts are still looked up, only more slowly.",
}
# The browser knows best when it has lost us: then it says so itself, and we correct it later.
_WATCH = """
(() => { const badge = document.querySelector('[data-testid="live-state"]');
  const banner = document.getElementById('BANNER');
  banner?.querySelector('button').addEventListener('click', () => location.reload());
  let timer;
  const say = (state, word) => { badge.dataset.state = state; badge.className =
    'fp-chip ' + state; badge.querySelector('.word').textContent = word; };
  const old = on => { banner?.classList.toggle('is-shown', on);
    document.querySelector('.fp-content')?.classList.toggle('is-cut', on); };
  const hook = () => { if (!window.socket) { setTimeout(hook, 100); return; }
    window.socket.on('disconnect', () => { say('cut-off', 'Cut off');
      const at = new Date().toLocaleTimeString('en-GB');
      timer ??= setTimeout(() => { if (banner) banner.querySelector('.when').textContent = at;
        old(true); }, AFTER_MS); });
    window.socket.on('connect', () => { clearTimeout(timer); timer = undefined; old(false);
      say('catching-up', 'Catching up'); }); };
  hook(); })();
""".replace("BANNER", CUT_OFF_ID).replace("AFTER_MS", str(CUT_OFF_AFTER_MS))


class LiveBadge:
    """A chip with a dot and a word; a click opens what is behind it."""

    def __init__(self) -> None:
        self._shown = "catching-up"
        with html.button().classes("fp-chip catching-up") as self._chip:
            self._chip.props(
                f"data-testid=live-state data-state=catching-up popovertarget={PANEL_ID}"
                " aria-haspopup=dialog"
            )
            html.span().classes("fp-dot").props("aria-hidden=true")
            self._word = Text("span", _WORDS[self._shown]).classes("word")
            self._hint = ui.tooltip(_HINTS[self._shown])
        self._aloud = Text("span", _WORDS[self._shown]).classes("fp-unseen").props("role=status")

    def watch_browser(self) -> None:
        """Have the browser say by itself when it loses the server."""
        ui.run_javascript(_WATCH)

    def show(self, state: str, *, is_apart: bool = False, again: bool = False) -> None:
        """Show a state; `again` also when it is the same, after the browser changed it itself.

        A store without a wallet is not cut off from anything: `is_apart` says so.
        """
        look = APART if is_apart else state
        if look == self._shown and not again:
            return
        self._chip.classes(remove=self._shown, add=look)
        self._chip.props(f"data-state={state}")
        for text in (self._word, self._aloud):
            text.set_text(_WORDS[look])
        self._hint.set_text(_HINTS[look])
        self._shown = look
        if again:
            self._chip.update()
            self._word.update()


def cut_off_banner() -> None:
    """Place what is shown when the server has been away for ten seconds, and what works then."""
    banner = Sheet("div", "fp-notice fp-cut", id=CUT_OFF_ID, role="alert").root
    banner.add("span", "", "■", aria_hidden="true")
    words = banner.add("span")
    words.add("span", "", "No connection to the server since ")
    words.add("span", "when num")
    words.add(
        "span",
        "",
        ". What you see is from then. Payouts go on without this page;"
        " nothing can be changed from it until it is back.",
    )
    banner.add("button", "fp-button small", "Reload")
