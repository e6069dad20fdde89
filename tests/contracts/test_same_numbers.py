"""Screen, API, export and database tell the same numbers, whatever is asked."""

from __future__ import annotations

import csv
import io
from collections import Counter
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from app.http.filters import FilterQuery, read_filter
from app.pages.payout_board import PayoutReader, Wanted
from components.filter_bar import FIELDS
from components.payout_row import row_of
from components.unit import SATS
from models.export import ExportFormat
from models.states import PayoutStatus
from tests.support.api import Api, api_of
from tests.support.databases import Raw
from tests.support.exported import json_object, xlsx_sheets
from tests.support.exporting import exported
from tests.support.past import Past, plant_past
from tests.support.shop import Shop

Sums = dict[str, tuple[int, int]]
HOW_MANY = 400

# Each as it stands in an address, and the same question asked of the database by hand.
QUESTIONS: dict[str, tuple[dict[str, str], str]] = {
    "all": ({}, "TRUE"),
    "a status": ({"status": "completed,failed"}, "status IN ('completed', 'failed')"),
    "an exact state": ({"state": "needs_review"}, "state = 'needs_review'"),
    "days": (
        {"from": "2026-11-01", "to": "2026-11-12"},
        "created_at >= {start} AND created_at < {end}",
    ),
    "a card": ({"card": "Zoë"}, "card_id = '{card}'"),
    "a pull payment": ({"pull_payment": "{pull_payment}"}, "pull_payment_id = '{pull_payment}'"),
    "amounts": ({"min_sats": "21", "max_sats": "5000"}, "amount_sats BETWEEN 21 AND 5000"),
    "status and days": (
        {"status": "completed", "from": "2026-11-01", "to": "2026-11-12"},
        "status = 'completed' AND created_at >= {start} AND created_at < {end}",
    ),
}


def summed(rows: list[tuple[str, int | None]]) -> Sums:
    counts: Counter[str] = Counter()
    sats: Counter[str] = Counter()
    for status, amount_sats in rows:
        for name in (status, "total"):
            counts[name] += 1
            sats[name] += amount_sats or 0
    return {name: (counts[name], sats[name]) for name in counts}


def by_hand(beneath: Raw, past: Past, condition: str) -> Sums:
    zone = ZoneInfo(past.shop.store.time_zone)
    names = {
        "start": int(datetime(2026, 11, 1, tzinfo=zone).timestamp()) * 10**6,
        "end": int(datetime(2026, 11, 13, tzinfo=zone).timestamp()) * 10**6,
        "card": past.cards[1].id,
        "pull_payment": past.pull_payments[0].id,
    }
    query = f"SELECT status, amount_sats FROM payouts WHERE {condition.format(**names)}"
    return summed([(str(status), sats) for status, sats in beneath.rows(query)])


def of_stats(stats: dict[str, Any]) -> Sums:
    names = ("total", *map(str, PayoutStatus))
    figures = {name: (stats[name]["count"], stats[name]["amount_sats"]) for name in names}
    return {name: figure for name, figure in figures.items() if figure[0]}


async def on_screen(past: Past, query: dict[str, str]) -> tuple[Sums, list[dict[str, Any]]]:
    """Return what the page's own board reads for the same address."""
    assert set(query) <= set(FIELDS)
    wanted = read_filter(FilterQuery.model_validate(query), past.shop.store)
    reader = PayoutReader(past.shop.container, past.shop.store, Wanted(wanted))
    snapshot = await reader.follow(await reader.read(None))
    assert snapshot is not None
    assert snapshot.stats is not None
    figures = {str(status): figure for status, figure in snapshot.stats.by_status.items()}
    figures["total"] = snapshot.stats.total
    sums = {name: (f.count, f.amount_sats) for name, f in figures.items() if f.count}
    return sums, [row_of(view, SATS) for view in snapshot.rows]


@pytest.fixture
async def past(shop: Shop) -> Past:
    planted = await plant_past(shop)
    await planted.grow(HOW_MANY)
    return planted


async def test_every_door_tells_the_same_numbers(past: Past, beneath: Raw) -> None:
    async with api_of(past.shop) as api:
        for name, (asked, condition) in QUESTIONS.items():
            pull_payment = past.pull_payments[0].id
            query = {key: text.format(pull_payment=pull_payment) for key, text in asked.items()}
            expected = by_hand(beneath, past, condition)
            assert expected, name

            assert await of_api(api, query, expected) == expected, name
            screen, rows = await on_screen(past, query)
            assert screen == expected, name
            assert await of_files(past, query, rows) == [expected] * 3, name


async def of_api(api: Api, query: dict[str, str], expected: Sums) -> Sums:
    stats = of_stats(await api.get("stats", **query))
    items = await api.pages("payouts", limit=200, **query)
    assert summed([(item["status"], item["amount_sats"]) for item in items]) == expected
    if not query:
        trend = await api.get("timeline", days=60, bucket="day")
        figures = [
            (str(status), bucket[str(status)]["amount_sats"])
            for bucket in trend["items"]
            for status in PayoutStatus
        ]
        assert summed(figures)["total"][1] == expected["total"][1]
    return stats


async def of_files(past: Past, query: dict[str, str], rows: list[dict[str, Any]]) -> list[Sums]:
    wanted = read_filter(FilterQuery.model_validate(query), past.shop.store)
    table = io.StringIO((await exported(past, ExportFormat.CSV, wanted)).decode(), newline="")
    as_csv = list(csv.DictReader(table))
    # The rows on the screen are the first of the file, in the same order.
    assert [row["id"] for row in rows] == [row["id"] for row in as_csv[: len(rows)]]
    as_json = json_object(await exported(past, ExportFormat.JSON, wanted))["items"]
    sheet = xlsx_sheets(await exported(past, ExportFormat.XLSX, wanted))["Payouts"]
    status, sats = sheet[0].index("status"), sheet[0].index("amount_sats")
    *listed, foot = [pad(row, max(status, sats)) for row in sheet[1:]]
    as_xlsx = summed([(row[status], row[sats]) for row in listed])
    assert foot[sats] == as_xlsx["total"][1]
    return [
        summed([(row["status"], int(row["amount_sats"] or 0)) for row in as_csv]),
        summed([(row["status"], row["amount_sats"]) for row in as_json]),
        as_xlsx,
    ]


def pad(row: list[Any], place: int) -> list[Any]:
    return row + [None] * (place + 1 - len(row))
