"""Settings of a store: its name and days, and its connection to Flash."""

from __future__ import annotations

from dataclasses import dataclass

from nicegui import background_tasks, html, ui

from app.connecting import operators_store
from app.pages.connection import connection_of
from app.pages.follower import Follower
from app.pages.password_again import SureDialog, password_fields, take_password
from app.pages.people import errors_of
from app.pages.standing_board import Standing
from app.pages.visit import Place, View, Visit
from app.settings import PREFIX, is_loopback
from components.connection_panel import ConnectionPanel, ConnectionSign
from components.form_dialog import Field, FormDialog, Values
from components.room_panel import Button, RoomPanel
from models.errors import GatewayError, RuleError, ServiceError
from models.flash import ENVIRONMENT, ConnectionTest, CredentialKind, FlashConnection
from models.permission import Permission
from models.store import DatabaseKind

_KINDS = (
    (str(CredentialKind.TOKEN), "Token of a session: payouts and live account events"),
    (str(CredentialKind.API_KEY), "API key: payouts, no live account events"),
)
_SCOPES = "An API key needs read_user, write_wallet and read_transactions."
_CURRENCY = (
    "The currency stays: every amount of this store was counted in it. "
    "For another currency, make another store."
)
_PLACE = "Where Flash is reached is the operator's to say, in the settings of the service."


@dataclass(frozen=True, slots=True)
class _Question:
    """What this page follows; lists that show alike share a board."""

    name: str = "settings"


class SettingsPage:
    """The store's own words, and how it reaches its wallet."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self._store = visit.store
        with html.div().classes("fp-rooms-two"):
            self._store_panel = RoomPanel("Store", "store")
            with html.div().classes("fp-column"):
                self._flash = ConnectionPanel(visit.store.time_zone)
        self._change_form = FormDialog("Change the store", "Save", self._change)
        self._enter_form = FormDialog("Connect a Flash wallet", "Test and keep", self._enter)
        self._sure = SureDialog(visit, Permission.SETTINGS)
        self._follower: Follower[ConnectionSign] = Follower(
            visit, _Question(), self._read, self._show
        )
        self._show_store()

    async def connected(self) -> None:
        """Begin to follow how the connection is."""
        await self._follower.join()

    def gone(self) -> None:
        """Stop following."""
        self._follower.leave()

    def show_standing(self, standing: Standing) -> None:
        """Take how the store stands; the connection is read for itself."""

    def _show_store(self) -> None:
        store = self._store
        facts = {
            "Name": (store.name, "strong"),
            "Time zone": (store.time_zone, ""),
            "Currency": (store.currency, ""),
        }
        self._store_panel.show(facts, _CURRENCY, (("Change", self._ask_change),))

    async def _read(self) -> ConnectionSign:
        container, store = self._visit.container, self._visit.store
        wallet = await container.wallets.read(store.id)
        kept = await container.connections.of(store.id)
        operators = operators_store(container, await container.stores.all())
        is_operators = operators is not None and operators.id == store.id
        return ConnectionSign(
            connection=connection_of(container, wallet),
            wallet=wallet,
            kept=kept,
            is_operators=is_operators,
            url=container.settings.flash_api_url,
        )

    def _show(self, sign: ConnectionSign) -> None:
        now = self._visit.container.clock.utc_now()
        buttons: list[Button] = []
        if sign.is_meant:
            buttons.append(("Test live", self._test))
        if sign.is_operators:
            note = f"The credential comes from {PREFIX}FLASH_TOKEN or {PREFIX}FLASH_API_KEY."
        else:
            word = "Enter another credential" if sign.kept else "Enter a token or API key"
            buttons.append((word, self._ask_credential))
            note = "" if sign.kept else "Without a wallet nothing can be paid."
        if sign.kept is not None and not sign.is_operators:
            buttons.append(("Disconnect", self._ask_disconnect))
        self._flash.show(sign, now, note, buttons)

    async def _ask_change(self) -> None:
        zone = Field(
            "time_zone",
            "Time zone",
            hint="Days and reports follow it, such as Europe/Berlin.",
            value=self._store.time_zone,
        )
        again = await password_fields(self._visit)
        with self._visit.client:
            self._change_form.open((Field("store", "Name", value=self._store.name), zone, *again))

    async def _change(self, values: Values) -> bool:
        visit = self._visit
        try:
            await take_password(visit, Permission.SETTINGS, values)
            caller = await visit.need(Permission.SETTINGS)
            self._store = await visit.container.stores.change(
                *(caller.store_id, values.get("store", ""), values.get("time_zone", "")),
                caller.actor,
            )
        except ServiceError as error:
            self._change_form.show_errors(errors_of(error))
            return False
        # The frame and every page count in the old days until they are built anew.
        ui.navigate.reload()
        return True

    async def _ask_credential(self) -> None:
        hint = f"It is sealed, and never shown again. {_PLACE}"
        again = await password_fields(self._visit)
        with self._visit.client:
            self._enter_form.open(
                (
                    Field("kind", "What it is", "select", _SCOPES, "token", options=_KINDS),
                    Field("credential", "Token or key", "password", hint),
                    *again,
                )
            )

    async def _enter(self, values: Values) -> bool:
        container, store = self._visit.container, self._visit.store
        try:
            await take_password(self._visit, Permission.SETTINGS, values)
            caller = await self._visit.need(Permission.SETTINGS)
            await container.stores.load_keys()
            kind = CredentialKind(values.get("kind", ""))
            connection = container.connections.to(kind, values.get("credential", ""))
            found = await container.connections.test(connection, store.currency)
            self._check_kind(found)
            await container.connections.keep(caller.store_id, kind, connection, found, caller.actor)
        except ValueError:
            self._enter_form.show_errors({"kind": "Choose what it is."})
            return False
        except ServiceError as error:
            self._enter_form.show_errors(errors_of(error))
            return False
        self._flash.show_test(found, is_key=kind is CredentialKind.API_KEY)
        return True

    def _check_kind(self, found: ConnectionTest) -> None:
        """Refuse a wallet of the other kind: play money here, or real money in a demo."""
        container = self._visit.container
        if container.kind is DatabaseKind.DEMO and not found.is_sandbox:
            raise RuleError("This is a demo: it pays through its sandbox only.")
        if found.is_sandbox and not is_loopback(container.settings.host):
            raise RuleError("This is a sandbox: it is for a service on this machine only.")

    async def _test(self) -> None:
        self._flash.show_testing()
        background_tasks.create(self._test_now(), name="test the connection")

    async def _test_now(self) -> None:
        visit, is_key = self._visit, False
        try:
            await visit.need(Permission.SETTINGS, again=False)
            connection = await self._credential()
            is_key = connection.token is None
            found: ConnectionTest | str = await visit.container.connections.test(
                connection, visit.store.currency
            )
        except ServiceError as error:
            found = error.message
        if not visit.client.is_deleted:
            with visit.client:
                self._flash.show_test(found, is_key=is_key)

    async def _credential(self) -> FlashConnection:
        container, store_id = self._visit.container, self._visit.store.id
        connected = container.connected.get(store_id)
        environment = container.settings.flash
        if environment is not None and (connected is None or connected.id == ENVIRONMENT):
            return environment
        kept = await container.connections.of(store_id)
        if kept is None:
            raise GatewayError("No credential is kept.")
        await container.stores.load_keys()
        return container.connections.open(kept)

    async def _ask_disconnect(self) -> None:
        await self._sure.ask(
            "Disconnect the wallet?",
            "Nothing is paid until one is connected again. Payouts on their way stay open: how "
            "they end is seen only then.",
            "Disconnect",
            self._disconnect,
        )

    async def _disconnect(self) -> None:
        try:
            caller = await self._visit.need(Permission.SETTINGS)
            await self._visit.container.connections.drop(caller.store_id, caller.actor)
        except ServiceError as error:
            with self._visit.client:
                ui.notify(error.message, type="warning")


def _build(visit: Visit, names: dict[str, str], query: dict[str, str]) -> View:
    del names, query
    return SettingsPage(visit)


SETTINGS = Place(
    paths=("/settings",),
    title="Settings",
    build=_build,
    permission=Permission.SETTINGS,
    word="Settings",
    icon="settings",
)
