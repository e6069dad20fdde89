"""Scans a QR code into a field of the form it stands in, where the browser can."""

from __future__ import annotations

from nicegui.element import Element


class CodeScanner(Element, component="assets/code_scanner.js"):
    """Buttons for the camera and for a picture; the browser does the rest by itself."""

    def __init__(self, target: str) -> None:
        super().__init__()
        self.props.update({"target": target, "data-testid": "scanner"})
        self.classes("fp-scanner")
