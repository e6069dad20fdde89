"""The record of what was done: a filter, rows that open to what changed, and a file of it."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from nicegui import events, html
from nicegui.element import Element

from components.act_words import act_words, changes
from components.text import Text
from models.record import Entry
from models.store import ActorKind

FILTERS = ("who", "what", "from", "to", "q")
KINDS = {
    ActorKind.SYSTEM: "The service itself",
    ActorKind.PAYEE: "Payees",
}
_LIMIT = 100
SESSION_SHOWN = 8
_GATHER = "(e) => { e.preventDefault(); emit(Object.fromEntries(new FormData(e.currentTarget))); }"
_COLUMNS = ("When", "What", "Who", "From")


class _Rows(Element, component="assets/record_rows.js"):
    """Draws the rows in the browser: one element, however many there are."""

    def __init__(self) -> None:
        super().__init__()
        self.props["rows"] = "[]"


class RecordList:
    """Shows entries, newest first; tells when another filter is wanted."""

    def __init__(
        self,
        zone_name: str,
        values: Mapping[str, str],
        on_filter: Callable[[dict[str, str]], Awaitable[None]],
        on_more: Callable[[], Awaitable[None]],
    ) -> None:
        self._zone = ZoneInfo(zone_name)
        self._values = values
        self._on_filter = on_filter
        with html.section().classes("fp-panel fp-things is-loading") as self._panel:
            self._panel.props('aria-label="Record"')
            with html.div().classes("fp-panel-head"):
                html.h2("What was done").classes("fp-h2")
                html.span().classes("fp-gap")
                self._file = html.a("Export as CSV").classes("fp-button")
                self._file.props("download")
            self._form()
            with html.div().classes("fp-row fp-record-row fp-row-head").props("aria-hidden=true"):
                for word in _COLUMNS:
                    html.span(word)
            self._rows = _Rows()
            with html.div().classes("fp-nothing") as self._empty:
                self._nothing = Text("p").classes("strong")
                html.p("Every sign-in, approval, setting, key and role is written down here.")
            self._empty.set_visibility(False)
            with html.div().classes("fp-panel-foot") as self._foot:
                Text("button", "Show older").classes("fp-button").on("click", on_more)
            self._foot.set_visibility(False)

    def offer(self, actors: Sequence[tuple[str, str]], actions: Sequence[str]) -> None:
        """Offer these people, keys and acts to choose from."""
        kinds = [(f"kind:{kind}", words) for kind, words in KINDS.items()]
        _fill(self._who, [("", "Everybody"), *actors, *kinds], self._values.get("who", ""))
        acts = sorted(((action, act_words(action)) for action in actions), key=lambda act: act[1])
        _fill(self._what, [("", "Everything"), *acts], self._values.get("what", ""))

    def show(
        self,
        entries: Sequence[Entry],
        names: Mapping[str, str],
        *,
        has_more: bool,
        is_filtered: bool,
        file_address: str,
    ) -> None:
        """Show these entries."""
        self._panel.classes(remove="is-loading")
        self._rows.props["rows"] = json.dumps([self._row(entry, names) for entry in entries])
        self._empty.set_visibility(not entries)
        self._nothing.set_text("Nothing fits this filter" if is_filtered else "Nothing yet")
        self._foot.set_visibility(has_more)
        self._file.props["href"] = file_address

    def say(self, words: str) -> None:
        """Say what is wrong with the filter."""
        self._error.set_text(words)

    def _form(self) -> None:
        with html.form().classes("fp-record-filter").props("role=search") as form:
            form.props["aria-label"] = "Filter the record"
            self._who = self._select("who", "Who")
            self._what = self._select("what", "What")
            for name, label in (("from", "From"), ("to", "To")):
                self._input(name, label, "date")
            self._input("q", "Text, id or address", "search")
            self._error = Text("p").classes("fp-field-error").props("role=alert")
        form.on("submit", self._chosen, js_handler=_GATHER)
        form.on("change", self._chosen, js_handler=_GATHER)

    def _select(self, name: str, label: str) -> Element:
        with html.label().classes("fp-field"):
            html.span(label).classes("fp-field-name")
            chosen: Element = html.select().classes("fp-control")
            chosen.props.update({"name": name, "aria-label": label})
        return chosen

    def _input(self, name: str, label: str, kind: str) -> None:
        with html.label().classes(f"fp-field {name}"):
            html.span(label).classes("fp-field-name")
            asked = html.input_().classes("fp-control")
            asked.props.update({"name": name, "type": kind, "autocomplete": "off"})
            asked.props.update({"^value": self._values.get(name, ""), "maxlength": str(_LIMIT)})

    async def _chosen(self, event: events.GenericEventArguments) -> None:
        given = event.args if isinstance(event.args, dict) else {}
        values = {name: str(given.get(name, ""))[:_LIMIT].strip() for name in FILTERS}
        await self._on_filter({name: value for name, value in values.items() if value})

    def _row(self, entry: Entry, names: Mapping[str, str]) -> dict[str, object]:
        at = entry.at.astimezone(self._zone)
        facts = (
            ("Subject", _named(entry.subject_id, names)),
            ("Address", entry.address),
            ("Sign-in", entry.session_id and short_session(entry.session_id)),
            ("Browser or program", entry.agent),
            ("Request", entry.request_id),
            ("Number", f"{entry.number:,}"),
            ("Kind of act", entry.action),
        )
        return {
            "id": entry.number,
            "at": _moment(at),
            "what": act_words(entry.action),
            "who": who_words(entry, names),
            "where": entry.address or "",
            "changes": changes(entry.before, entry.after),
            "facts": [fact for fact in facts if fact[1]],
        }


def who_words(entry: Entry, names: Mapping[str, str]) -> str:
    """Return who did it, by e-mail address or by the name of a key."""
    if entry.actor_kind is ActorKind.SYSTEM:
        return "Console" if entry.actor_id == "console" else "The service itself"
    if entry.actor_kind is ActorKind.PAYEE:
        return "Payee"
    if entry.actor_id == "demo":
        return "Visitor of the demo"
    return names.get(entry.actor_id or "", entry.actor_id or "Unknown")


def short_session(session_id: str) -> str:
    """Return the end of a session's id: enough to tell one sign-in from another."""
    return f"…{session_id[-SESSION_SHOWN:]}"


def _named(subject_id: str | None, names: Mapping[str, str]) -> str | None:
    name = names.get(subject_id or "")
    return f"{name} ({subject_id})" if name else subject_id


def _moment(at: datetime) -> str:
    return f"{at.day} {at:%b %Y %H:%M:%S}"


def _fill(select: Element, options: Sequence[tuple[str, str]], chosen: str) -> None:
    select.clear()
    with select:
        for value, word in options:
            option = html.option(word)
            option.props["value"] = value
            if value == chosen:
                option.props["selected"] = ""
