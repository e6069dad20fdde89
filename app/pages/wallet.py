"""The wallet's page: balance and its history, gate, connection, books, prices, checks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from nicegui import background_tasks, html, ui

from app.container import Container
from app.pages.follower import Follower
from app.pages.password_again import SureDialog, password_fields, take_password
from app.pages.payout_acts import PayoutActs
from app.pages.people import errors_of
from app.pages.standing_board import Standing
from app.pages.visit import Place, View, Visit
from app.pages.wallet_check import WalletCheck
from components.balance_chart import BalanceChart
from components.check_panel import CheckPanel
from components.form_dialog import Field, FormDialog, Values
from components.gate_panel import GateActs, GatePanel
from components.wallet_books import AlarmList, BookList, ExtraList, ProposalList
from components.wallet_panel import WalletPanel
from components.wallet_rates import RateList
from models.balance import BalanceLine, BalanceSpan
from models.errors import ServiceError
from models.events import CardChanged, PayoutChanged, PullPaymentChanged
from models.permission import Permission
from models.reconciliation import Difference
from models.store import Actor, Store
from models.wallet import RECOVERY
from models.wallet_sheet import RateSign, WalletSheet

EXTRAS_BACK = timedelta(days=35)
BOOKS = 20
# The balance is another one only when Flash was asked.
UNMOVED_BY = (CardChanged, PayoutChanged, PullPaymentChanged)
DOLLAR = "USD"
_OPENS = (
    "Approved payouts are sent again at once. What is unknown stays unknown until it is looked up "
    "or resolved."
)
_OPENS_A_COPY = (
    "Flash's list since the copy was read. Payouts that a debit could be stay held until a person "
    "decides, the others of the copy for a day; what is new is sent at once."
)
_UNREAD = "Flash's list was not read yet"
_REASON = Field(
    "reason",
    "Why can it not wait?",
    "textarea",
    hint="This is a restored copy. Until Flash's list since then has been read whole, nobody knows "
    "what was paid already. The record keeps what you say here.",
)


@dataclass(frozen=True, slots=True)
class _Question:
    """What the page asks; all who look at a store's wallet share a board."""

    page: str = "wallet"
    span: BalanceSpan | None = None


class WalletPage:
    """The wallet, live."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        zone, caller = visit.store.time_zone, visit.caller
        self._acts = PayoutActs(visit, self._again)
        acts = GateActs(
            open_gate=self._ask_open if caller.may(Permission.RESUME) else None,
            stop=self._stop if caller.may(Permission.STOP) else None,
            resume=self._resume if caller.may(Permission.RESUME) else None,
        )
        decides = caller.may(Permission.RESOLVE)
        self._alarms = AlarmList(zone)
        self._proposals = ProposalList(zone, self._accept if decides else None)
        with html.div().classes("fp-standing"):
            self._wallet = WalletPanel(zone)
            checks = self._check_now if caller.may(Permission.INTERVENE) else None
            self._checks = CheckPanel(zone, checks, self._ask_seen if decides else None)
        self._check = WalletCheck(visit, self._checks, self._again)
        self._chart = BalanceChart(zone, self._look_back)
        with html.div().classes("fp-standing"):
            self._gate = GatePanel(zone, acts)
            with html.div().classes("fp-column"):
                self._rates = RateList()
                self._extras = ExtraList(zone)
        self._books = BookList(zone)
        self._sure = SureDialog(visit, Permission.RESUME)
        self._unread = FormDialog(_UNREAD, "Open it unread", self._open_unread)
        self._follower: Follower[WalletSheet] = Follower(visit, _Question(), self._read, self._show)
        self._line = self._follow_line()

    async def connected(self) -> None:
        """Begin to follow, or begin anew after a gap."""
        await self._follower.join()
        await self._line.join()

    def gone(self) -> None:
        """Stop following."""
        self._follower.leave()
        self._line.leave()

    def show_standing(self, standing: Standing) -> None:
        """Show how the wallet and its connection stand."""
        self._wallet.show(standing.funds)
        now, unsettled = self._visit.container.clock.utc_now(), standing.funds.unsettled.count
        self._gate.show(standing.wallet, standing.attention, standing.connection, unsettled, now)

    async def _read(self) -> WalletSheet:
        return await read_sheet(self._visit.container, self._visit.store)

    def _show(self, sheet: WalletSheet) -> None:
        now = sheet.as_of
        self._alarms.show(sheet.alarms, now)
        self._proposals.show(sheet.proposals, now)
        self._rates.show(sheet.rates, now)
        self._checks.show(sheet.checked, now)
        self._extras.show(sheet.extras, now)
        self._books.show(sheet.books, now)

    def _follow_line(self) -> Follower[BalanceLine]:
        wallets, span = self._visit.container.wallets, self._chart.span

        async def read() -> BalanceLine:
            return await wallets.balances(self._visit.store.id, span)

        question = _Question("balance", span)
        return Follower(self._visit, question, read, self._chart.show, UNMOVED_BY)

    def _look_back(self) -> None:
        self._line.leave()
        self._line = self._follow_line()
        background_tasks.create(self._line.join(), name="look further back")

    async def _check_now(self) -> None:
        await self._check.now()

    async def _ask_seen(self, difference: Difference) -> None:
        await self._check.ask_seen(difference)

    async def _again(self) -> None:
        sheet = await self._read()
        with self._visit.client:
            self._show(sheet)

    async def _ask_open(self) -> None:
        wallets, store_id = self._visit.container.wallets, self._visit.store.id
        if await wallets.is_unread(store_id):
            fields = await password_fields(self._visit)
            with self._visit.client:
                self._unread.open((_REASON, *fields))
            return
        is_copy = (await wallets.read(store_id)).gate_reason == RECOVERY
        words = _OPENS_A_COPY if is_copy else _OPENS
        await self._sure.ask("Open the gate?", words, "Open it", self._open)

    async def _open_unread(self, values: Values) -> bool:
        try:
            await take_password(self._visit, Permission.RESUME, values)
            caller = await self._visit.need(Permission.RESUME, again=True)
            reason = values.get("reason", "")
            await self._visit.container.wallets.open_gate(caller.store_id, caller.actor, reason)
        except ServiceError as error:
            self._unread.show_errors(errors_of(error))
            return False
        return True

    async def _open(self) -> None:
        await self._do(Permission.RESUME, "open_gate", again=True)

    async def _stop(self) -> None:
        await self._do(Permission.STOP, "stop")

    async def _resume(self) -> None:
        await self._do(Permission.RESUME, "resume")

    async def _do(self, permission: Permission, act: str, *, again: bool | None = None) -> None:
        wallets = self._visit.container.wallets
        todo: dict[str, Callable[[str, Actor], Awaitable[object]]] = {
            "open_gate": wallets.open_gate,
            "stop": wallets.stop,
            "resume": wallets.resume,
        }
        try:
            caller = await self._visit.need(permission, again=again)
            await todo[act](caller.store_id, caller.actor)
        except ServiceError as error:
            with self._visit.client:
                ui.notify(error.message, type="warning")

    async def _accept(self, payout_id: str) -> None:
        try:
            payout = await self._visit.container.payouts.read(self._visit.store.id, payout_id)
            with self._visit.client:
                await self._acts.ask_not_paid(payout)
        except ServiceError as error:
            with self._visit.client:
                ui.notify(error.message, type="warning")


async def read_sheet(container: Container, store: Store) -> WalletSheet:
    """Return what the page shows, as of now."""
    now, engine = container.clock.utc_now(), container.engine
    verdicts = [
        container.rates.verdict(each, now) for each in dict.fromkeys((DOLLAR, store.currency))
    ]
    return WalletSheet(
        books=tuple(await engine.books.history(store.id, BOOKS)),
        extras=tuple(await engine.books.extras(store.id, now - EXTRAS_BACK)),
        proposals=tuple(await engine.books.proposals(store.id)),
        rates=tuple(
            RateSign(each.currency, each.rate, each.reason, each.known) for each in verdicts
        ),
        checked=await engine.night_watch.checked(store.id),
        alarms=tuple(await container.wallets.late_alarms(store.id)),
        as_of=now,
    )


def _build(visit: Visit, names: dict[str, str], query: dict[str, str]) -> View:
    del names, query
    return WalletPage(visit)


WALLET = Place(
    paths=("/wallet",),
    title="Wallet",
    build=_build,
    word="Wallet",
    icon="wallet",
)
