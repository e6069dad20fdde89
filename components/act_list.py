"""A short list whose rows have buttons: people, keys, sessions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from nicegui import html

from components.text import Text


@dataclass(frozen=True, slots=True)
class Act:
    """A button of a row; one that cannot be used says why."""

    word: str
    label: str
    do: Callable[[], object]
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class ActRow:
    """A row: its name and a line below it, facts beside it, and what may be done."""

    name: str
    below: str
    facts: tuple[tuple[str, str], ...] = ()
    acts: tuple[Act, ...] = ()


class ActList:
    """A panel with such rows; few enough that each is made of elements."""

    def __init__(
        self,
        title: str,
        columns: Sequence[str],
        nothing: tuple[str, str],
        *,
        testid: str,
        new: tuple[str, Callable[[], object]] | None = None,
    ) -> None:
        with html.section().classes("fp-panel fp-things is-loading") as self._panel:
            self._panel.props.update({"aria-label": title, "data-testid": testid})
            with html.div().classes("fp-panel-head"):
                html.h2(title).classes("fp-h2")
                self._count = Text("span").classes("fp-aside num")
                html.span().classes("fp-gap")
                if new is not None:
                    word, make = new
                    Text("button", word).classes("fp-button").on("click", make)
            self._head = html.div().classes("fp-row fp-act-row fp-row-head")
            self._columns = len(columns) - 1
            self._set_columns(self._head)
            with self._head.props("aria-hidden=true"):
                for word in columns:
                    html.span(word)
                html.span()
            self._rows = html.ul().classes("fp-rows")
            with html.div().classes("fp-nothing small-one") as self._empty:
                html.p(nothing[0]).classes("strong")
                html.p(nothing[1])
            self._empty.set_visibility(False)

    def show(self, rows: Sequence[ActRow], count: str = "") -> None:
        """Show these rows."""
        self._panel.classes(remove="is-loading")
        self._empty.set_visibility(not rows)
        self._head.set_visibility(bool(rows))
        self._count.set_text(count)
        self._rows.clear()
        with self._rows:
            for row in rows:
                self._row(row)

    def _row(self, row: ActRow) -> None:
        with html.li(), html.div().classes("fp-row fp-act-row") as line:
            self._set_columns(line)
            with html.span().classes("fp-lead"):
                html.span(row.name).classes("strong clip")
                if row.below:
                    html.span(row.below).classes("soft small")
            for text, look in row.facts:
                html.span(text).classes(look or "fact")
            with html.span().classes("fp-acts"):
                for act in row.acts:
                    button = Text("button", act.word).classes("fp-button")
                    button.props.update({"type": "button", "aria-label": act.label})
                    if act.why_not:
                        button.props.update({"disabled": "", "title": act.why_not})
                    else:
                        button.on("click", act.do)

    def _set_columns(self, line: html.div) -> None:
        line.style(f"--facts: {self._columns}")
