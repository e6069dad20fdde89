"""A page without a browser: what is built on it, and what it would send."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from nicegui import Client, core
from nicegui.element import Element
from nicegui.page import page

from components.courier import Courier
from components.sheet import Piece, Sheet
from components.text import Text


class Paper:
    """One page that nobody looks at."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def by_testid(self, testid: str) -> Element | Piece:
        """Return the element, or the piece of a sheet, that a test mark names."""
        return next(each for each in self.all() if _props(each).get("data-testid") == testid)

    def all(self) -> Iterator[Element | Piece]:
        """Go through everything that stands on the page."""
        for element in self.client.elements.values():
            yield element
            if isinstance(element, Sheet):
                yield from (element.root, *element.root.descendants())

    def read(self, testid: str) -> str:
        """Return all text inside a marked element, as a screen reader would come upon it."""
        return " ".join(filter(None, map(text_of, self.by_testid(testid).descendants())))

    def sent(self) -> set[object]:
        """Return what is to be sent again, elements and pieces, and forget it."""
        updates = self.client.outbox.updates
        found: set[object] = {each for each in updates.values() if isinstance(each, Element)}
        for element in self.client.elements.values():
            element._to_dict()  # as if the browser had been told of it
        updates.clear()
        for sheet, method, args in Courier.of(self.client).take():
            found |= {(sheet, piece) for piece in args[0]} if method == "take" else {sheet}
        return found


@contextmanager
def paper() -> Iterator[Paper]:
    """Open a page to build on."""
    core.loop = asyncio.get_running_loop()
    client = Client(page(""), request=None)
    try:
        with client:
            yield Paper(client)
    finally:
        client.delete()


def _props(of: Element | Piece) -> dict[str, Any]:
    return of.attributes if isinstance(of, Piece) else of.props


def text_of(element: Element | Piece) -> str:
    """Return the text of its own."""
    if isinstance(element, Text | Piece):
        return element.text
    return str(getattr(element, "text", "") or "")
