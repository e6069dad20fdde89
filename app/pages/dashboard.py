"""The dashboard: figures and the newest payouts, live."""

from __future__ import annotations

from nicegui import Client, html, ui
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.auth import Caller, Permission
from app.container import Container
from app.live import Boards, Delta, Snapshot
from app.pages.payout_detail import DetailOpener
from app.sessions import caller_of_page
from components.frame import Frame, frame
from components.payout_table import PayoutTable, row_of
from components.summary_cards import SummaryCards
from models.errors import ServiceError
from models.payout_filter import PayoutFilter
from models.store import DatabaseKind, Store
from models.wallet import Gate

ADDRESSES = ("/", "/plugins/flash/payouts", "/plugins/flash/dashboard")
PAYOUT_ADDRESS = "/payouts/{payout_id}"


class DashboardView:
    """One open dashboard: what the board's snapshots are shown with."""

    def __init__(
        self, client: Client, shell: Frame, cards: SummaryCards, table: PayoutTable
    ) -> None:
        self.seen = 0
        self.hidden = False
        self.details: DetailOpener | None = None
        self._client = client
        self._shell = shell
        self._cards = cards
        self._table = table

    @property
    def is_watching(self) -> bool:
        """Tell whether the browser is connected and the tab in sight."""
        return self._client.has_socket_connection and not self.hidden

    def show(self, snapshot: Snapshot) -> None:
        """Show everything."""
        self._show_figures(snapshot, again=True)
        self._table.show([row_of(view) for view in snapshot.rows])

    def patch(self, snapshot: Snapshot, delta: Delta) -> None:
        """Show what changed."""
        self._show_figures(snapshot, again=False)
        self._table.patch(
            [row_of(view, fresh=True) for view in delta.added],
            [row_of(view) for view in delta.changed],
            delta.removed,
        )
        if self.details is not None:
            self.details.payouts_changed({view.id for view in delta.changed})

    def _show_figures(self, snapshot: Snapshot, *, again: bool) -> None:
        wallet = snapshot.wallet
        reason = None
        if wallet.gate is Gate.SHUT:
            reason = "The gate is shut: too much is unknown, so nothing new is sent."
        elif wallet.short_since is not None:
            reason = "The wallet holds less than the approved payouts need."
        self._shell.show_stopped(wallet.stopped_at is not None, reason)
        self._shell.badge.show(str(snapshot.socket), again=again)
        self._cards.show(snapshot.stats)


def register_dashboard(container: Container, boards: Boards) -> None:
    """Have the dashboard served at its addresses."""

    async def dashboard(
        request: Request, client: Client, payout_id: str | None = None
    ) -> Response | None:
        caller = await caller_of_page(request, container)
        if caller is None:
            return RedirectResponse("/login", status_code=303)
        store = await container.stores.read(caller.store_id)
        assert store is not None
        ui.page_title(f"{store.name} · Flash Payouts")
        view = _build(container, caller, store, client)
        wanted = PayoutFilter()

        def watch_visibility() -> None:
            ui.on("fp-hidden", lambda event: _set_hidden(view, event.args))
            ui.run_javascript(
                "document.addEventListener('visibilitychange',"
                " () => emitEvent('fp-hidden', document.hidden))"
            )

        async def connected() -> None:
            view.seen = 0
            await boards.join(store.id, wanted, view)
            if payout_id is not None and view.details is not None:
                await view.details.open(payout_id)

        watch_visibility()
        client.on_connect(connected)
        client.on_delete(lambda: boards.leave(store.id, wanted, view))
        return None

    async def front(request: Request, client: Client) -> Response | None:
        return await dashboard(request, client)

    for address in ADDRESSES:
        ui.page(address)(front)
    ui.page(PAYOUT_ADDRESS)(dashboard)


def _set_hidden(view: DashboardView, hidden: object) -> None:
    view.hidden = bool(hidden)
    if not view.hidden:
        view.seen = 0  # whatever was skipped is shown at the next flush


def _build(container: Container, caller: Caller, store: Store, client: Client) -> DashboardView:
    async def stop() -> None:
        wallet = await container.wallets.read(store.id)
        stopped = wallet.stopped_at is not None
        try:
            caller.need(Permission.RESUME if stopped else Permission.STOP)
            act = container.wallets.resume if stopped else container.wallets.stop
            await act(store.id, caller.actor)
        except ServiceError as error:
            ui.notify(error.message, type="warning")

    on_stop = stop if caller.may(Permission.STOP) else None
    is_demo = container.kind is DatabaseKind.DEMO
    with frame(store.name, is_demo=is_demo, on_stop=on_stop) as shell:
        with html.div():
            html.h1("Payouts").classes("fp-title")
            html.p("Every payout of this store, the newest first.").classes("fp-sub")
        cards = SummaryCards()
        with html.section().classes("fp-panel"):
            html.div("Newest payouts").classes("fp-panel-head")
            details = DetailOpener(container, caller, store, client)
            table = PayoutTable(details.open)
    shell.badge.watch_browser()
    view = DashboardView(client, shell, cards, table)
    view.details = details
    return view
