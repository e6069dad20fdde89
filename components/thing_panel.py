"""A panel that lists things of one kind; each row leads to its own page."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from nicegui import html

from components.text import Text
from components.thing_rows import Row, ThingRows

OnNew = Callable[[], object] | None


@dataclass(frozen=True, slots=True)
class ThingWords:
    """What a list of things says: its name, its columns, and what stands there while empty."""

    name: str
    new: str
    columns: tuple[str, ...]
    empty: str
    meaning: str


class ThingPanel:
    """Shows rows, how many there are, and older ones when asked."""

    def __init__(
        self,
        words: ThingWords,
        look: str,
        testid: str,
        on_new: OnNew,
        on_more: Callable[[], Awaitable[None]],
    ) -> None:
        with html.section().classes("fp-panel fp-things is-loading") as self._panel:
            self._panel.props["aria-label"] = words.name
            with html.div().classes("fp-panel-head"):
                html.h2(words.name).classes("fp-h2")
                self._count = Text("span").classes("fp-aside num")
                html.span().classes("fp-gap")
                _button(words.new, on_new)
            with html.div().classes(f"fp-row {look} fp-row-head").props("aria-hidden=true"):
                for word in words.columns:
                    html.span(word)
            self._rows = ThingRows(look, testid)
            with html.div().classes("fp-nothing") as self._empty:
                html.p(words.empty).classes("strong")
                html.p(words.meaning)
                _button("Make the first one", on_new)
            self._empty.set_visibility(False)
            with html.div().classes("fp-panel-foot") as self._foot:
                more = Text("button", "Show older").classes("fp-button")
                more.on("click", on_more)
            self._foot.set_visibility(False)

    def show(self, rows: list[Row], count: str, *, has_more: bool) -> None:
        """Show these rows and no others, and in words how many count."""
        self._panel.classes(remove="is-loading")
        self._rows.show(rows)
        self._empty.set_visibility(not rows)
        self._foot.set_visibility(has_more)
        self._count.set_text(count if rows else "")


def _button(word: str, on_new: OnNew) -> None:
    if on_new is not None:
        Text("button", word).classes("fp-button primary").on("click", on_new)
