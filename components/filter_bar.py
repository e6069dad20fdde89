"""The filter that governs the whole page: range, status, card, text."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date, timedelta

from nicegui import events, html, ui
from nicegui.element import Element

from components.text import Text
from models.states import PayoutStatus

Values = dict[str, str]
FIELDS = ("status", "state", "card", "pull_payment", "from", "to", "q")
_PRESETS = {"Today": 1, "7 days": 7, "30 days": 30, "90 days": 90, "All": 0}
_EMIT = "(e) => emit(e.target.value)"
_SLASH = """
document.addEventListener('keydown', e => {
  if (e.key !== '/' || e.target.closest('input, textarea, select')) return;
  e.preventDefault(); document.querySelector('[data-testid="filter-q"]').focus(); });
"""


class FilterBar:
    """Shows the values of a filter and tells of every change."""

    def __init__(self, today: date, on_change: Callable[[Values], Awaitable[None]]) -> None:
        self._today = today
        self._on_change = on_change
        self._values: Values = {}
        self._fields: dict[str, Element] = {}
        with html.div().classes("fp-filters").props('role=search aria-label="Filter payouts"'):
            with html.div().classes("fp-segments").props('role=group aria-label="Range"'):
                self._presets = {name: self._preset(name) for name in _PRESETS}
            self._status_select()
            self._input("card", "Card name or number", "text")
            self._input("from", "From", "date")
            self._input("to", "To", "date")
            self._input("q", "Search: id, hash, memo…  ( / )", "search")
            self._clear = Text("button", "Clear").classes("fp-button")
            self._clear.on("click", self._cleared)
        ui.run_javascript(_SLASH)

    def show(self, values: Values) -> None:
        """Show these values."""
        self._values = {name: values[name] for name in FIELDS if values.get(name)}
        for name, shown in self._fields.items():
            shown.props["value"] = self._values.get(name, "")
        self._clear.set_visibility(bool(self._values))
        chosen = self._preset_of(self._values)
        for name, button in self._presets.items():
            button.props["aria-pressed"] = "true" if name == chosen else "false"

    async def set(self, **changes: str) -> None:
        """Change some values, as if somebody had typed them."""
        values = self._values | changes
        await self._on_change({name: value for name, value in values.items() if value})

    def _preset(self, name: str) -> Text:
        button = Text("button", name)

        async def choose() -> None:
            start, end = self._range(name)
            await self.set(**{"from": start, "to": end})

        button.on("click", choose)
        return button

    def _range(self, name: str) -> tuple[str, str]:
        days = _PRESETS[name]
        if days == 0:
            return "", ""
        return (self._today - timedelta(days=days - 1)).isoformat(), ""

    def _preset_of(self, values: Values) -> str | None:
        shown = values.get("from", ""), values.get("to", "")
        return next((name for name in _PRESETS if self._range(name) == shown), None)

    def _status_select(self) -> None:
        with html.select().classes("fp-control") as select:
            html.option("All statuses").props["value"] = ""
            for status in PayoutStatus:
                html.option(str(status).capitalize()).props["value"] = str(status)
        self._wire(select, "status", "Status")

    def _input(self, name: str, label: str, kind: str) -> None:
        element = html.input_().classes("fp-control")
        element.props.update({"type": kind, "placeholder": label, "maxlength": "64"})
        self._wire(element, name, label)

    def _wire(self, element: Element, name: str, label: str) -> None:
        element.props.update({"data-testid": f"filter-{name}", "aria-label": label})

        async def changed(event: events.GenericEventArguments) -> None:
            text = event.args if isinstance(event.args, str) else ""
            await self.set(**{name: text.strip()[:64], "state": ""})

        element.on("change", changed, js_handler=_EMIT)
        self._fields[name] = element

    async def _cleared(self) -> None:
        await self._on_change({})
