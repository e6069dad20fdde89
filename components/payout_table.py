"""The payouts of a filter: a grid that is patched row by row, never rebuilt."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nicegui import __version__, app, events, html, ui
from nicegui.dependencies import esm_modules

from components.courier import Courier
from components.payout_row import Row
from components.sheet import Piece, Sheet
from components.theme import GLYPHS
from models.payout_order import PayoutOrder

_SCRIPT = Path(__file__).with_name("assets") / "payout_table.js"
YEAR_S = 365 * 24 * 60 * 60
_SKELETON = "<div class='fp-rows-skeleton' role='status' aria-label='Loading payouts'>{}</div>"
_ORDERS = {
    PayoutOrder.CREATED: "Newest first",
    PayoutOrder.AMOUNT: "Largest first",
    PayoutOrder.COMPLETED: "Latest completed",
}
# What an order leaves out, so that rows and sum are not taken for the same.
_LEFT_OUT = {
    PayoutOrder.CREATED: "",
    PayoutOrder.AMOUNT: "By amount: payouts whose amount is not known yet are not listed.",
    PayoutOrder.COMPLETED: "By completion: only completed payouts are listed.",
}


@dataclass(frozen=True, slots=True)
class TableActions:
    """Whom a table tells what somebody does."""

    open: Callable[[str], Awaitable[None]]
    more: Callable[[], Awaitable[None]]
    pause: Callable[[], Awaitable[None]]
    export: Callable[[str], Awaitable[None]]
    sort: Callable[[PayoutOrder], Awaitable[None]]
    widen: Callable[[], Awaitable[None]]
    retry: Callable[[], Awaitable[None]]


def install_payout_table() -> None:
    """Serve what the table does in the browser to every page; called once, at start-up."""
    # The address changes with the content, so browsers may keep it as long as they like.
    address = f"/table/{hashlib.sha256(_SCRIPT.read_bytes()).hexdigest()[:16]}.js"
    app.add_static_file(local_file=_SCRIPT, url_path=address, max_cache_age=YEAR_S)
    ui.add_head_html(f'<script src="{address}"></script>', shared=True)


class PayoutTable:
    """Shows rows in one of three orders; until there are any it says why there are none."""

    def __init__(self, actions: TableActions, time_zone: str, currency: str) -> None:
        self._actions = actions
        self._shown_total: tuple[int, str] | None = None
        self._is_loading = True
        with html.section().classes("fp-panel fp-payouts").props("aria-label=Payouts"):
            head = Sheet("div", "fp-panel-head").root
            head.add("h2", "fp-h2", "Payouts")
            head.add("span", "fp-gap")
            self._order = _order_choice(head, actions.sort)
            self._pause = head.add("button", "fp-button", "Pause").on("click", actions.pause)
            _export_choice(head, actions.export)
            with html.div().classes("fp-payouts-body"):
                options = _options(time_zone, currency)
                self._grid = ui.aggrid(options, auto_size_columns=False).classes("fp-grid")
                self._empty = _Empty(actions)
            foot = Sheet("div", "fp-panel-foot").root
            self._total = foot.add("span", "num")
            self._left_out = foot.add("span", "fp-left-out")
        self._grid.props('data-testid=payout-table aria-label="Payouts"')
        self._grid.on("cellClicked", self._opened, ["data"])
        self._grid.on("fp-open", self._opened, js_handler="(e) => emit({data: e.data})")
        self._grid.on("fp-more", actions.more, throttle=0.3, js_handler="() => emit()")
        self._grid.on("fp-sort", self._sorted, js_handler="(e) => emit(e.data.sort)")

    def show_early(self, written: str) -> None:
        """Have the page be loaded with rows, as JSON; the browser is not there yet."""
        # As a text: lists in options would be watched for changes, row by row.
        with self._grid.props.suspend_updates():
            options = self._grid.props["options"]
            del options["rowData"], options["loading"]
            options[":rowData"] = written
        self._is_loading = False
        # The grid asks for its library only when it is drawn, which is late.
        ui.add_head_html(f'<link rel="modulepreload" href="{_library()}">')

    def show(self, rows: list[Row]) -> None:
        """Show these rows and no others."""
        self._tell_grid("setGridOption", "rowData", rows)
        if self._is_loading:
            self._is_loading = False
            self._tell_grid("setGridOption", "loading", self._is_loading)

    def show_order(self, order: PayoutOrder) -> None:
        """Show by what the rows are sorted."""
        self._order.set("value", str(order))
        self._left_out.set_text(_LEFT_OUT[order])
        self._grid.client.run_javascript(f"window.fpTable?.showSort({json.dumps(str(order))})")

    def patch(
        self, dropped: list[str], inserted: Sequence[tuple[int, Row]], changed: list[Row]
    ) -> None:
        """Drop rows, put others at their places, from the top, and change some where they are."""
        transaction: dict[str, Any] = {}
        if changed:
            transaction["update"] = changed
        if dropped:
            transaction["remove"] = [{"id": row_id} for row_id in dropped]
        for number, (place, rows) in enumerate(_runs(inserted)):
            added: dict[str, Any] = {"add": rows, "addIndex": place}
            self._tell_grid("applyTransaction", (transaction if number == 0 else {}) | added)
        if transaction and not inserted:
            self._tell_grid("applyTransaction", transaction)

    def append(self, rows: list[Row]) -> None:
        """Add further rows below."""
        if rows:
            self._tell_grid("applyTransaction", {"add": rows})

    def show_empty(self, *, is_empty: bool, is_narrowed: bool, has_others: bool) -> None:
        """Say why there is no row, and what to do next; or say nothing, where there are rows."""
        self._empty.show(is_empty=is_empty, is_narrowed=is_narrowed, has_others=has_others)

    def show_error(self, message: str) -> None:
        """Say what happened instead of showing rows."""
        self._empty.show_error(message)

    def show_total(self, count: int, amount: str) -> None:
        """Show how many payouts the filter has, and their sum with its unit."""
        if self._shown_total != (count, amount):
            self._shown_total = (count, amount)
            noun = "payout" if count == 1 else "payouts"
            self._total.set_text(f"{count:,} {noun} · {amount}")

    def show_counting(self) -> None:
        """Say that the total of what is shown now is not known yet."""
        if self._shown_total is not None:
            self._shown_total = None
            self._total.set_text("Counting…")

    def show_paused(self, is_paused: bool) -> None:
        """Show whether the rows are held still."""
        self._pause.set_text("Resume" if is_paused else "Pause")
        self._pause.set("aria-pressed", "true" if is_paused else "false")

    def show_waiting(self, count: int) -> None:
        """Show how many new payouts wait behind the pause."""
        if count:
            self._pause.set_text(f"Resume · {count:,} waiting")

    def _tell_grid(self, method: str, *args: Any) -> None:
        Courier.of(self._grid.client).call(self._grid.id, "run_grid_method", method, *args)

    async def _opened(self, event: events.GenericEventArguments) -> None:
        found = (event.args.get("data") or {}).get("id")
        if isinstance(found, str):
            await self._actions.open(found)

    async def _sorted(self, event: events.GenericEventArguments) -> None:
        if event.args in tuple(PayoutOrder):
            await self._actions.sort(PayoutOrder(event.args))


def _library() -> str:
    key = next(key for key, module in esm_modules.items() if module.name == "nicegui-aggrid")
    return f"/_nicegui/{__version__}/esm/{key}/index.js"


class _Empty:
    """What stands in the rows' place."""

    def __init__(self, actions: TableActions) -> None:
        self._shown: tuple[str, ...] = ()
        self._box = Sheet("div", "fp-empty hidden", role="status").root
        self._title = self._box.add("strong")
        self._words = self._box.add("p")
        self._first = self._box.add("div", "fp-empty-acts")
        for address, word in (
            ("/pull-payments", "Make a pull payment"),
            ("/boltcards", "Add a Boltcard"),
        ):
            self._first.add("a", "fp-button", word, href=address, data_go="")
        self._widen = self._box.add("button", "fp-button", "Clear the filter")
        self._widen.on("click", actions.widen)
        self._retry = self._box.add("button", "fp-button", "Try again").on("click", actions.retry)

    def show(self, *, is_empty: bool, is_narrowed: bool, has_others: bool) -> None:
        if not is_empty:
            self._say("")
        elif is_narrowed:
            self._say("Nothing matches", "No payout fits this filter.", "widen")
        elif has_others:
            self._say("Nothing to list yet", "No payout has a place in this order yet.")
        else:
            self._say(
                "No payouts yet",
                "Make a pull payment for people to claim from, or add a card for them to tap."
                " Payouts appear here as they happen.",
                "first",
            )

    def show_error(self, message: str) -> None:
        self._say("Payouts cannot be shown", message, "retry")

    def _say(self, title: str, words: str = "", act: str = "") -> None:
        if self._shown == (title, words, act):
            return
        self._shown = (title, words, act)
        self._title.set_text(title)
        self._words.set_text(words)
        self._first.set_visibility(act == "first")
        self._widen.set_visibility(act == "widen")
        self._retry.set_visibility(act == "retry")
        self._box.set_visibility(bool(title))


def _runs(inserted: Sequence[tuple[int, Row]]) -> list[tuple[int, list[Row]]]:
    """Return rows that stand next to each other together, with the place of the first."""
    found: list[tuple[int, list[Row]]] = []
    for place, row in inserted:
        if found and found[-1][0] + len(found[-1][1]) == place:
            found[-1][1].append(row)
        else:
            found.append((place, [row]))
    return found


def _order_choice(into: Piece, on_sort: Callable[[PayoutOrder], Awaitable[None]]) -> Piece:
    box = into.add("select", "fp-control", aria_label="Order", data_testid="sort")
    for order, words in _ORDERS.items():
        box.add("option", "", words, value=str(order))

    async def chosen(event: events.GenericEventArguments) -> None:
        if event.args in tuple(PayoutOrder):
            await on_sort(PayoutOrder(event.args))

    return box.on("change", chosen)


def _export_choice(into: Piece, on_export: Callable[[str], Awaitable[None]]) -> None:
    said = {"aria_label": "Export", "data_testid": "export", "data_act": ""}
    box = into.add("select", "fp-control", **said)
    box.add("option", "", "Export…", value="")
    for name in ("csv", "xlsx", "json"):
        box.add("option", "", name.upper(), value=name)

    async def chosen(event: events.GenericEventArguments) -> None:
        if isinstance(event.args, str) and event.args:
            await on_export(event.args)

    box.on("change", chosen)


def _options(time_zone: str, currency: str) -> dict[str, Any]:
    return {
        "columnDefs": _columns(json.dumps(time_zone), currency),
        "rowData": [],
        "loading": True,
        "overlayLoadingTemplate": _SKELETON.format("<div></div>" * 8),
        "suppressNoRowsOverlay": True,
        ":getRowId": "p => p.data.id",
        ":onGridReady": "p => fpTable.ready(p)",
        ":onGridSizeChanged": "p => fpTable.fit(p)",
        ":rowClassRules": "{'fp-new': p => p.data.fresh}",
        ":onBodyScrollEnd": "p => fpTable.scrolled(p)",
        ":onCellKeyDown": "p => fpTable.key(p)",
        ":rowHeight": "fpTable.height('rowHeight')",
        ":headerHeight": "fpTable.height('headerHeight')",
        "cellFlashDuration": 900,
        "animateRows": False,
        "tooltipShowDelay": 400,
        # Read aloud in the order that is seen.
        "ensureDomOrder": True,
        "suppressColumnVirtualisation": True,
        "defaultColDef": {
            "enableCellChangeFlash": True,
            "sortable": False,
            "suppressMovable": True,
            "resizable": True,
        },
    }


def _columns(zone: str, currency: str) -> list[dict[str, Any]]:
    glyphs = json.dumps(GLYPHS)
    time = {
        ":valueFormatter": f"fpTable.time({zone})",
        ":tooltipValueGetter": f"fpTable.fullTime({zone})",
        "cellClass": "num soft",
        "width": 134,
    }
    right = {"cellClass": "num ag-right-aligned-cell", "type": "rightAligned"}
    columns: list[dict[str, Any]] = [
        {"colId": "phone", ":cellRenderer": f"fpTable.block({zone}, {glyphs})", "flex": 1},
        {"headerName": "Time", "field": "at"} | time | _sorts(PayoutOrder.CREATED),
        {"headerName": "Status", "field": "status", "width": 122, "tooltipField": "state"}
        | {":valueFormatter": f"fpTable.status({glyphs})"}
        | {":cellClass": "p => 'is-' + p.value + ' strong'"},
        {"headerName": "Amount, sats", "field": "amount", ":valueFormatter": "fpTable.number"}
        | {"width": 122, "headerClass": "right"}
        | (right | {"cellClass": "num strong ag-right-aligned-cell"})
        | _sorts(PayoutOrder.AMOUNT),
        {"headerName": f"Worth, {currency}", "field": "worth", "width": 104} | _dashed() | right,
        {"headerName": "Fee, sats", "field": "fee", "width": 88} | _dashed() | right,
        {"headerName": "Card", "field": "card", "flex": 2, "minWidth": 110},
        {"headerName": "Pull payment", "field": "pull", "flex": 2, "minWidth": 110},
        {"headerName": "Memo", "field": "memo", "flex": 3, "minWidth": 120, "cellClass": "soft"}
        | {"tooltipField": "memo"},
        {"headerName": "Completed", "field": "completed"} | time | _sorts(PayoutOrder.COMPLETED),
        {"headerName": "Payout", "field": "id", "width": 142, ":cellRenderer": "fpTable.id"},
    ]
    # Known before the grid is drawn, so that it is drawn once.
    for column in columns:
        column[":hide"] = f"fpTable.hides({json.dumps(column.get('colId') or column['field'])})"
    return columns


def _sorts(order: PayoutOrder) -> dict[str, Any]:
    return {":headerComponent": "fpTable.Header", "headerComponentParams": {"sort": str(order)}}


def _dashed() -> dict[str, str]:
    return {":valueFormatter": "p => p.value == null ? '–' : p.value"}
