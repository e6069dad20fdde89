"""What is in an exported file, whatever its form: exactly the payouts of its filter."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.answers import to_json
from app.http.payouts import shown
from models.export import ExportFormat
from models.instants import MICROSECOND, iso
from models.money import MAX_MSAT
from models.payout import EvidenceGrade
from models.payout_filter import PayoutFilter
from models.states import PayoutState, PayoutStatus
from services.export_spool import Tally
from services.export_workbook import write_xlsx
from services.payouts import mask_uid
from tests.support.builders import a_payout
from tests.support.clock import NOON
from tests.support.databases import Raw
from tests.support.exported import csv_rows, json_object, xlsx_parts, xlsx_sheets
from tests.support.exporting import exported, order, slots_are_free
from tests.support.past import DANGEROUS, Past, plant_past
from tests.support.shop import Shop

CSV, JSON, XLSX = ExportFormat


@pytest.fixture
async def past(shop: Shop) -> AsyncIterator[Past]:
    planted = await plant_past(shop)
    yield planted
    await slots_are_free(shop.container.exports)


async def listed(
    past: Past, wanted: PayoutFilter, *, shows_all: bool = True
) -> list[dict[str, Any]]:
    """Return what the list of the API shows, all pages of it."""
    before, items = None, []
    while True:
        page = await past.shop.container.payouts.page(
            past.shop.store.id, wanted, 50, before, shows_all=shows_all
        )
        # The risk is no column of a file: it is read off the destination, which is.
        items += [json.loads(to_json(shown(view) | {"risk": None})) for view in page.items]
        before = page.next_before
        if before is None:
            return items


def flat(item: dict[str, Any]) -> dict[str, str]:
    """Return how a payout of the API looks in a CSV file, but for apostrophes."""
    plain: dict[str, Any] = {}
    for name, value in item.items():
        if name == "rate":
            parts = value or dict.fromkeys(("numerator", "denominator", "source", "at"))
            plain |= {f"rate_{part}": found for part, found in parts.items()}
        else:
            plain[name] = value
    return {name: "" if value is None else cell_text(value) for name, value in plain.items()}


def cell_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value) if isinstance(value, dict) else str(value)


def same_text(written: str, meant: str) -> bool:
    if written == meant:
        return True
    if meant[:1] == "{":
        return bool(json.loads(written) == json.loads(meant))
    return written == f"'{meant}"


@st.composite
def filters(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a filter; what depends on the store is drawn as a place in its lists."""
    moments = st.integers(-45 * 96, 96).map(lambda n: NOON + n * timedelta(minutes=15))
    odd = st.integers(-(4 * 10**12), 10**12).map(lambda us: NOON + us * MICROSECOND)
    return {
        "statuses": draw(st.lists(st.sampled_from(PayoutStatus), unique=True, max_size=3)),
        "states": draw(
            st.just([]) | st.lists(st.sampled_from(PayoutState), unique=True, max_size=4)
        ),
        "card": draw(
            st.none() | st.sampled_from(["id0", "id2", "uid1", "alias0", "alias1", "nobody"])
        ),
        "pull": draw(st.none() | st.integers(0, 1)),
        "min_sats": draw(st.none() | st.integers(0, 1_100)),
        "max_sats": draw(st.none() | st.integers(0, 10**6)),
        "q": draw(
            st.none() | st.sampled_from(["coffee", "po_0", "lnb", "=till", "zoë", "alice@", "cak"])
        ),
        "starts_at": draw(st.none() | moments | odd),
        "ends_at": draw(st.none() | moments | odd),
    }


def as_filter(past: Past, drawn: dict[str, Any]) -> PayoutFilter:
    card, pull = drawn["card"], drawn["pull"]
    if card not in {None, "nobody"}:
        number = int(card[-1])
        card = {
            "id": past.cards[number].id,
            "uid": past.uids[number % 2],
            "alias": past.cards[number].alias.upper(),
        }[card[:-1]]
    return PayoutFilter(
        statuses=tuple(drawn["statuses"]),
        states=tuple(drawn["states"]),
        card=card,
        pull_payment_id=None if pull is None else past.pull_payments[pull].id,
        **{name: drawn[name] for name in ("min_sats", "max_sats", "q", "starts_at", "ends_at")},
    )


@pytest.fixture
async def full_past(past: Past) -> Past:
    await past.grow(150)
    return past


@given(drawn=filters())
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), database=None)
async def test_the_file_the_list_and_the_figures_agree_for_any_filter(
    full_past: Past, drawn: dict[str, Any]
) -> None:
    wanted = as_filter(full_past, drawn)

    file = json_object(await exported(full_past, JSON, wanted))

    assert [item | {"risk": None} for item in file["items"]] == await listed(full_past, wanted)
    shop = full_past.shop
    stats = await shop.container.figures.stats(shop.store.id, wanted)
    for name, figure in {"total": stats.total, **stats.by_status}.items():
        mine = [item for item in file["items"] if name in {"total", item["status"]}]
        assert file["totals"][name] == asdict(figure)
        assert figure.count == len(mine)
        assert figure.amount_sats == sum(item["amount_sats"] or 0 for item in mine)


async def test_the_file_is_the_database(full_past: Past, beneath: Raw) -> None:
    file = json_object(await exported(full_past, JSON))

    rows = beneath.rows(
        "SELECT id, amount_sats, state FROM payouts ORDER BY created_at DESC, id DESC"
    )
    assert [(i["id"], i["amount_sats"], i["state"]) for i in file["items"]] == rows


async def test_all_forms_hold_the_same_rows(full_past: Past) -> None:
    items = json_object(await exported(full_past, JSON))["items"]
    lines = csv_rows(await exported(full_past, CSV))
    header, *rows = xlsx_sheets(await exported(full_past, XLSX))["Payouts"]

    assert list(lines[0]) == header == list(flat(items[0]))
    for item, line, row in zip(items, lines, rows[:-1], strict=True):
        meant = flat(item)
        assert all(same_text(line[name], meant[name]) for name in header)
        cells = dict(zip(header, row, strict=False))
        assert all(same_cell(cells.get(name), meant[name], name) for name in header)


def same_cell(cell: Any, meant: str, name: str) -> bool:
    """Tell whether a typed cell of a workbook means the same; its texts need no apostrophe."""
    if cell is None:
        return meant == ""
    if isinstance(cell, datetime):
        return iso(cell) == meant
    if isinstance(cell, bool):
        return meant == ("true" if cell else "false")
    if name == "metadata":
        return bool(json.loads(cell) == json.loads(meant))
    return str(cell) == meant


async def test_the_totals_row_is_the_sum_of_the_rows_above(full_past: Past) -> None:
    sheets = xlsx_sheets(await exported(full_past, XLSX))

    header, *rows, totals = sheets["Payouts"]
    for name in ("amount_sats", "amount_msat", "fee_msat", "debited_nanousd", "value_cents"):
        place = header.index(name)
        column = [row[place] for row in rows if len(row) > place]
        assert int(totals[place]) == sum(int(cell) for cell in column if cell is not None)
    assert totals[0] == "Total"


async def test_the_summary_has_every_day_and_status(full_past: Past) -> None:
    file = json_object(await exported(full_past, JSON))
    summary = xlsx_sheets(await exported(full_past, XLSX))["Summary"]

    about = {row[0]: row[1] for row in summary[:5]}
    assert about["store"] == full_past.shop.store.name
    assert about["filter"] == "{}"
    by_status = {row[0]: row[1:4] for row in summary[7:13]}
    for name, figure in file["totals"].items():
        assert by_status["Total" if name == "total" else name] == list(figure.values())
    header, *days = summary[14:]
    assert header[:4] == ["day", "count", "amount_sats", "value_cents"]
    for place, name in enumerate(("count", "amount_sats", "value_cents"), start=1):
        assert sum(day[place] for day in days) == file["totals"]["total"][name]


async def test_a_sheet_that_is_full_is_continued_on_another(past: Past) -> None:
    await past.grow(5)
    async with past.shop.container.exports.start(order(past, XLSX)) as export:
        await export._read()
        contents = export._contents(Tally(export._sheet.names))
        sheets = xlsx_sheets(b"".join(write_xlsx(contents, sheet_rows=2)))

    assert [len(rows) for rows in sheets.values()][:3] == [3, 3, 3]
    assert list(sheets) == ["Payouts", "Payouts 2", "Payouts 3", "Summary"]
    assert sheets["Payouts 3"][-1][0] == "Total"


@pytest.mark.parametrize("form", ExportFormat)
async def test_a_filter_that_nothing_fits_makes_an_empty_file(
    past: Past, form: ExportFormat
) -> None:
    file = await exported(past, form, PayoutFilter(card="nobody"))

    if form is CSV:
        assert file.count(b"\r\n") == 1
    elif form is JSON:
        assert json_object(file)["items"] == []
    else:
        assert [row[0] for row in xlsx_sheets(file)["Payouts"]] == ["id", "Total"]


async def test_a_spreadsheet_never_takes_a_text_for_a_formula(past: Past) -> None:
    for text in DANGEROUS:
        changes = {"memo": text, "error_message": text, "destination_start": text}
        await past.add(a_payout(past.shop.store, **changes))
    planted = {payout.id: payout.memo for payout in past.payouts}

    lines = csv_rows(await exported(past, CSV))
    file = await exported(past, XLSX)

    for line in lines:
        text = planted[line["id"]]
        assert line["memo"] == line["error_message"] == f"'{text}"
        assert line["destination"].startswith(f"'{text}")
    header, *rows, _ = xlsx_sheets(file)["Payouts"]
    assert {row[0]: row[header.index("memo")] for row in rows} == planted
    assert not [part for part in xlsx_parts(file).values() if "<f>" in part or "hyperlink" in part]


async def test_a_csv_is_marked_for_excel_only_if_asked(past: Past) -> None:
    plain = await exported(past, CSV)
    marked = await exported(past, CSV, for_excel=True)

    assert plain.startswith(b"id,store_id,")
    assert marked == b"\xef\xbb\xbf" + plain


async def test_numbers_that_excel_would_round_are_texts(past: Past) -> None:
    await past.add(
        a_payout(past.shop.store, amount_msat=MAX_MSAT, original_amount=1, value_cents=10**15 - 1)
    )

    header, row, totals = xlsx_sheets(await exported(past, XLSX))["Payouts"]

    cells = dict(zip(header, row, strict=False))
    assert cells["amount_msat"] == str(MAX_MSAT)
    assert cells["value_cents"] == 10**15 - 1
    assert totals[header.index("amount_msat")] == str(MAX_MSAT)


async def test_a_text_too_long_for_a_cell_shows_that_it_is_cut(past: Past) -> None:
    await past.add(a_payout(past.shop.store, memo="x" * 40_000))

    header, row, _ = xlsx_sheets(await exported(past, XLSX))["Payouts"]

    assert row[header.index("memo")] == "x" * 32_766 + "…"


async def test_only_who_may_see_everything_gets_card_numbers_and_preimages(past: Past) -> None:
    card = past.cards[0]
    proven = {"state": PayoutState.COMPLETED, "status": PayoutStatus.COMPLETED}
    proven |= {"evidence": EvidenceGrade.PREIMAGE}
    await past.add(a_payout(past.shop.store, card_id=card.id, **proven), preimage="ab" * 32)

    (whole,) = csv_rows(await exported(past, CSV))
    masked_file = await exported(past, CSV, shows_all=False)
    (masked,) = csv_rows(masked_file)

    assert (whole["boltcard_uid"], whole["preimage"]) == (past.uids[0], "ab" * 32)
    assert masked["boltcard_uid"] == mask_uid(past.uids[0])
    assert "preimage" not in masked
    assert past.uids[0].encode() not in masked_file
    assert whole["boltcard_alias"] == "'=Till 1"
