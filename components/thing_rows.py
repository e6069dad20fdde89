"""Rows of a list, drawn by the browser: one element, however many rows there are.

A row of elements would cost the server a millisecond each time somebody opens the page.
"""

from __future__ import annotations

import json
from typing import Any

from nicegui.element import Element

Cell = dict[str, Any]
Row = dict[str, Any]


class ThingRows(Element, component="assets/thing_rows.js"):
    """Shows rows; of those that stay in their place only the changed ones are sent."""

    def __init__(self, kind: str, testid: str) -> None:
        super().__init__()
        self._rows: list[Row] = []
        self.props.update({"kind": kind, "rows": "[]", "data-testid": testid})

    def show(self, rows: list[Row]) -> None:
        """Show these rows, in their order."""
        before, self._rows = self._rows, rows
        if [row["id"] for row in before] != [row["id"] for row in rows]:
            # As text: every list and dict in props would be watched for changes, which costs more
            # than all the rest.
            self.props["rows"] = json.dumps(rows)
            return
        changed = [row for row, old in zip(rows, before, strict=True) if row != old]
        if changed:
            self.run_method("patch", changed)


def cell(text: str, look: str = "") -> Cell:
    """Return a cell of one text."""
    return {"text": text, "look": look}


def lines(*parts: tuple[str, str], look: str = "fp-lead") -> Cell:
    """Return a cell of several lines, each a text and its look."""
    return {"lines": [{"text": text, "look": of} for text, of in parts], "look": look}
