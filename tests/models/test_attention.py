"""Somebody is called only when there is something to do, and the most pressing comes first."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from models.attention import Attention, NeedKind, needs_of
from models.connection import Connection
from models.standing import Budget, Owed
from models.wallet import Gate
from tests.models.test_standing import STANDING
from tests.support.builders import a_store, a_wallet
from tests.support.clock import NOON

CALM = Attention(0, 0, 0, 0)
WALLET = a_wallet(a_store())
CONNECTION = Connection(
    sockets=(),
    connected=True,
    away_since=None,
    last_error=None,
    holds_lease=True,
    lease_until=NOON,
    working_on=0,
    waiting=0,
    free_requests=60,
    requests_per_minute=60,
    paused_s=0,
)


def test_a_quiet_store_needs_nobody() -> None:
    assert needs_of(CALM, WALLET, STANDING, CONNECTION) == ()
    assert needs_of(CALM, WALLET, STANDING, None) == ()


def test_everything_at_once_comes_in_order_with_its_numbers() -> None:
    budget = Budget("pp_1", "Tips", "SATS", 1_000, paid=950, reserved=0, expires_at=None)
    hour_ago = NOON - timedelta(hours=1)
    standing = replace(
        STANDING, balance_nanousd=0, budgets=(budget,), nearly_empty=1, unsettled=Owed(3, 9_000)
    )
    wallet = replace(
        WALLET, stopped_at=NOON, gate=Gate.SHUT, gate_reason="why", gate_changed_at=hour_ago
    )
    away = replace(
        CONNECTION, connected=False, away_since=hour_ago, last_error="refused", paused_s=30
    )

    needs = needs_of(Attention(4, 3, 2, 1, 5, 6), wallet, standing, away)

    every = [kind for kind in NeedKind if kind not in {NeedKind.REFUSED, NeedKind.ONE_FACTOR}]
    assert [need.kind for need in needs] == every
    by_kind = {need.kind: need for need in needs}
    gate = by_kind[NeedKind.GATE_SHUT]
    assert (gate.count, gate.since, gate.subject) == (3, hour_ago, "why")
    assert by_kind[NeedKind.SHORT].amount_nanousd == standing.short_nanousd > 0
    assert by_kind[NeedKind.UNREACHABLE].subject == "refused"
    assert by_kind[NeedKind.PAUSED].count == 30
    assert [by_kind[kind].count for kind in every[5:11]] == [6, 3, 5, 2, 4, 1]
    assert by_kind[NeedKind.BUDGET].subject == "Tips"


def test_a_hiccup_calls_nobody() -> None:
    hiccup = replace(CONNECTION, connected=False, away_since=NOON - timedelta(seconds=30))

    assert needs_of(CALM, WALLET, STANDING, hiccup) == ()


def test_flash_saying_so_is_enough_to_be_short() -> None:
    short = replace(WALLET, short_since=NOON)

    (need,) = needs_of(CALM, short, STANDING, CONNECTION)

    assert (need.kind, need.amount_nanousd, need.since) == (NeedKind.SHORT, 0, NOON)


def test_a_credential_that_is_refused_is_said_at_once_and_not_called_silence() -> None:
    refused = replace(CONNECTION, connected=False, away_since=NOON, is_refused=True)

    (need,) = needs_of(CALM, WALLET, STANDING, refused)

    assert (need.kind, need.since) == (NeedKind.REFUSED, NOON)
