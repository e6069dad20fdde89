"""Sets an authenticator app up: a code to scan, and the first code it shows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from nicegui import events, html, ui

from components.qr_code import qr_code
from components.text import Text

_GATHER = "(e) => { e.preventDefault(); emit(new FormData(e.currentTarget).get('code') || ''); }"
_LIMIT = 20


class FactorDialog:
    """One dialog for a page; closing it takes the secret out of the page."""

    def __init__(self, on_code: Callable[[str], Awaitable[str]]) -> None:
        self._on_code = on_code
        with ui.dialog() as self._dialog, html.form().classes("fp-modal fp-confirm") as self._form:
            self._form.props.update({"role": "dialog", "aria-label": "Set up an authenticator"})
        self._form.on("submit", self._given, js_handler=_GATHER)
        self._dialog.on("hide", self._form.clear)

    def show(self, uri: str, secret: str) -> None:
        """Show the code to scan, the same to type in, and ask for the app's answer."""
        self._form.clear()
        with self._form:
            with html.div().classes("fp-modal-body fp-once"):
                html.h2("Scan this with your authenticator app").classes("fp-form-title")
                qr_code(uri, "The secret of the second factor")
                with html.details().classes("fp-details"):
                    html.summary("Type it in instead")
                    html.p(secret).classes("fp-code").props("data-testid=factor-secret")
                with html.label().classes("fp-field"):
                    html.span("The code that it shows now").classes("fp-field-name")
                    code = html.input_().classes("fp-control")
                    code.props("name=code inputmode=numeric autocomplete=one-time-code")
                    code.props("maxlength=10 autofocus")
                    self._error = Text("span").classes("fp-field-error").props("aria-live=polite")
            with html.footer().classes("fp-modal-foot"):
                cancel = Text("button", "Cancel").classes("fp-button").props("type=button")
                cancel.on("click", self._dialog.close)
                Text("button", "Turn it on").classes("fp-button primary").props("type=submit")
        self._dialog.open()

    async def _given(self, event: events.GenericEventArguments) -> None:
        trouble = await self._on_code(str(event.args)[:_LIMIT])
        if trouble:
            self._error.set_text(trouble)
        else:
            self._dialog.close()
