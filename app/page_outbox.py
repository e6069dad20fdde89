"""What a page is sent, without a detour: one encoding, straight into its socket's queue.

NiceGUI's own way starts a task for each message and waits for it; with a hundred open pages that
is most of what a payout costs. Numbers, history and acknowledgements stay as they are.
"""

from __future__ import annotations

import asyncio
from typing import Any

from engineio.packet import MESSAGE, Packet  # type: ignore[import-untyped]
from nicegui import client as nicegui_client
from nicegui import core, json
from nicegui.outbox import Message, Outbox

_EVENT = "2"  # what Socket.IO begins an event with


class PageOutbox(Outbox):
    """Sends at once what finds nothing before it; what follows an update waits for that."""

    def enqueue_message(self, message_type: str, data: Any, target_id: str) -> None:
        """Send a message to a browser that is there, or keep it until it is."""
        waits = self.updates or self.messages or not self._may_send(message_type, data)
        if waits or not self.client.has_socket_connection:
            super().enqueue_message(message_type, data, target_id)
        else:
            self.client.check_existence()
            self._send((target_id, message_type, data))

    async def _emit(self, message: Message) -> None:
        # Nothing is awaited here, so nothing can come between two messages of a flush.
        if self._may_send(*message[1:]):
            self._send(message)
        else:
            await super()._emit(message)

    @staticmethod
    def _may_send(message_type: str, data: Any) -> bool:
        """Tell whether it is text: files are cut into several packets, and seldom."""
        return message_type != "download" or isinstance(data.get("src"), str)

    def _send(self, message: Message) -> None:
        target_id, message_type, data = message
        data["_id"] = self.next_message_id
        text = _EVENT + json.dumps([message_type, data])
        sockets = core.sio.eio.sockets
        for _, socket_id in core.sio.manager.get_participants("/", target_id):
            socket = sockets.get(socket_id)
            if socket is not None and not socket.closed:
                socket.queue.put_nowait(Packet(MESSAGE, text))
        # Until the browser has said that it came, it may have to be sent again.
        now = asyncio.get_running_loop().time()
        history = self.message_history
        history.append((self.next_message_id, now, message))
        oldest = now - self._kept_s()
        limit = core.app.config.message_history_length
        while history and (history[0][1] < oldest or len(history) > limit):
            history.popleft()
        self.next_message_id += 1

    def _kept_s(self) -> float:
        engine = core.sio.eio
        reconnect_s: float = self.client.page.resolve_reconnect_timeout()
        return float(engine.ping_interval + engine.ping_timeout + reconnect_s)


def install_page_outbox() -> None:
    """Have every page made from now on send in this way; called once, at start-up."""
    vars(nicegui_client)["Outbox"] = PageOutbox
