"""The filter that governs the whole page: range, status, card, text, and what is behind them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import date, timedelta
from typing import Any

from nicegui import events
from nicegui.element import Element

from components.filter_chips import Values, chips_of
from models.choice import Choice
from models.states import PayoutStatus

FIELDS = (
    *("status", "state", "card", "pull_payment", "min_sats", "max_sats"),
    *("from", "to", "q", "sort"),
)
ORDER = "sort"  # stands in the address beside the filter, and narrows nothing
TEXT_LIMIT = 64
_PRESETS = {"Today": 1, "7 days": 7, "30 days": 30, "90 days": 90, "All": 0}


class FilterBar(Element, component="assets/filter_bar.js"):
    """Shows the values of a filter and tells of every change.

    `on_view` is told what somebody does with saved views: save, pick, rename or remove;
    `on_open` that the choices of the popover are about to be seen.
    """

    def __init__(
        self,
        today: date,
        on_change: Callable[[Values], Awaitable[None]],
        on_view: Callable[[str, str, str], Awaitable[None]],
        on_open: Callable[[], Awaitable[None]],
    ) -> None:
        super().__init__()
        self._today = today
        self._on_change = on_change
        self._on_view = on_view
        self._on_open = on_open
        self._values: Values = {}
        self._presets = {name: self._start_of(days) for name, days in _PRESETS.items()}
        self.props.update(
            {
                "values": {},
                "presets": [
                    {"name": name, "from": start, "to": ""} for name, start in self._presets.items()
                ],
                "statuses": [str(status) for status in PayoutStatus],
                "pulls": [],
                "chips": [],
                "errors": {},
                "views": [],
                "viewError": "",
                "canSave": False,
            }
        )
        self.on("filter", self._changed)
        self.on("clear", self._cleared)
        self.on("view", self._viewed)
        self.on("opened", self._opened)

    @property
    def is_narrowed(self) -> bool:
        """Tell whether anything is filtered at all."""
        return any(name != ORDER for name in self._values)

    def show(self, values: Values, names: Mapping[str, str] | None = None) -> None:
        """Show these values; what was wrong before is right now."""
        self.expect(values)
        self.props["errors"] = {}
        self.props["values"] = self._values
        self.props["canSave"] = bool(self._values)
        self.name_chips(names or {})

    def expect(self, values: Values) -> None:
        """Take what will be shown soon: a change that comes before that adds to it."""
        self._values = {name: values[name] for name in FIELDS if values.get(name)}

    def name_chips(self, names: Mapping[str, str]) -> None:
        """Say in words what narrows; `names` has those of the card and the pull payment."""
        shown = self._values.get("from", ""), self._values.get("to", "")
        is_preset = shown[1] == "" and shown[0] in self._presets.values()
        chips = chips_of(self._values, names, shows_range=not is_preset)
        self.props["chips"] = [asdict(chip) for chip in chips]

    def show_error(self, field: str, message: str) -> None:
        """Say beside a field what would be right; what was typed stays."""
        self.props["errors"] = {field: f"{message[:1].upper()}{message[1:]}."}

    def show_pull_payments(self, choices: Sequence[Choice]) -> None:
        """Offer these pull payments."""
        self.props["pulls"] = [asdict(choice) for choice in choices]

    def show_views(self, views: Sequence[Choice], error: str = "") -> None:
        """Show the saved views, or what was wrong with the last wish about them."""
        self.props["viewError"] = error
        self.props["views"] = [asdict(view) for view in views]

    async def set(self, **changes: str) -> None:
        """Change some values, as if somebody had typed them."""
        values = self._values | changes
        await self._on_change({name: value for name, value in values.items() if value})

    async def widen(self) -> None:
        """Narrow nothing any more; the order stays."""
        await self._on_change({name: text for name, text in self._values.items() if name == ORDER})

    def _start_of(self, days: int) -> str:
        return (self._today - timedelta(days=days - 1)).isoformat() if days else ""

    async def _changed(self, event: events.GenericEventArguments) -> None:
        given: Any = event.args if isinstance(event.args, dict) else {}
        changes = {
            name: text.strip()[:TEXT_LIMIT]
            for name, text in given.items()
            if name in FIELDS and isinstance(text, str)
        }
        if changes:
            await self.set(**changes)

    async def _cleared(self) -> None:
        await self.widen()

    async def _viewed(self, event: events.GenericEventArguments) -> None:
        given: Any = event.args if isinstance(event.args, dict) else {}
        words = [given.get(name, "") for name in ("act", "id", "name")]
        if all(isinstance(word, str) for word in words):
            await self._on_view(words[0], words[1][:TEXT_LIMIT], words[2][:TEXT_LIMIT])

    async def _opened(self) -> None:
        await self._on_open()
