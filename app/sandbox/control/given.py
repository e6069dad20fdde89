"""Reading the control API's JSON: known members, of the right kind, and nothing else."""

from __future__ import annotations

from typing import Any, Final

import orjson
from starlette.requests import Request

MAX_BODY: Final = 16_777_216
_ABSENT: Final = object()


class BadInput(Exception):
    """The request cannot be used; the message says why."""


class Given:
    """One JSON object, taken apart member by member."""

    def __init__(self, given: dict[str, Any]) -> None:
        self._given = given

    @classmethod
    async def read(cls, request: Request) -> Given:
        """Read a request's body; an empty one is an empty object.

        Raises:
            BadInput: It is not a JSON object, or too large.
        """
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_BODY:
                raise BadInput("the body is too large")
        try:
            given = orjson.loads(bytes(body) or b"{}")
        except orjson.JSONDecodeError:
            raise BadInput("the body is not JSON") from None
        if not isinstance(given, dict):
            raise BadInput("the body is not a JSON object")
        return cls(given)

    def everything(self) -> dict[str, Any]:
        """Return the object as it came, for a reader that checks it itself."""
        given, self._given = self._given, {}
        return given

    def text(self, name: str, default: Any = _ABSENT) -> Any:
        """Return a text member."""
        return self._take(name, str, default)

    def number(self, name: str, default: Any = _ABSENT) -> Any:
        """Return a whole number."""
        return self._take(name, int, default)

    def flag(self, name: str, *, default: bool) -> bool:
        """Return a true or false member."""
        return bool(self._take(name, bool, default))

    def items(self, name: str) -> list[dict[str, Any]]:
        """Return a list of objects."""
        items = self._take(name, list, _ABSENT)
        if not all(isinstance(item, dict) for item in items):
            raise BadInput(f"{name} must be objects")
        return list(items)

    def done(self) -> None:
        """Refuse members that nobody asked for.

        Raises:
            BadInput: There are some left.
        """
        if self._given:
            raise BadInput(f"unknown: {', '.join(sorted(self._given))}")

    def _take(self, name: str, kind: type, default: Any) -> Any:
        value = self._given.pop(name, default)
        if value is _ABSENT:
            raise BadInput(f"{name} is needed")
        if value is default or type(value) is kind:
            return value
        raise BadInput(f"{name} must be of kind {kind.__name__}")
