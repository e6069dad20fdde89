"""Shows a secret as a QR code, for as long as the dialog is open and no longer."""

from __future__ import annotations

from nicegui import html, ui

from components.qr_code import qr_code
from components.text import Text


class SecretDialog:
    """One dialog for a page; closing it takes the secret out of the page."""

    def __init__(self) -> None:
        with ui.dialog() as self._dialog, html.section().classes("fp-modal fp-confirm") as body:
            self._body = body.props("role=dialog")
        self._dialog.on("hide", self._body.clear)

    def show(self, title: str, text: str, secret: str) -> None:
        """Show a secret."""
        self._body.clear()
        self._body.props["aria-label"] = title
        with self._body:
            with html.div().classes("fp-modal-body fp-claim-body"):
                html.h2(title).classes("fp-form-title")
                html.p(text).classes("fp-note")
                qr_code(secret, title).props("data-testid=secret-qr")
            with html.footer().classes("fp-modal-foot"):
                done = Text("button", "Close").classes("fp-button primary")
                done.on("click", self._dialog.close)
        self._dialog.open()
