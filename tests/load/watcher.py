"""An open dashboard without a browser: loads the page, joins its socket, and keeps what it is told.

It speaks what NiceGUI's own script speaks: Engine.IO 4 and Socket.IO 5 in text frames.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from urllib.parse import urlencode

import aiohttp

from tests.load.sockets import Socket
from tests.load.wire import HOST

_CLIENT = re.compile(r"['\"]?client_id['\"]?:\s*['\"]([^'\"]+)['\"]")
_NEXT = re.compile(r"['\"]?next_message_id['\"]?:\s*(\d+)")
_MESSAGE = re.compile(r'"_id":(\d+)')
JOIN_S = 20.0
LOOK_S = 0.02


class Watcher:
    """One page that somebody has open."""

    def __init__(self, socket: Socket, client_id: str) -> None:
        self._socket = socket
        self._client_id = client_id
        self._next_id = 0
        self.seen_ns: dict[str, int] = {}
        self.text_bytes = 0

    @classmethod
    async def open(cls, port: int, path: str = "/") -> Watcher:
        """Load a page and shake hands."""
        jar = aiohttp.CookieJar(unsafe=True)
        async with (
            aiohttp.ClientSession(cookie_jar=jar) as session,
            session.get(f"http://{HOST}:{port}{path}") as answer,
        ):
            assert answer.status == 200, (answer.status, path)
            page = await answer.text()
        client, next_id = _CLIENT.search(page), _NEXT.search(page)
        assert client is not None, page[:500]
        query = {
            "client_id": client.group(1),
            "next_message_id": next_id.group(1) if next_id else "0",
            "implicit_handshake": "true",
            "document_id": secrets.token_hex(16),
            "tab_id": secrets.token_hex(16),
            "EIO": "4",
            "transport": "websocket",
        }
        cookie = "; ".join(f"{each.key}={each.value}" for each in jar)
        address = f"/_nicegui_ws/socket.io/?{urlencode(query)}"
        watcher = cls(await Socket.open(port, address, cookie), client.group(1))
        await watcher._until("0{")
        watcher._socket.send("40")
        await watcher._until("40{")
        return watcher

    @property
    def wire_bytes(self) -> int:
        """Return how much came over the wire."""
        return self._socket.received_bytes

    def look(self, wanted: set[str]) -> None:
        """Read what has come; answer pings, acknowledge messages, note when a text first came."""
        for at_ns, text in self._socket.texts():
            self._note(at_ns, text, wanted)
        if self._next_id:
            ack = f'{{"client_id":"{self._client_id}","next_message_id":{self._next_id}}}'
            self._socket.send(f'42["ack",{ack}]')

    def close(self) -> None:
        """Close the tab."""
        self._socket.close()

    def _note(self, at_ns: int, text: str, wanted: set[str]) -> None:
        if text == "2":
            self._socket.send("3")
            return
        self.text_bytes += len(text)
        numbers = _MESSAGE.findall(text)
        if numbers:
            self._next_id = int(numbers[-1]) + 1
        for name in wanted - self.seen_ns.keys():
            if name in text:
                self.seen_ns[name] = at_ns

    async def _until(self, start: str) -> None:
        async with asyncio.timeout(JOIN_S):
            while True:
                for at_ns, text in self._socket.texts():
                    self._note(at_ns, text, set())
                    if text.startswith(start):
                        return
                await asyncio.sleep(LOOK_S)
