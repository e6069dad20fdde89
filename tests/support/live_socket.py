"""The live socket of an open page without a browser: it says whatever a script could."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.support import caller
from tests.support.patience import PATIENCE_S

_CLIENT = re.compile(r"'client_id': '([0-9a-f-]+)'")
_ELEMENTS = re.compile(r"parseElements\(String\.raw`(.*?)`\)", re.DOTALL)


@dataclass(frozen=True)
class OpenPage:
    """A page as its server built it, and the session it was built for."""

    url: str
    token: str
    client_id: str
    elements: dict[str, Any]

    def click(self, text: str) -> dict[str, Any]:
        """Return what the browser says when the button of a text is clicked."""
        for element_id, element in self.elements.items():
            if element.get("text") == text and element.get("events"):
                return {
                    "id": int(element_id),
                    "client_id": self.client_id,
                    "listener_id": element["events"][0]["listener_id"],
                    "args": [],
                }
        raise AssertionError(f"there is no button {text}")


def open_page(http: httpx.Client, url: str) -> OpenPage:
    """Load the dashboard with the session that a client holds."""
    text = http.get(url).raise_for_status().text
    client, elements = _CLIENT.search(text), _ELEMENTS.search(text)
    assert client is not None
    assert elements is not None
    return OpenPage(url, http.cookies["fp_session"], client[1], json.loads(elements[1]))


class LiveSocket:
    """A socket that has shaken hands for a page."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._said: list[str] = []

    def say(self, name: str, message: dict[str, Any]) -> None:
        """Emit an event."""
        self._connection.send(f"42{json.dumps([name, message])}")

    def ends(self) -> list[str]:
        """Wait until the server cuts it; returns where it was led before."""
        try:
            while True:
                self.hear()
        except ConnectionClosed:
            pass
        led = [json.loads(text[2:])[1]["path"] for text in self._said if '"open"' in text]
        return [str(path) for path in led]

    def hear(self) -> str:
        """Return what the server says next, and answer its heartbeat."""
        text = str(self._connection.recv(PATIENCE_S))
        if text == "2":
            self._connection.send("3")
        self._said.append(text)
        if text.startswith("41"):  # the server's word that the namespace is closed
            raise ConnectionClosed(None, None)
        return text


def knock(page: OpenPage, **changes: str) -> int:
    """Ask to be let in as the page does, with something changed; returns the status."""
    token = changes.get("token", page.token)
    headers = {"Origin": changes.get("origin", page.url), "Cookie": f"fp_session={token}"}
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
    }
    address = _address(page, changes.get("client_id", page.client_id))
    answers = {
        caller.get(
            address.copy_merge_params({"transport": way}), headers=headers | more
        ).status_code
        for way, more in (("websocket", upgrade), ("polling", {}))
    }
    assert len(answers) == 1, answers
    return answers.pop()


def _address(page: OpenPage, client_id: str) -> httpx.URL:
    query = {
        "EIO": "4",
        "transport": "websocket",
        "client_id": client_id,
        "implicit_handshake": "true",
        "tab_id": "tab",
        "document_id": "document",
        "next_message_id": "0",
    }
    return httpx.URL(f"{page.url}/_nicegui_ws/socket.io/", params=query)


@contextmanager
def live_socket(page: OpenPage) -> Iterator[LiveSocket]:
    """Connect as the page does."""
    with connect(
        str(_address(page, page.client_id).copy_with(scheme="ws")),
        origin=page.url,  # type: ignore[arg-type]  # a plain string does
        additional_headers={"Cookie": f"fp_session={page.token}"},
        open_timeout=PATIENCE_S,
    ) as connection:
        assert str(connection.recv(PATIENCE_S)).startswith("0")
        connection.send("40")
        opened = LiveSocket(connection)
        assert opened.hear().startswith("40")
        yield opened
