"""The parts of the money engine that a person or program reaches: requests and interventions."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlsplit

from app.settings import Settings, is_loopback
from app.wires import Wires
from app.workers import Workers
from models.currency import Currency
from models.flash import FlashConnection
from models.ids import Ids
from models.instants import Clock
from services.audits import Audits
from services.bookkeeper import Bookkeeper
from services.books import Books
from services.closed_books import ClosedBooks
from services.currencies import Currencies
from services.database import Database
from services.destinations import Destinations, flash_address_host
from services.epoch import Epochs
from services.flash.client import FlashClient
from services.flash.pace import Pace
from services.interventions import Interventions
from services.night_watch import NightWatch
from services.outbound import Outbound
from services.payout_requests import PayoutRequests
from services.rate_sources import public_sources
from services.rate_watch import RateWatch
from services.rates import Rates
from services.reconciliations import Reconciliations
from services.recovery import Recovery
from services.recovery_review import RecoveryReview
from services.resolver import Resolver
from services.statements import Statements
from services.storage import store as stores
from services.tracking import Tracking
from services.vault import Vault


@dataclass(frozen=True, slots=True)
class Engine:
    """What takes payouts in, resolves their destinations, and lets people intervene."""

    outbound: Outbound
    destinations: Destinations
    requests: PayoutRequests
    resolver: Resolver
    interventions: Interventions
    books: ClosedBooks
    rate_watch: RateWatch
    currencies: Currencies
    reconciliations: Reconciliations
    audits: Audits
    night_watch: NightWatch
    epochs: Epochs
    review: RecoveryReview

    def bookkeeper(
        self, database: Database, clock: Clock, client: FlashClient, pace: Pace, tracking: Tracking
    ) -> Bookkeeper:
        """Return what keeps the books of the wallet that a client reaches."""
        statements = Statements(database, clock, client, pace, tracking)
        return Bookkeeper(database, clock, client, pace, statements, self.books, self.review)


def build_engine(
    settings: Settings,
    database: Database,
    vault: Vault,
    clock: Clock,
    ids: Ids,
    rates: Rates,
    tracking: Tracking,
    workers: Workers,
    *,
    wires: Wires,
) -> Engine:
    """Build the engine's parts on the services that are there."""
    outbound = wires.outbound(_exempt(settings), wires.watch)
    destinations = Destinations(outbound, clock, flash_address_host(settings.flash_api_url))
    parts = (database, vault, clock, ids)
    reconciliations = Reconciliations(database, clock)
    audits = Audits(database, clock, ids, Books(database, clock))
    sources = public_sources(settings.prices, outbound, clock)
    return Engine(
        outbound=outbound,
        destinations=destinations,
        requests=PayoutRequests(*parts, rates=rates, destinations=destinations),
        resolver=Resolver(*parts, rates=rates, destinations=destinations),
        interventions=Interventions(database, clock, ids, tracking),
        epochs=Epochs(database, clock, Recovery(database, clock, ids), settings.data_dir),
        review=RecoveryReview(database, clock, ids, rates, tracking),
        books=ClosedBooks(database, clock, ids, tracking, auto_release=settings.auto_release),
        currencies=Currencies(clock, partial(_ask_currencies, settings)),
        rate_watch=RateWatch(rates, clock, sources, partial(_currencies, database)),
        reconciliations=reconciliations,
        audits=audits,
        night_watch=NightWatch(database, clock, audits, reconciliations, workers.bookkeeper),
    )


async def _ask_currencies(settings: Settings) -> list[Currency]:
    """Ask Flash for its currencies as nobody in particular: before a wallet is connected, too."""
    client = FlashClient(FlashConnection(settings.flash_api_url, settings.flash_ws_url))
    await client.open()
    try:
        return await client.fetch_currencies()
    finally:
        await client.close()


async def _currencies(database: Database) -> set[str]:
    """Return what is converted to: each store's currency, and the dollar that Flash counts in."""
    found = await database.read(stores.read_stores)
    return {"USD", *(store.currency for store in found)} if found else set()


def _exempt(settings: Settings) -> Collection[str]:
    """Return whom the guard lets through: a Flash on this machine is the sandbox, host included."""
    flash = urlsplit(settings.flash_api_url)
    own = [flash.netloc.lower()] if is_loopback(flash.hostname or "") else []
    return (*settings.outbound_allow, *own)
