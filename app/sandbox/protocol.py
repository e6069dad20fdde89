"""The words of `graphql-transport-ws`: messages, close codes, and how they are checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import orjson

SUBPROTOCOL: Final = "graphql-transport-ws"
_WITH_ID: Final = frozenset({"subscribe", "next", "error", "complete"})
_PLAIN: Final = frozenset({"connection_init", "connection_ack", "ping", "pong"})


class Close(Exception):
    """The socket is to be closed with a code and a reason."""

    def __init__(self, code: int, reason: str) -> None:
        self.code = code
        self.reason = reason
        super().__init__(reason)


NOT_ACCEPTABLE: Final = (4406, "Subprotocol not acceptable")
INIT_TIMEOUT: Final = (4408, "Connection initialisation timeout")
TOO_MANY_INITS: Final = (4429, "Too many initialisation requests")
UNAUTHORIZED: Final = (4401, "Unauthorized")
INVALID: Final = (4400, "Invalid message received")
INTERNAL_ERROR: Final = 4500


@dataclass(frozen=True, slots=True)
class Message:
    """One message, in either direction."""

    type: str
    id: str | None = None
    payload: Any = None

    @classmethod
    def read(cls, frame: str | bytes) -> Message:
        """Read a frame.

        Raises:
            Close: It is not a message of the protocol (4400).
        """
        try:
            given = orjson.loads(frame)
        except orjson.JSONDecodeError:
            raise Close(*INVALID) from None
        if not isinstance(given, dict):
            raise Close(*INVALID)
        kind = str(given.get("type"))
        name, payload = given.get("id"), given.get("payload")
        if kind in _WITH_ID:
            is_good = isinstance(name, str) and name != ""
            if kind == "subscribe":
                is_good = is_good and _is_subscribe(payload)
        else:
            is_good = kind in _PLAIN and isinstance(payload, (dict, type(None)))
        if not is_good:
            raise Close(*INVALID)
        return cls(kind, name, payload)

    def frame(self) -> str:
        """Return it as it goes over the wire."""
        shown: dict[str, Any] = {"type": self.type}
        if self.id is not None:
            shown["id"] = self.id
        if self.payload is not None:
            shown["payload"] = self.payload
        return orjson.dumps(shown).decode()


def _is_subscribe(payload: Any) -> bool:
    if not isinstance(payload, dict) or not isinstance(payload.get("query"), str):
        return False
    variables, name = payload.get("variables"), payload.get("operationName")
    return isinstance(variables, (dict, type(None))) and isinstance(name, (str, type(None)))
