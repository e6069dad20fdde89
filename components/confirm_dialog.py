"""Asks once more before something that cannot be taken back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from nicegui import html, ui

from components.text import Text


class ConfirmDialog:
    """One dialog for a page, with other words each time."""

    def __init__(self) -> None:
        with ui.dialog() as self._dialog, html.section().classes("fp-modal fp-confirm") as body:
            self._body = body.props("role=alertdialog")

    def ask(self, title: str, text: str, word: str, on_yes: Callable[[], Awaitable[None]]) -> None:
        """Ask, and do it if the answer is yes."""

        async def agreed() -> None:
            self._dialog.close()
            await on_yes()

        self._body.clear()
        self._body.props["aria-label"] = title
        with self._body:
            with html.div().classes("fp-modal-body"):
                html.h2(title).classes("fp-form-title")
                html.p(text).classes("fp-note")
            with html.footer().classes("fp-modal-foot"):
                no = Text("button", "Leave it").classes("fp-button")
                no.on("click", self._dialog.close)
                yes = Text("button", word).classes("fp-button danger")
                yes.on("click", agreed)
        self._dialog.open()
