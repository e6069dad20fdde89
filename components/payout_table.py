"""The newest payouts: a grid that is patched row by row, never rebuilt."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from nicegui import events, html, ui

from components.text import Text
from components.theme import GLYPHS
from models.instants import iso
from models.payout_view import PayoutView

Row = dict[str, Any]
_TIME = (
    "p => p.value ? new Intl.DateTimeFormat(undefined, {month:'short', day:'2-digit',"
    " hour:'2-digit', minute:'2-digit', second:'2-digit', hour12:false}).format("
    "new Date(p.value)) : ''"
)
_NUMBER = "p => p.value == null ? '–' : p.value.toLocaleString('en-US')"
_GLYPH = f"{GLYPHS!r}"
_STATUS = (
    f"p => p.value ? ({_GLYPH})[p.value] + '\\u2002' + p.value[0].toUpperCase()"
    " + p.value.slice(1) : ''"
)
# On a phone each payout is one block of two lines instead of columns.
_PHONE = (
    "p => { const box = document.createElement('div'); box.className = 'fp-block';"
    " const part = (name, text) => { const e = document.createElement('span');"
    " e.className = name; e.textContent = text; box.append(e); };"
    f" const d = p.data, words = {_GLYPH};"
    " part('strong', d.card); part('num strong amount', d.amount == null ? '–'"
    " : d.amount.toLocaleString('en-US') + ' sats');"
    " part('soft num', new Intl.DateTimeFormat(undefined, {month:'short', day:'2-digit',"
    " hour:'2-digit', minute:'2-digit', hour12:false}).format(new Date(d.at))"
    " + (d.memo ? ' · ' + d.memo : ''));"
    " part('is-' + d.status + ' strong', words[d.status] + ' ' + d.status); return box; }"
)
# Near the end of what is here, ask for more; Enter opens the payout in focus.
_MORE = (
    "p => { if (p.api.getLastDisplayedRowIndex() >= p.api.getDisplayedRowCount() - 8)"
    " document.querySelector('[data-testid=payout-table]')"
    ".dispatchEvent(new CustomEvent('fp-more')); }"
)
_ENTER = (
    "p => { if (p.event.key === 'Enter') document.querySelector('[data-testid=payout-table]')"
    ".dispatchEvent(Object.assign(new CustomEvent('fp-open'), {data: {id: p.data.id}})); }"
)
_FIT = (
    "p => { const wide = p.clientWidth, narrow = wide < 640;"
    " if (p.api.fpWidth === wide) return; p.api.fpWidth = wide;"
    " p.api.setColumnsVisible(['phone'], narrow);"
    " p.api.setColumnsVisible(['at', 'status', 'amount', 'card'], !narrow);"
    " p.api.setColumnsVisible(['memo'], wide > 900);"
    " p.api.setColumnsVisible(['state', 'id'], wide > 1100);"
    " p.api.setGridOption('headerHeight', narrow ? 0 : 38);"
    " p.api.setGridOption('rowHeight', narrow ? 62 : 44); p.api.resetRowHeights(); }"
)


class PayoutTable:
    """Shows rows; tells which payout is opened, when older rows are wanted, and of a pause."""

    def __init__(
        self,
        on_open: Callable[[str], Awaitable[None]],
        on_more: Callable[[], Awaitable[None]],
        on_pause: Callable[[], Awaitable[None]],
        on_export: Callable[[str], Awaitable[None]],
    ) -> None:
        self._on_open = on_open
        self._shown_total: tuple[int, str] | None = None
        with html.section().classes("fp-panel").props("aria-label=Payouts"):
            with html.div().classes("fp-panel-head"):
                html.h2("Payouts").classes("fp-h2")
                html.span().classes("fp-gap")
                self._pause = Text("button", "Pause").classes("fp-button")
                self._pause.on("click", on_pause)
                _export_choice(on_export)
            self._grid = ui.aggrid(_options(), auto_size_columns=False).classes("fp-grid")
            with html.div().classes("fp-panel-foot"):
                self._total = Text("span").classes("num")
        self._grid.props('data-testid=payout-table aria-label="Payouts"')
        self._grid.on("cellClicked", self._opened, ["data"])
        self._grid.on("fp-open", self._opened, js_handler="(e) => emit({data: e.data})")
        self._grid.on("fp-more", on_more, throttle=0.3, js_handler="() => emit()")

    def show(self, rows: list[Row]) -> None:
        """Show these rows and no others."""
        self._grid.run_grid_method("setGridOption", "rowData", rows)

    def patch(self, added: list[Row], changed: list[Row], removed: list[str]) -> None:
        """Add rows on top, change others in place, and drop those that fell off the end."""
        transaction: dict[str, Any] = {}
        if added:
            transaction |= {"add": added, "addIndex": 0}
        if changed:
            transaction["update"] = changed
        if removed:
            transaction["remove"] = [{"id": row_id} for row_id in removed]
        if transaction:
            self._grid.run_grid_method("applyTransaction", transaction)

    def append(self, rows: list[Row]) -> None:
        """Add older rows below."""
        if rows:
            self._grid.run_grid_method("applyTransaction", {"add": rows})

    def show_total(self, count: int, amount: str) -> None:
        """Show how many payouts the filter has, and their sum."""
        if self._shown_total != (count, amount):
            self._shown_total = (count, amount)
            self._total.set_text(f"{count:,} payouts · {amount}")

    def show_paused(self, is_paused: bool) -> None:
        """Show whether the rows are held still."""
        self._pause.set_text("Resume" if is_paused else "Pause")
        self._pause.props["aria-pressed"] = "true" if is_paused else "false"

    def show_waiting(self, count: int) -> None:
        """Show how many new payouts wait behind the pause."""
        if count:
            self._pause.set_text(f"Resume · {count:,} waiting")

    async def _opened(self, event: events.GenericEventArguments) -> None:
        found = (event.args.get("data") or {}).get("id")
        if isinstance(found, str):
            await self._on_open(found)


def _export_choice(on_export: Callable[[str], Awaitable[None]]) -> None:
    with html.select().classes("fp-control").props('aria-label="Export" data-testid=export') as box:
        html.option("Export…").props["value"] = ""
        for name in ("csv", "xlsx", "json"):
            html.option(name.upper()).props["value"] = name

    async def chosen(event: events.GenericEventArguments) -> None:
        if isinstance(event.args, str) and event.args:
            await on_export(event.args)

    box.on("change", chosen, js_handler="(e) => { emit(e.target.value); e.target.value = ''; }")


def _options() -> dict[str, Any]:
    return {
        "columnDefs": _columns(),
        "rowData": [],
        ":getRowId": "p => p.data.id",
        ":onGridSizeChanged": _FIT,
        ":rowClassRules": "{'fp-new': p => p.data.fresh}",
        ":onBodyScrollEnd": _MORE,
        ":onCellKeyDown": _ENTER,
        "rowHeight": 44,
        "headerHeight": 38,
        "suppressCellFocus": False,
        "cellFlashDuration": 900,
        "animateRows": False,
        # Read aloud in the order that is seen.
        "ensureDomOrder": True,
        "suppressColumnVirtualisation": True,
        "overlayNoRowsTemplate": "No payouts here. They appear as they happen.",
        "defaultColDef": {
            "enableCellChangeFlash": True,
            "sortable": False,
            "suppressMovable": True,
            "resizable": True,
        },
    }


def row_of(view: PayoutView, *, fresh: bool = False) -> Row:
    """Return a payout as a row of the grid."""
    card = view.boltcard_alias
    if card is None and view.boltcard_uid is not None:
        card = f"{view.boltcard_uid} (said)"
    return {
        "id": view.id,
        "at": iso(view.created_at),
        "status": str(view.status),
        "state": str(view.state).replace("_", " "),
        "amount": view.amount_sats,
        "worth": view.value_cents,
        "card": card or ("Link" if view.kind == "claim" else "–"),
        "memo": view.memo or "",
        "fresh": fresh,
    }


def _columns() -> list[dict[str, Any]]:
    status_class = "p => 'is-' + p.value + ' strong'"
    return [
        {"colId": "phone", ":cellRenderer": _PHONE, "flex": 1, "hide": True},
        {
            "headerName": "Time",
            "field": "at",
            ":valueFormatter": _TIME,
            "width": 160,
            "cellClass": "num soft",
        },
        {
            "headerName": "Status",
            "field": "status",
            ":valueFormatter": _STATUS,
            "width": 138,
            ":cellClass": status_class,
        },
        {
            "headerName": "Amount, sats",
            "field": "amount",
            ":valueFormatter": _NUMBER,
            "width": 130,
            "type": "rightAligned",
            "cellClass": "num strong ag-right-aligned-cell",
        },
        {"headerName": "Card", "field": "card", "flex": 2, "minWidth": 140},
        {"headerName": "Memo", "field": "memo", "flex": 3, "minWidth": 160, "cellClass": "soft"},
        {"headerName": "Exact state", "field": "state", "width": 150, "cellClass": "soft"},
        {"headerName": "Payout", "field": "id", "width": 270, "cellClass": "num soft"},
    ]
