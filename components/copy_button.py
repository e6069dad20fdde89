"""A button that puts a text on the clipboard, and says that it did."""

from __future__ import annotations

import json

from components.text import Text

_COPIED_MS = 1_400


def copy_button(text: str, word: str, *, label: str | None = None) -> Text:
    """Place the button; the browser does the rest by itself."""
    button = Text("button", word).classes("fp-button")
    button.props.update({"type": "button", "aria-label": label or word})
    button.on("click", js_handler=_script(text))
    return button


def quiet_copy(text: str, label: str) -> None:
    """Place a button for the end of a line, which is read aloud as what it copies."""
    button = Text("button", "Copy").classes("fp-copy")
    button.props.update({"type": "button", "aria-label": label, "title": label})
    button.on("click", js_handler=_script(text))


def _script(text: str) -> str:
    return (
        "(e) => { const b = e.currentTarget, was = b.textContent;"
        f" navigator.clipboard.writeText({json.dumps(text)}).then(() => {{"
        " b.textContent = 'Copied';"
        f" setTimeout(() => {{ b.textContent = was; }}, {_COPIED_MS}); }}); }}"
    )
