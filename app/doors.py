"""The services that decide who may come in, built together."""

from __future__ import annotations

from dataclasses import dataclass

from models.ids import Ids
from models.instants import Clock
from services.api_keys import ApiKeys
from services.database import Database
from services.passwords import Passwords
from services.people import People
from services.record import Record
from services.resets import Resets
from services.second_factors import SecondFactors
from services.sessions import Sessions
from services.set_up import SetUp
from services.sign_in import SignIn
from services.stores import Stores
from services.tokens import Tokens
from services.vault import Vault


@dataclass(frozen=True, slots=True)
class Doors:
    """Everything about people, their sessions and their keys."""

    sessions: Sessions
    sign_in: SignIn
    factors: SecondFactors
    set_up: SetUp
    people: People
    api_keys: ApiKeys
    tokens: Tokens
    record: Record
    resets: Resets


def build_doors(database: Database, vault: Vault, clock: Clock, ids: Ids, stores: Stores) -> Doors:
    """Build them on a database."""
    passwords = Passwords()
    sessions = Sessions(database, clock, ids)
    factors = SecondFactors(database, vault, clock, sessions)
    sign_in = SignIn(database, vault, clock, sessions, passwords, factors)
    return Doors(
        sessions=sessions,
        sign_in=sign_in,
        factors=factors,
        set_up=SetUp(database, clock, ids, stores, passwords),
        people=People(database, clock, ids, passwords, sessions),
        api_keys=ApiKeys(database, clock, stores),
        tokens=Tokens(database, vault, clock, sessions, sign_in),
        record=Record(database, clock),
        resets=Resets(database, vault, clock, sessions, passwords),
    )
