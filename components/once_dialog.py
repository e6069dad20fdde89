"""Shows a secret once, to be copied: a key, a link, recovery codes."""

from __future__ import annotations

from nicegui import html, ui

from components.copy_button import copy_button
from components.text import Text


class OnceDialog:
    """One dialog for a page; closing it takes the secret out of the page for good."""

    def __init__(self) -> None:
        with ui.dialog() as self._dialog, html.section().classes("fp-modal fp-form") as body:
            self._body = body.props("role=dialog")
        self._dialog.props("persistent")
        self._dialog.on("hide", self._body.clear)

    def show(self, title: str, text: str, secret: str) -> None:
        """Show a secret; it stays until somebody says that it is kept."""
        self._body.clear()
        self._body.props["aria-label"] = title
        with self._body:
            with html.div().classes("fp-modal-body fp-once"):
                html.h2(title).classes("fp-form-title")
                html.p(text).classes("fp-note")
                shown = html.pre(secret).classes("fp-code fp-secret")
                shown.props.update({"tabindex": "0", "data-testid": "secret"})
                html.p("It is shown this once.").classes("fp-note is-warning")
            with html.footer().classes("fp-modal-foot"):
                copy_button(secret, "Copy")
                done = Text("button", "Done").classes("fp-button primary")
                done.props("type=button").on("click", self._dialog.close)
        self._dialog.open()
