"""Connections to Flash that owners enter: tested live before they are kept, sealed, never shown.

Where they lead to is not theirs to say: the addresses come from the operator's settings.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

from models.errors import GatewayError, InvalidField, NotFoundError, RuleError
from models.flash import (
    ConnectionTest,
    CredentialKind,
    FlashConnection,
    InvoiceStatus,
    KeptConnection,
    SocketState,
)
from models.ids import CONNECTION, Ids
from models.instants import Clock
from models.money import Rate
from models.store import Actor, DatabaseKind
from services.audit import audit
from services.database import Database
from services.flash.client import FlashClient
from services.flash.pace import Pace
from services.flash.public_socket import PublicListeners, PublicSocket
from services.storage import connection as connections
from services.storage import store as stores
from services.storage import wallet as wallets
from services.storage.statement import Transaction
from services.vault import Vault

CREDENTIAL_LIMIT = 4_000
SOCKET_S = 6.0


class Connections:
    """Tests, keeps and forgets the credentials of stores."""

    def __init__(
        self,
        database: Database,
        vault: Vault,
        clock: Clock,
        ids: Ids,
        addresses: tuple[str, str],
    ) -> None:
        self._database = database
        self._vault = vault
        self._clock = clock
        self._ids = ids
        self._addresses = addresses
        # Set after each change, so that whoever connects need not wait for its next look.
        self.changed = asyncio.Event()

    def to(self, kind: CredentialKind, credential: str) -> FlashConnection:
        """Return how Flash is reached with a credential.

        Raises:
            InvalidField: It cannot be one.
        """
        plain, (url, ws_url) = credential.strip(), self._addresses
        # It becomes a header, where nothing but printable ASCII may stand.
        is_fit = plain.isascii() and plain.isprintable() and " " not in plain
        if not 1 <= len(plain) <= CREDENTIAL_LIMIT or not is_fit:
            raise InvalidField("credential", "paste the whole token or key, without blanks")
        if kind is CredentialKind.TOKEN:
            return FlashConnection(url, ws_url, token=plain)
        return FlashConnection(url, ws_url, api_key=plain)

    async def test(self, connection: FlashConnection, currency: str) -> ConnectionTest:
        """Ask Flash for everything that payouts lean on, but send nothing.

        Raises:
            GatewayError: Flash cannot be reached, or refuses the credential.
        """
        loop = asyncio.get_running_loop()
        started, client = loop.time(), FlashClient(connection)
        await client.open()
        try:
            wallet = await client.fetch_wallet()
            took_ms = int((loop.time() - started) * 1000)
            reads_statement = True
            try:
                await client.fetch_statement(wallet.flash_wallet_id, first=1)
            except GatewayError:
                reads_statement = False
            is_sandbox = client.is_sandbox
        finally:
            await client.close()
        answers = await self._socket_answers(connection, currency)
        return ConnectionTest(wallet, is_sandbox, reads_statement, answers, took_ms)

    async def keep(
        self,
        store_id: str,
        kind: CredentialKind,
        connection: FlashConnection,
        found: ConnectionTest,
        actor: Actor,
    ) -> KeptConnection:
        """Keep a credential that was tested, sealed, in place of the one before.

        Raises:
            RuleError: It is of another wallet, while payouts of the one before are on their way;
                or of play money where real money was paid, or the other way about.
        """
        credential = connection.token or connection.api_key
        assert credential is not None
        connection_id, wallet_id = self._ids.new(CONNECTION), found.wallet.flash_wallet_id
        sealed = self._vault.of(store_id).seal_text(credential, _place(connection_id))

        def keep(tx: Transaction) -> KeptConnection:
            _check_kind(tx, found)
            # Locked: a send that begins now waits, and then finds that its fence is over.
            now, known = self._clock.utc_now(), wallets.lock_wallet(tx, store_id)
            before = None if known is None else known.flash_wallet_id
            is_another = before not in {None, wallet_id}
            if is_another and wallets.are_on_their_way(tx, store_id):
                raise RuleError(
                    "This is another wallet, and payouts of the one before are on their way: only "
                    "its own statement can tell how they end. Wait until none is processing."
                )
            kept = KeptConnection(
                *(store_id, connection_id, kind, sealed, wallet_id, actor.id, now)
            )
            connections.put_connection(tx, kept)
            wallets.depose(tx, store_id)  # whoever works by the old credential, wherever
            after = {"kind": kind, "wallet": wallet_id}
            audit(
                *(tx, store_id, actor, "connection.made"),
                now=now,
                subject_id=connection_id,
                before={"wallet": before},
                after=after,
            )
            return kept

        kept = await self._database.write(keep)
        self.changed.set()
        return kept

    async def drop(self, store_id: str, actor: Actor) -> None:
        """Forget a credential; the worker of the store stops.

        Raises:
            NotFoundError: None is kept.
        """

        def drop(tx: Transaction) -> None:
            kept = connections.read_connection(tx, store_id)
            if kept is None or not connections.drop_connection(tx, store_id):
                raise NotFoundError("No connection is kept.")
            wallets.depose(tx, store_id)
            before = {"kind": kept.kind, "wallet": kept.flash_wallet_id}
            now = self._clock.utc_now()
            audit(
                *(tx, store_id, actor, "connection.ended"),
                now=now,
                subject_id=kept.id,
                before=before,
            )

        await self._database.write(drop)
        self.changed.set()

    async def of(self, store_id: str) -> KeptConnection | None:
        """Return what is kept for a store."""
        return await self._database.read(connections.read_connection, store_id)

    async def all(self) -> list[KeptConnection]:
        """Return what is kept for all stores."""
        return await self._database.read(connections.read_connections)

    def open(self, kept: KeptConnection) -> FlashConnection:
        """Return how Flash is reached with a credential that is kept."""
        sealer = self._vault.of(kept.store_id)
        return self.to(kept.kind, sealer.open_text(kept.credential_sealed, _place(kept.id)))

    async def _socket_answers(self, connection: FlashConnection, currency: str) -> bool:
        """Tell whether prices and statuses arrive live."""
        live = asyncio.Event()

        def changed() -> None:
            if socket.health.state is SocketState.LIVE:
                live.set()

        once = Pace(1, asyncio.get_running_loop().time)
        listeners = PublicListeners(_no_status, _no_price, changed, _no_gap)
        socket = PublicSocket(connection.ws_url, self._clock, once, listeners)
        socket.want(currency)
        async with asyncio.TaskGroup() as group:
            running = group.create_task(socket.run())
            with suppress(TimeoutError):
                async with asyncio.timeout(SOCKET_S):
                    await live.wait()
            running.cancel()
        return live.is_set()


def _check_kind(tx: Transaction, found: ConnectionTest) -> None:
    is_demo = stores.read_kind(tx) is DatabaseKind.DEMO
    if is_demo is found.is_sandbox or not stores.has_payouts(tx):
        return
    if is_demo:
        raise RuleError("Play money was paid from this database: it pays through a sandbox only.")
    raise RuleError("Real money was paid from this database, and this is a sandbox.")


def _place(connection_id: str) -> str:
    return f"flash_connections/{connection_id}/credential"


async def _no_status(_payment_hash: str, _status: InvoiceStatus) -> None:
    """Take no status: a test watches no invoice."""


def _no_price(_rate: Rate) -> None:
    """Take no price: only that there is one counts."""


async def _no_gap() -> None:
    """Catch up with nothing."""
