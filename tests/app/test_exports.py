"""Exports over HTTP: who may, what is answered, and that a client that leaves ends the work."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp, Message

from app.http.exports import Download
from app.server import build_app, wrapped
from models.export import ExportFormat, ExportOrder
from models.payout_filter import PayoutFilter
from models.store import Actor, ActorKind, DatabaseKind, Role
from services.exports import AT_ONCE, Export
from services.stores import NewStore
from tests.support.builders import a_payout
from tests.support.exported import csv_rows, json_object, xlsx_sheets
from tests.support.exporting import slots_are_free
from tests.support.past import Past, plant_past
from tests.support.shop import ALICE, Shop, api_key

EXPORT = "/v1/payouts/export"
OTHER = NewStore("Other shop", "bob@example.com")


@pytest.fixture
async def past(shop: Shop) -> Past:
    planted = await plant_past(shop)
    await planted.grow(60)
    return planted


def app_of(shop: Shop) -> ASGIApp:
    """Return the server's own application, so that its routes are in the order it has them."""
    return wrapped(build_app(shop.container), shop.container)


@contextlib.asynccontextmanager
async def client_of(shop: Shop, role: Role = Role.OWNER) -> AsyncIterator[httpx.AsyncClient]:
    key = await api_key(shop.container, shop.store, role)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app_of(shop)),
        base_url="http://localhost",
        headers={"Authorization": f"Bearer {key}"},
    ) as client:
        yield client


@pytest.fixture
async def client(shop: Shop) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(shop) as opened:
        yield opened


async def all_pages(client: httpx.AsyncClient, params: dict[str, Any]) -> list[dict[str, Any]]:
    items, cursor = [], None
    while True:
        more = {} if cursor is None else {"cursor": cursor}
        page = (await client.get("/v1/payouts", params=params | more)).json()
        items += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return items


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"status": "completed,failed"},
        {"state": "expired", "min_sats": "1000"},
        {"card": "zoë", "from": "2026-11-01", "to": "2026-11-15"},
        {"q": "coffee", "max_sats": "500000"},
    ],
)
async def test_the_export_the_list_and_the_stats_of_a_query_agree(
    client: httpx.AsyncClient, past: Past, params: dict[str, str]
) -> None:
    items = await all_pages(client, params)

    file = (await client.get(EXPORT, params=params | {"format": "json"})).json()
    lines = csv_rows((await client.get(EXPORT, params=params | {"format": "csv"})).content)
    book = (await client.get(EXPORT, params=params | {"format": "xlsx"})).content
    stats = (await client.get("/v1/stats", params=params)).json()

    # The risk is no column of a file: it is read off the destination, which is.
    assert file["items"] == [
        {name: value for name, value in item.items() if name != "risk"} for item in items
    ]
    assert [line["id"] for line in lines] == [item["id"] for item in items]
    assert [row[0] for row in xlsx_sheets(book)["Payouts"][1:-1]] == [item["id"] for item in items]
    for name, figure in file["totals"].items():
        assert {part: figure[part] for part in ("count", "amount_sats")} == stats[name]


@pytest.mark.parametrize(
    ("form", "media_type"),
    [
        ("csv", "text/csv; charset=utf-8"),
        ("json", "application/json"),
        ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ],
)
async def test_the_answer_is_a_file_with_a_name(
    client: httpx.AsyncClient, past: Past, form: str, media_type: str
) -> None:
    params = {"format": form, "from": "2026-11-01", "to": "2026-11-20"}

    answer = await client.get(EXPORT, params=params)

    assert answer.status_code == 200
    assert answer.headers["content-type"] == media_type
    name = f"payouts-2026-11-01-to-2026-11-20.{form}"
    assert answer.headers["content-disposition"] == f'attachment; filename="{name}"'
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({}, "format"),
        ({"format": "pdf"}, "format"),
        ({"format": "csv", "colour": "red"}, "colour"),
        ({"format": "csv", "limit": "5"}, "limit"),
        ({"format": "csv", "cursor": "x"}, "cursor"),
        ({"format": "csv", "status": "paid"}, "status"),
        ({"format": "csv", "state": "nowhere"}, "state"),
        ({"format": "csv", "min_sats": "1.5"}, "min_sats"),
        ({"format": "csv", "min_sats": "9", "max_sats": "8"}, "max_sats"),
        ({"format": "csv", "from": "yesterday"}, "from"),
        ({"format": "csv", "to": "2026-13-01"}, "to"),
        ({"format": "csv", "q": "ab"}, "q"),
    ],
)
async def test_what_cannot_be_read_is_named(
    client: httpx.AsyncClient, params: dict[str, str], field: str
) -> None:
    answer = await client.get(EXPORT, params=params)

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_nobody_exports_without_a_key(client: httpx.AsyncClient) -> None:
    answer = await client.get(EXPORT, params={"format": "csv"}, headers={"Authorization": ""})

    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("role", "sees"),
    [
        (Role.OWNER, True),
        (Role.MANAGER, True),
        (Role.APPROVER, False),
        (Role.VIEWER, False),
    ],
)
async def test_card_numbers_and_preimages_follow_the_role(
    shop: Shop, past: Past, role: Role, sees: bool
) -> None:
    await past.add(a_payout(shop.store, card_id=past.cards[0].id))
    async with client_of(shop, role) as client:
        answer = await client.get(EXPORT, params={"format": "csv"})

    lines = csv_rows(answer.content)
    assert (past.uids[0] in answer.text) is sees
    assert ("preimage" in lines[0]) is sees


async def test_another_store_is_never_in_the_file(shop: Shop, past: Past) -> None:
    made = await shop.container.stores.init(OTHER, DatabaseKind.REAL)
    other = await shop.container.stores.read(made.store_id)
    assert other is not None
    async with client_of(Shop(shop.container, shop.clock, other)) as client:
        answer = await client.get(EXPORT, params={"format": "json"})

    assert answer.json()["items"] == []


async def test_a_third_export_has_to_wait(
    client: httpx.AsyncClient, shop: Shop, past: Past
) -> None:
    order = ExportOrder(shop.store, PayoutFilter(), ExportFormat.CSV, ALICE)
    running = [shop.container.exports.start(order) for _ in range(AT_ONCE)]

    refused = await client.get(EXPORT, params={"format": "csv"})
    for export in running:
        export.close()
    await slots_are_free(shop.container.exports)
    allowed = await client.get(EXPORT, params={"format": "csv"})

    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) > 0
    assert refused.json()["code"] == "rate_limited"
    assert allowed.status_code == 200


class Line:
    """A client at the other end, which may hang up or stop reading after some chunks."""

    def __init__(self, *, leaves_after: int | None = None, stalls_after: int | None = None) -> None:
        self.sent: list[Message] = []
        self._leaves_after = leaves_after
        self._stalls_after = stalls_after
        self._gone = asyncio.Event()

    async def receive(self) -> Message:
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        self.sent.append(message)
        bodies = sum(sent["type"] == "http.response.body" for sent in self.sent)
        if bodies == self._leaves_after:
            self._gone.set()
        if bodies == self._stalls_after:
            await asyncio.Event().wait()

    @property
    def is_whole(self) -> bool:
        return bool(self.sent) and self.sent[-1].get("more_body") is False


SCOPE = {"type": "http", "asgi": {"spec_version": "2.3"}, "method": "GET", "headers": []}


def export_of(shop: Shop, form: ExportFormat = ExportFormat.CSV) -> Export:
    return shop.container.exports.start(ExportOrder(shop.store, PayoutFilter(), form, ALICE))


async def test_a_client_that_leaves_ends_the_work(shop: Shop, past: Past) -> None:
    await past.grow(2_000, seed=2)
    line = Line(leaves_after=2)

    await Download(export_of(shop))(SCOPE, line.receive, line.send)

    await slots_are_free(shop.container.exports)
    assert not line.is_whole
    assert len(line.sent) < 6


async def test_a_client_that_leaves_before_the_first_byte_ends_the_work(
    shop: Shop, past: Past
) -> None:
    line = Line()
    line._gone.set()

    await Download(export_of(shop))(SCOPE, line.receive, line.send)

    await slots_are_free(shop.container.exports)
    assert line.sent == []


async def test_a_client_that_stops_reading_is_cut_off(shop: Shop, past: Past) -> None:
    line = Line(stalls_after=1)

    await Download(export_of(shop), stall_s=0.05)(SCOPE, line.receive, line.send)

    await slots_are_free(shop.container.exports)
    assert not line.is_whole


async def test_a_failure_before_the_first_byte_is_an_answer(
    client: httpx.AsyncClient, shop: Shop, past: Past
) -> None:
    folder = shop.container.exports.folder
    shop.container.exports.folder = folder / "payouts.db" / "nowhere"
    (folder / "payouts.db").touch()

    answer = await client.get(EXPORT, params={"format": "csv"})

    assert answer.status_code == 503
    assert answer.json()["code"] == "unavailable"
    await slots_are_free(shop.container.exports)


async def test_a_browser_fetches_what_its_page_began(shop: Shop, past: Past) -> None:
    shop.container.kind = DatabaseKind.DEMO
    visitor = Actor(ActorKind.PERSON, "demo")
    order = ExportOrder(shop.store, PayoutFilter(), ExportFormat.JSON, visitor)
    ticket = await shop.container.exports.offer(order)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app_of(shop)), base_url="http://localhost"
    ) as browser:
        file = await browser.get(f"/exports/{ticket}")
        again = await browser.get(f"/exports/{ticket}")

    assert json_object(file.content)["totals"]["total"]["count"] == 60
    assert file.headers["content-disposition"].startswith("attachment")
    assert again.status_code == 404


async def test_a_ticket_without_a_session_opens_nothing(shop: Shop, past: Past) -> None:
    order = ExportOrder(shop.store, PayoutFilter(), ExportFormat.JSON, ALICE)
    ticket = await shop.container.exports.offer(order)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app_of(shop)), base_url="http://localhost"
    ) as browser:
        answer = await browser.get(f"/exports/{ticket}")

    assert answer.status_code == 401
    shop.container.exports._withdraw(ticket)
