"""The record as a file for the browser of whoever may read it."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Mapping
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from starlette.responses import Response, StreamingResponse

from app.auth import Services
from app.container import Container
from app.http.strict import is_keepable
from app.sessions import caller_of_page
from models.errors import InvalidField, Unauthenticated
from models.instants import iso, parse_moment
from models.permission import Permission
from models.record import Entry, EntryFilter
from models.store import ActorKind, Store
from services.export_rows import harmless
from services.record import PAGE_LIMIT

downloads = APIRouter(include_in_schema=False)

FIELDS = ("who", "what", "from", "to", "q")
ROW_LIMIT = 100_000
_KIND = "kind:"
_HEAD = (
    *("number", "at", "action", "actor_kind", "actor_id", "actor", "subject_id"),
    *("address", "request_id", "before", "after", "session_id", "agent"),
)


def read_wanted(values: Mapping[str, str], store: Store) -> EntryFilter:
    """Return the filter that the values of an address ask for; days are those of the store.

    Raises:
        InvalidField: A day or a kind that cannot be.
    """
    zone, who = ZoneInfo(store.time_zone), values.get("who", "")
    kind = None
    if not is_keepable("".join(values.values())):
        raise InvalidField("q", "This cannot be looked for.")
    try:
        since, until = values.get("from"), values.get("to")
        if who.startswith(_KIND):
            kind, who = ActorKind(who.removeprefix(_KIND)), ""
        wanted = EntryFilter(
            since=parse_moment(since, zone) if since else None,
            until=parse_moment(until, zone, end=True) if until else None,
            actor_id=who or None,
            actor_kind=kind,
            action=values.get("what") or None,
            text=values.get("q") or None,
        )
    except ValueError:
        raise InvalidField("from", "Choose days such as 2026-11-20.") from None
    if wanted.since is not None and wanted.until is not None and wanted.since >= wanted.until:
        raise InvalidField("to", "The last day is before the first.")
    return wanted


@downloads.get("/record.csv")
async def download(request: Request, services: Services) -> Response:
    """Hand out all entries of a filter, newest first."""
    caller = await caller_of_page(request, services)
    if caller is None:
        raise Unauthenticated
    caller.need(Permission.AUDIT)
    store = await services.stores.read(caller.store_id)
    assert store is not None
    values = {name: request.query_params.get(name, "") for name in FIELDS}
    wanted = read_wanted(values, store)
    after = {name: value for name, value in values.items() if value}
    await services.doors.record.note(store.id, caller.actor, "record.exported", after=after)
    headers = {
        "Content-Disposition": 'attachment; filename="record.csv"',
        "Cache-Control": "no-store",
    }
    return StreamingResponse(
        _lines(services, store.id, wanted), media_type="text/csv; charset=utf-8", headers=headers
    )


async def _lines(services: Container, store_id: str, wanted: EntryFilter) -> AsyncIterator[str]:
    record = services.doors.record
    yield _written([_HEAD])
    before, count = None, 0
    while count < ROW_LIMIT:
        page = await record.page(store_id, wanted, PAGE_LIMIT, before)
        if not page:
            return
        names = await record.names(store_id, {entry.actor_id or "" for entry in page})
        yield _written([_cells(entry, names) for entry in page])
        before, count = page[-1].number, count + len(page)


def _cells(entry: Entry, names: Mapping[str, str]) -> tuple[str, ...]:
    texts = (
        *(entry.action, entry.actor_kind, entry.actor_id, names.get(entry.actor_id or "")),
        *(entry.subject_id, entry.address, entry.request_id, entry.before, entry.after),
        *(entry.session_id, entry.agent),
    )
    return (str(entry.number), iso(entry.at), *(harmless(text or "") for text in texts))


def _written(rows: list[tuple[str, ...]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()
