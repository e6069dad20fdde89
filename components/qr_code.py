"""A QR code, drawn as lines that stay sharp on screen and paper."""

from __future__ import annotations

import io

import segno
from nicegui import ui
from nicegui.element import Element


def qr_code(text: str, label: str) -> Element:
    """Place a QR code on white, which is what cameras read; the label says what it is."""
    drawn = io.BytesIO()
    code = segno.make(text, error="m", boost_error=False)
    code.save(drawn, kind="svg", xmldecl=False, border=2, omitsize=True, dark="#000", light="#fff")
    # Only squares come out of the drawing, whatever the text was.
    shown = ui.html(drawn.getvalue().decode(), sanitize=False).classes("fp-qr")
    shown.props.update({"role": "img", "aria-label": label})
    return shown
