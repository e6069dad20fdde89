"""What changed on a page, carried to its browser in one message for all of it."""

from __future__ import annotations

from typing import Any

from nicegui import Client, core, json

_NAME = "fp-courier"
_CALL = "{}.forEach(([id, name, args]) => runMethod(id, name, args))"
Changes = dict[int, dict[str, str | None]]
Call = tuple[int, str, tuple[Any, ...]]


class Courier:
    """Gathers the changes of a turn of the loop; until the browser is there, of all turns.

    The browser is told which methods of elements to call; sheets have one for what changed in them.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._changes: dict[int, Changes] = {}
        self._calls: list[Call] = []
        self._code: list[str] = []
        self._is_due = False

    @classmethod
    def of(cls, client: Client) -> Courier:
        """Return the courier of a page."""
        courier = client.storage.get(_NAME)
        if not isinstance(courier, Courier):
            courier = client.storage[_NAME] = cls(client)
        return courier

    def change(self, sheet: int, piece: int, name: str, value: str | None) -> None:
        """Carry what a piece of a sheet is from now on."""
        self._changes.setdefault(sheet, {}).setdefault(piece, {})[name] = value
        self._be_due()

    def call(self, element: int, method: str, *args: Any) -> None:
        """Have the browser call a method of an element."""
        self._calls.append((element, method, args))
        self._be_due()

    def run(self, code: str) -> None:
        """Have the browser run a piece of code."""
        self._code.append(code)
        self._be_due()

    def take(self) -> list[Call]:
        """Return what is to be called, and forget it."""
        changed: list[Call] = [(sheet, "take", (each,)) for sheet, each in self._changes.items()]
        calls = changed + self._calls
        self._changes, self._calls = {}, []
        return calls

    def _be_due(self) -> None:
        if not self._is_due and core.is_loop_running():
            self._is_due = True
            core.loop.call_soon(self._go)  # type: ignore[union-attr]

    def _go(self) -> None:
        self._is_due = False
        calls, code = self.take(), self._code
        self._code = []
        if self._client.is_deleted or not (calls or code):
            return
        if calls:
            code = [_CALL.format(json.dumps(calls)), *code]
        self._client.outbox.enqueue_message(
            "run_javascript", {"code": ";\n".join(code)}, self._client.id
        )
