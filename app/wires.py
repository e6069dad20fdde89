"""By what the service reaches the world outside: a test may lay wires of its own."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Collection
from dataclasses import dataclass

from models.flash import FlashConnection
from models.instants import Clock
from services.database import Database
from services.flash.account_socket import AccountListeners, AccountSocket
from services.flash.client import FlashClient
from services.flash.pace import Pace
from services.flash.public_socket import PublicListeners, PublicSocket
from services.hub import Hub
from services.outbound import Outbound
from services.points import Watch, unwatched
from services.relay import Relay


def _outbound(allow: Collection[str], watch: Watch) -> Outbound:
    return Outbound(allow, watch=watch)


@dataclass(frozen=True, slots=True)
class Wires:
    """Who makes each of them."""

    database: Callable[[str, Watch], Database] = Database
    client: Callable[[FlashConnection, Watch], FlashClient] = FlashClient
    public_socket: Callable[[str, Clock, Pace, PublicListeners, Watch], PublicSocket] = PublicSocket
    account_socket: Callable[
        [FlashConnection, Clock, Pace, asyncio.Semaphore, AccountListeners, Watch], AccountSocket
    ] = AccountSocket
    outbound: Callable[[Collection[str], Watch], Outbound] = _outbound
    relay: Callable[[str, Hub], Relay | None] = Relay
    randomness: Callable[[int], bytes] = os.urandom
    # Told of every point that is passed; a running service takes no notice.
    watch: Watch = unwatched
