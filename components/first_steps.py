"""What a new store does first: four steps that tick by themselves, until the first payout."""

from __future__ import annotations

import json
from dataclasses import dataclass

from nicegui import html

from components.text import Text
from models.first_steps import FirstSteps, WalletSign

_TITLES = ("Connect a wallet", "Make a pull payment", "Scan or program a card", "See the first tap")
_LINKS = {
    0: ("/settings", "Settings"),
    1: ("/pull-payments", "Pull payments"),
    2: ("/boltcards", "Boltcards"),
    3: ("/boltcards", "Boltcards"),
}


@dataclass(frozen=True, slots=True)
class _Step:
    words: str
    is_done: bool


class FirstStepsPanel:
    """Shows the steps; the browser remembers when somebody puts them away."""

    def __init__(self, store_id: str) -> None:
        self._store_id = store_id
        self._shown: FirstSteps | None = None
        self._marks: list[Text] = []
        self._words: list[Text] = []
        self._rows: list[html.li] = []
        self._panel = html.section().classes("fp-panel fp-first")
        self._panel.props('aria-label="First steps" data-testid=first-steps')
        self._panel.set_visibility(False)

    def show(self, steps: FirstSteps) -> None:
        """Show how far the store is; with the first payout all of it goes away."""
        if steps == self._shown:
            return
        self._shown = steps
        self._panel.set_visibility(not steps.is_over)
        if steps.is_over:
            return
        if not self._rows:
            self._build()
        found = (_wallet(steps), _pull_payment(steps), _card(steps), _tap(steps))
        following = next((number for number, step in enumerate(found) if not step.is_done), None)
        for number, step in enumerate(found):
            self._marks[number].set_text("✓" if step.is_done else str(number + 1))
            self._words[number].set_text(step.words)
            state = "done" if step.is_done else "next" if number == following else "later"
            self._rows[number].classes(replace=f"fp-first-step {state}")

    def _build(self) -> None:
        key = json.dumps(f"fp-first-steps {self._store_id}")
        self._panel.client.run_javascript(_hide_if(f"localStorage.getItem({key})"))
        with self._panel:
            with html.div().classes("fp-panel-head"):
                html.h2("Four steps to the first payout").classes("fp-h2")
                html.span().classes("fp-gap")
                away = Text("button", "Put away").classes("fp-link fp-plain")
                away.on(
                    "click", js_handler=f"() => {{ localStorage.setItem({key}, 'away'); {_AWAY} }}"
                )
            with html.ol().classes("fp-first-list"):
                for number, title in enumerate(_TITLES):
                    self._row(number, title)

    def _row(self, number: int, title: str) -> None:
        with html.li().classes("fp-first-step later") as row:
            self._marks.append(Text("span", str(number + 1)).classes("mark"))
            with html.div():
                html.h3(title).classes("fp-h3")
                self._words.append(Text("p").classes("fp-note"))
                if number in _LINKS:
                    href, word = _LINKS[number]
                    link = html.a(f"{word} →").classes("fp-link")
                    link.props.update({"href": href, "data-go": ""})
        self._rows.append(row)


_AWAY = "document.documentElement.classList.add('fp-no-first-steps');"


def _hide_if(condition: str) -> str:
    return f"try {{ if ({condition}) {_AWAY} }} catch {{ }}"


def _wallet(steps: FirstSteps) -> _Step:
    words = {
        WalletSign.MISSING: "Enter a token or an API key of Flash.",
        WalletSign.CONNECTING: "Connecting to Flash…",
        WalletSign.SILENT: f"Flash does not answer: {steps.trouble}",
        WalletSign.CONNECTED: "Connected to Flash.",
    }
    return _Step(words[steps.wallet], steps.wallet is WalletSign.CONNECTED)


def _pull_payment(steps: FirstSteps) -> _Step:
    words = "A budget that people draw from, with a code to scan."
    return _Step("There is one." if steps.has_pull_payment else words, steps.has_pull_payment)


def _card(steps: FirstSteps) -> _Step:
    words = "Scan the pull payment's code with a wallet, or make a card that draws on it."
    if steps.has_card:
        words = "Open the card and program it with the app."
    return _Step("The keys are on a card." if steps.has_keys_out else words, steps.has_keys_out)


def _tap(steps: FirstSteps) -> _Step:
    words = "Hold the card to a till: it appears here as it happens."
    return _Step("Seen. Now draw something with it." if steps.has_tap else words, steps.has_tap)
