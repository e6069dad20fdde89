"""A panel of a room: a few facts, words, and buttons."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from nicegui import html

from components.text import Text

Button = tuple[str, Callable[[], object]]


class RoomPanel:
    """Shows named facts, a note, and what may be done about them."""

    def __init__(self, title: str, testid: str) -> None:
        with html.section().classes("fp-panel") as panel:
            panel.props.update({"aria-label": title, "data-testid": testid})
            with html.div().classes("fp-panel-head"):
                html.h2(title).classes("fp-h2")
            with html.div().classes("fp-panel-body"), html.div().classes("fp-room"):
                self._facts = html.dl().classes("fp-room-facts")
                self._note = Text("p").classes("fp-note")
                self._acts = html.div().classes("fp-room-acts")

    def show(
        self,
        facts: Mapping[str, tuple[str, str]],
        note: str = "",
        buttons: Sequence[Button] = (),
        primary: str = "",
    ) -> None:
        """Show facts by their names, each a text and its look; one button may be the way on."""
        self._facts.clear()
        with self._facts:
            for name, (text, look) in facts.items():
                with html.div().classes("fp-fact"):
                    html.dt(name)
                    html.dd(text).classes(look)
        self._facts.set_visibility(bool(facts))
        self._note.set_text(note)
        self._acts.clear()
        self._acts.set_visibility(bool(buttons))
        with self._acts:
            for word, do in buttons:
                look = "fp-button primary" if word == primary else "fp-button"
                button = Text("button", word).classes(look).props("type=button")
                button.on("click", do)
