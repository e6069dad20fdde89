"""A page without a browser: what is built on it, and what it would send."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from nicegui import Client, core
from nicegui.element import Element
from nicegui.page import page

from components.text import Text


class Paper:
    """One page that nobody looks at."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def by_testid(self, testid: str) -> Element:
        """Return the element that a test mark names."""
        return next(
            e for e in self.client.elements.values() if e.props.get("data-testid") == testid
        )

    def read(self, testid: str) -> str:
        """Return all text inside a marked element, as a screen reader would come upon it."""
        return " ".join(filter(None, map(_text_of, self.by_testid(testid).descendants())))

    def sent(self) -> set[Element]:
        """Return the elements that are to be sent again, and forget them."""
        updates = self.client.outbox.updates
        found = {element for element in updates.values() if isinstance(element, Element)}
        updates.clear()
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


def _text_of(element: Element) -> str:
    if isinstance(element, Text):
        return element.text
    return str(getattr(element, "text", "") or "")
