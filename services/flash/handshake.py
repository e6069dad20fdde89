"""Tries once whether Flash's socket lets somebody in."""

from __future__ import annotations

import asyncio
import json

from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException
from websockets.typing import Subprotocol

from models.errors import GatewayError
from models.flash import FlashConnection

WITHIN_S = 10
_PROTOCOL = Subprotocol("graphql-transport-ws")
_MESSAGE_LIMIT = 64 * 1024


async def shake_hands(connection: FlashConnection) -> None:
    """Open the socket, say who asks, and wait to be let in.

    Raises:
        GatewayError: It cannot be reached, or lets nobody in.
    """
    payload = {"Authorization": f"Bearer {connection.token}"} if connection.token else {}
    try:
        async with (
            asyncio.timeout(WITHIN_S),
            connect(connection.ws_url, subprotocols=[_PROTOCOL], max_size=_MESSAGE_LIMIT) as socket,
        ):
            await socket.send(json.dumps({"type": "connection_init", "payload": payload}))
            while json.loads(await socket.recv())["type"] != "connection_ack":
                pass  # it may ping first
    except (OSError, TimeoutError, WebSocketException, ValueError, KeyError, TypeError) as error:
        msg = f"the socket lets nobody in ({type(error).__name__})"
        raise GatewayError(msg) from error
