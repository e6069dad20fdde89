"""What holds all figures and charts of a filter: it says when they are still those of another."""

from __future__ import annotations

from typing import Self

from nicegui import html


class FigurePanel:
    """Holds figures; they pale while the rows beside them are newer."""

    def __init__(self) -> None:
        self._box = html.div().classes("fp-figures")
        self._is_stale = False

    def __enter__(self) -> Self:
        self._box.__enter__()
        return self

    def __exit__(self, *details: object) -> None:
        self._box.__exit__(*details)

    def show_stale(self, *, is_stale: bool) -> None:
        """Pale them, or show them in full."""
        if self._is_stale == is_stale:
            return
        self._is_stale = is_stale
        self._box.classes(add="stale" if is_stale else "", remove="" if is_stale else "stale")
        self._box.props(f"aria-busy={'true' if is_stale else 'false'}")
