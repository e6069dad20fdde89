"""The parts of the money engine that a person or program reaches: requests and interventions."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import urlsplit

from app.settings import Settings, is_loopback
from models.ids import Ids
from models.instants import Clock
from services.database import Database
from services.destinations import Destinations, flash_address_host
from services.interventions import Interventions
from services.outbound import Outbound
from services.payout_requests import PayoutRequests
from services.rates import Rates
from services.resolver import Resolver
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


def build_engine(
    settings: Settings,
    database: Database,
    vault: Vault,
    clock: Clock,
    ids: Ids,
    *,
    rates: Rates,
    tracking: Tracking,
) -> Engine:
    """Build the engine's parts on the services that are there."""
    outbound = Outbound(_exempt(settings))
    destinations = Destinations(outbound, clock, flash_address_host(settings.flash_api_url))
    parts = (database, vault, clock, ids)
    return Engine(
        outbound=outbound,
        destinations=destinations,
        requests=PayoutRequests(*parts, rates=rates, destinations=destinations),
        resolver=Resolver(*parts, rates=rates, destinations=destinations),
        interventions=Interventions(database, clock, ids, tracking),
    )


def _exempt(settings: Settings) -> Collection[str]:
    """Return whom the guard lets through: a Flash on this machine is the sandbox, host included."""
    flash = urlsplit(settings.flash_api_url)
    own = [flash.netloc.lower()] if is_loopback(flash.hostname or "") else []
    return (*settings.outbound_allow, *own)
