"""Every act of every page: what it needs, and how somebody's browser would have it done."""

from __future__ import annotations

import base64
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from app.auth import Caller
from app.live import Boards
from app.pages.account import AccountPage
from app.pages.boltcard import BoltcardPage
from app.pages.boltcards import BoltcardsPage
from app.pages.dashboard import Dashboard
from app.pages.export_run import ExportRun
from app.pages.filter_views import FilterViews
from app.pages.keys_panel import KeysPanel
from app.pages.new_payout import NewPayout
from app.pages.payout_acts import NEEDS, PayoutActs
from app.pages.people import PeoplePage
from app.pages.pull_payment import PullPaymentPage
from app.pages.pull_payments import PullPaymentsPage
from app.pages.record import RecordPage
from app.pages.settings import SettingsPage
from app.pages.shell import Shell
from app.pages.store_choice import choose_store
from app.pages.visit import Visit
from app.pages.wallet import WalletPage
from app.sessions import caller_of_standing
from components.once_dialog import OnceDialog
from models.card_link import LinkAction
from models.errors import ServiceError
from models.payout import DestinationKind
from models.payout_act import PayoutAct
from models.payout_request import PayoutRequest
from models.permission import Permission
from models.reconciliation import Difference, Reconciliation, Span
from models.session import SessionKind
from models.states import PayoutState
from models.store import SYSTEM, Role, Store
from services import totp_policy
from services.pull_payments import PullPaymentChange
from services.sessions import Origin
from services.storage import attempt as attempts
from services.storage import reconciliation as reconciliations
from services.storage import session as sessions
from services.storage.statement import Transaction
from services.vault import token_hash
from tests.components.pages import Paper
from tests.support.builders import a_payout, an_attempt, bring
from tests.support.cards import VirtualCard
from tests.support.clock import NOON
from tests.support.invoices import invoice
from tests.support.shop import Shop
from tests.support.visitor import PASSWORD

PAGES = Path("app/pages")
EXTRA = Difference("extra", None, "sr_1", None, 10**9, NOON)
STATES = {
    PayoutAct.RETRY: PayoutState.FAILED,
    PayoutAct.RESOLVE: PayoutState.NEEDS_REVIEW,
    PayoutAct.NOT_PAID: PayoutState.NEEDS_REVIEW,
}


@dataclass(slots=True)
class WatchedVisit(Visit):
    """Notes who asked for a right, and whether it was there."""

    asked: list[tuple[frozenset[str], Permission, bool]] = field(default_factory=list)

    async def need(self, permission: Permission, *, again: bool | None = None) -> Caller:
        askers = _askers()
        try:
            caller = await super(WatchedVisit, self).need(permission, again=again)
        except ServiceError:
            self.asked.append((askers, permission, False))
            raise
        self.asked.append((askers, permission, True))
        return caller


def _askers() -> frozenset[str]:
    """Return the functions of pages that are being run, by the names they have in the tree."""
    found, frame = set(), sys._getframe(1)
    while frame is not None:
        path = Path(frame.f_code.co_filename)
        if path.parent.parts[-2:] == PAGES.parts:
            found.add(f"{path.stem}.{frame.f_code.co_qualname}")
        frame = frame.f_back  # type: ignore[assignment]
    return frozenset(found)


@dataclass
class Things:
    """One thing of each kind in a store, for acts to be tried at."""

    store: Store
    owner_id: str
    pull_id: str
    card_id: str
    payouts: dict[PayoutAct, str]
    member_id: str
    link_id: str
    key: Any
    view_id: str
    session_id: str
    secret: bytes


@dataclass
class Stage:
    """Somebody's open tab, and the things that its acts are aimed at."""

    shop: Shop
    visit: WatchedVisit
    things: Things


@dataclass(frozen=True)
class PageAct:
    """What an act needs, which function asks for it, and how it is done."""

    site: str
    permission: Permission
    do: Callable[[Stage], Awaitable[object]]
    changes: bool = True


ACTS: list[PageAct] = []


def act(site: str, permission: Permission, *, changes: bool = True) -> Any:
    """Put a function into the table."""

    def enter(do: Callable[[Stage], Awaitable[object]]) -> Callable[[Stage], Awaitable[object]]:
        ACTS.append(PageAct(site, permission, do, changes))
        return do

    return enter


async def things_in(shop: Shop, store: Store, owner_id: str) -> Things:
    """Make them."""
    container, doors = shop.container, shop.container.doors
    pull = await shop.pull_payment(auto_approve=False)
    card = await shop.card(VirtualCard(), pull)
    found: dict[PayoutAct, str] = {}

    def make(tx: Transaction) -> None:
        for each in PayoutAct:
            state = STATES.get(each, PayoutState.AWAITING_APPROVAL)
            payout = a_payout(store, destination_kind=DestinationKind.ADDRESS, payment_hash=None)
            place = f"payouts/{payout.id}/destination"
            sealed = container.vault.of(store.id).seal_text("bob@example.com", place)
            found[each] = bring(tx, replace(payout, destination_sealed=sealed), state).id
            if state is PayoutState.NEEDS_REVIEW:
                attempts.add_attempt(tx, an_attempt(payout))

        compared = Reconciliation(
            store.created_at, store.created_at, 0, 0, (EXTRA,), 0, is_whole=True
        )
        reconciliations.keep(tx, store.id, Span.MONTH, compared, store.created_at)

    await container.database.write(make)
    await container.engine.interventions.hold(
        store.id, found[PayoutAct.RELEASE], SYSTEM, reason="Look"
    )
    link, token = await doors.people.invite(store.id, "bob@example.com", Role.VIEWER, SYSTEM)
    member_id = await doors.people.join(token, "another fine 9 lantern", Origin())
    link, _ = await doors.people.invite(store.id, "eve@example.com", Role.VIEWER, SYSTEM)
    await container.stores.create_api_key(store.id, "till", Role.VIEWER, None)
    (key,) = await doors.api_keys.list_of(store.id)
    view = await container.saved_views.save(store.id, owner_id, "Mine", {"status": "failed"})
    await begin_session(shop, owner_id, store)
    other = (await begin_session(shop, owner_id, store)).session
    assert other is not None
    made = await doors.factors.enrol(other)
    secret = base64.b32decode(made.secret + "=" * (-len(made.secret) % 8))
    return Things(
        *(
            store,
            owner_id,
            pull.id,
            card.id,
            found,
            member_id,
            link.id,
            key,
            view.id,
            other.id,
            secret,
        )
    )


async def begin_session(shop: Shop, user_id: str, store: Store) -> Caller:
    """Sign somebody in whose role is there."""
    held = shop.container.doors.sessions
    session, secret = held.new(SessionKind.BROWSER, user_id, store.id, Origin())
    await shop.container.database.write(sessions.add_session, session, token_hash(secret))
    standing = await held.find(secret)
    assert standing is not None
    return caller_of_standing(standing, Origin("203.0.113.7"))


def open_tab(shop: Shop, caller: Caller, store: Store, page: Paper) -> WatchedVisit:
    """Open a tab as the shell does."""
    container = shop.container
    visit = WatchedVisit(
        container, Boards(container.hub), caller, store, page.client, lambda _address: None
    )
    visit.export = ExportRun(container.exports, page.client)
    return visit


_FORM = {"name": "Tips", "amount": "5,000", "currency": "SATS", "auto_approve": "yes"}


@act("pull_payments.PullPaymentsPage._make", Permission.CREATE)
async def make_a_pull_payment(stage: Stage) -> None:
    await PullPaymentsPage(stage.visit)._make(_FORM)


@act("pull_payment.PullPaymentPage._change", Permission.CREATE)
async def replace_a_claim_link(stage: Stage) -> None:
    page = PullPaymentPage(stage.visit, stage.things.pull_id)
    await page._change(PullPaymentChange(new_link=True))


@act("boltcards.BoltcardsPage._make", Permission.CREATE)
async def make_a_card(stage: Stage) -> None:
    values = {"alias": "Bob", "pull_payment_id": stage.things.pull_id}
    await BoltcardsPage(stage.visit)._make(values)


@act("boltcard.BoltcardPage._change", Permission.CREATE)
async def block_a_card(stage: Stage) -> None:
    await BoltcardPage(stage.visit, stage.things.card_id, programs=False)._change(active=False)


@act("boltcard.BoltcardPage._offer_link", Permission.PROGRAM)
async def program_a_card(stage: Stage) -> None:
    page = BoltcardPage(stage.visit, stage.things.card_id, programs=False)
    await page._offer_link(LinkAction.PROGRAM)


@act("boltcard.BoltcardPage._show_keys", Permission.PROGRAM)
async def wipe_a_card(stage: Stage) -> None:
    await BoltcardPage(stage.visit, stage.things.card_id, programs=False)._show_keys()


@act("new_payout.NewPayout._look_at", Permission.CREATE, changes=False)
async def look_at_a_new_payout(stage: Stage) -> None:
    values = {"destination": invoice(stage.shop.clock), "pull_payment": stage.things.pull_id}
    await NewPayout(stage.visit, _look)._look_at(values)


@act("new_payout.NewPayout._make", Permission.CREATE)
async def make_a_payout(stage: Stage) -> None:
    engine, dialog = stage.shop.container.engine, NewPayout(stage.visit, _look)
    wanted = PayoutRequest(invoice(stage.shop.clock), pull_payment_id=stage.things.pull_id)
    preview = await engine.requests.preview(stage.things.store.id, wanted)
    await dialog._make(wanted, preview)


def _act_on_payout(which: PayoutAct) -> Callable[[Stage], Awaitable[object]]:
    async def do(stage: Stage) -> None:
        acts = PayoutActs(stage.visit, _done)
        payout_id = stage.things.payouts[which]
        # What another store's page would be made to show.
        acts._payout = await stage.shop.container.payouts.read(stage.things.store.id, payout_id)
        if which is PayoutAct.HOLD:
            await acts._held({"reason": "Wait"})
        elif which is PayoutAct.RESOLVE:
            await acts._resolved({"outcome": "not_paid", "evidence": "I asked them"})
        elif which is PayoutAct.NOT_PAID:
            await acts._accepted({"evidence": "I asked them"})
        else:
            await acts._do(which, "no")

    return do


_DECIDES = {PayoutAct.HOLD: "_held", PayoutAct.RESOLVE: "_decide", PayoutAct.NOT_PAID: "_decide"}
for _each in PayoutAct:
    _site = f"payout_acts.PayoutActs.{_DECIDES.get(_each, '_do')}"
    act(_site, NEEDS[_each])(_act_on_payout(_each))


@act("shell.Shell._stop", Permission.STOP)
async def stop_from_the_frame(stage: Stage) -> None:
    await Shell(stage.visit, ())._stop()


@act("wallet.WalletPage._do", Permission.STOP)
async def stop_from_the_wallet(stage: Stage) -> None:
    await WalletPage(stage.visit)._stop()


@act("wallet.WalletPage._do", Permission.RESUME)
async def resume_from_the_wallet(stage: Stage) -> None:
    await WalletPage(stage.visit)._resume()


@act("wallet.WalletPage._do", Permission.RESUME)
async def open_the_gate(stage: Stage) -> None:
    await WalletPage(stage.visit)._open()


@act("wallet.WalletPage._open_unread", Permission.RESUME)
async def open_the_gate_unread(stage: Stage) -> None:
    await WalletPage(stage.visit)._open_unread({"reason": "I cannot wait"})


@act("wallet_check.WalletCheck.now", Permission.INTERVENE, changes=False)
async def check_the_wallet(stage: Stage) -> None:
    await WalletPage(stage.visit)._check_now()


@act("wallet_check.WalletCheck._say_seen", Permission.RESOLVE)
async def accept_a_difference(stage: Stage) -> None:
    check = WalletPage(stage.visit)._check
    check._difference = EXTRA
    await check._say_seen({"reason": "I paid the rent by hand"})


@act("dashboard.Dashboard._export", Permission.EXPORT)
async def export(stage: Stage) -> None:
    await Dashboard(stage.visit, {}, None)._export("csv")


@act("filter_views.FilterViews.act", Permission.READ)
async def save_a_view(stage: Stage) -> None:
    await FilterViews(stage.visit, lambda: {"q": "x"}, _look).act("save", "", "Paid")


@act("filter_views.FilterViews.act", Permission.READ)
async def remove_a_view(stage: Stage) -> None:
    await FilterViews(stage.visit, dict, _look).act("remove", stage.things.view_id, "")


@act("record.RecordPage.connected", Permission.AUDIT, changes=False)
async def read_the_record(stage: Stage) -> None:
    await RecordPage(stage.visit, {}).connected()


@act("record.RecordPage._more", Permission.AUDIT, changes=False)
async def read_more_of_the_record(stage: Stage) -> None:
    await RecordPage(stage.visit, {})._more()


@act("people.PeoplePage._make_link", Permission.PEOPLE)
async def invite(stage: Stage) -> None:
    await PeoplePage(stage.visit)._make_link({"email": "new@example.com", "role": "owner"})


@act("people.PeoplePage._change_role", Permission.PEOPLE)
async def change_a_role(stage: Stage) -> None:
    page = PeoplePage(stage.visit)
    members = await stage.shop.container.doors.people.members(stage.things.store.id)
    page._changing = next(each for each in members if each.user_id == stage.things.member_id)
    await page._change_role({"role": "owner"})


@act("people.PeoplePage._take_back", Permission.PEOPLE)
async def take_an_invitation_back(stage: Stage) -> None:
    await PeoplePage(stage.visit)._take_back(stage.things.link_id)


@act("people.PeoplePage._remove", Permission.PEOPLE)
async def remove_a_person(stage: Stage) -> None:
    await PeoplePage(stage.visit)._remove(stage.things.member_id)


@act("keys_panel.KeysPanel._make", Permission.KEYS)
async def make_a_key(stage: Stage) -> None:
    await _keys(stage)._make({"name": "shop", "role": "viewer", "days": "30", "scope.read": "on"})


@act("keys_panel.KeysPanel._replace", Permission.KEYS)
async def replace_a_key(stage: Stage) -> None:
    await _keys(stage)._replace(stage.things.key)


@act("keys_panel.KeysPanel._revoke", Permission.KEYS)
async def revoke_a_key(stage: Stage) -> None:
    await _keys(stage)._revoke(stage.things.key)


@act("settings.SettingsPage._change", Permission.SETTINGS)
async def rename_the_store(stage: Stage) -> None:
    await SettingsPage(stage.visit)._change({"store": "Mine now", "time_zone": "UTC"})


@act("settings.SettingsPage._enter", Permission.SETTINGS)
async def connect_a_wallet(stage: Stage) -> None:
    await SettingsPage(stage.visit)._enter({"kind": "token", "credential": "a-token"})


@act("settings.SettingsPage._test_now", Permission.SETTINGS, changes=False)
async def test_the_wallet(stage: Stage) -> None:
    await SettingsPage(stage.visit)._test_now()


@act("settings.SettingsPage._disconnect", Permission.SETTINGS)
async def disconnect_the_wallet(stage: Stage) -> None:
    await SettingsPage(stage.visit)._disconnect()


@act("account.AccountPage._confirmed", Permission.READ)
async def renew_recovery_codes(stage: Stage) -> None:
    page = AccountPage(stage.visit)
    page._after = page._renew
    await page._confirmed({"password": PASSWORD})


@act("account.AccountPage._end", Permission.READ)
async def end_a_session(stage: Stage) -> None:
    await AccountPage(stage.visit)._end(stage.things.session_id)


@act("account.AccountPage._end_all_others", Permission.READ)
async def end_all_other_sessions(stage: Stage) -> None:
    await AccountPage(stage.visit)._end_all_others()


@act("account.AccountPage._change_password", Permission.READ)
async def change_the_password(stage: Stage) -> None:
    new = {"new": "wonderful brick 7 lamp", "again": "wonderful brick 7 lamp"}
    await AccountPage(stage.visit)._change_password({"password": PASSWORD} | new)


@act("account.AccountPage._code_given", Permission.READ)
async def set_an_authenticator_up(stage: Stage) -> None:
    step = totp_policy.step_of(int(stage.shop.clock.utc_now().timestamp()))
    code = totp_policy.code_at(stage.things.secret, step)
    await AccountPage(stage.visit)._code_given(code)


@act("store_choice.choose_store", Permission.READ, changes=False)
async def go_to_another_store(stage: Stage) -> None:
    await choose_store(stage.visit, stage.things.store.id)


def _keys(stage: Stage) -> KeysPanel:
    return KeysPanel(stage.visit, OnceDialog())


async def _look(_given: object) -> None:
    """Stand in for the page that an act leads to."""


async def _done() -> None:
    """Stand in for the page that is told when an act is done."""
