"""The town: it taps and claims over real sockets, and comes to no harm when nobody is there."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.sandbox.server import Sandbox, open_sandbox
from app.sandbox.settings import SandboxSettings
from app.sandbox.town_queue import MOST_WAITING
from app.sandbox.town_roster import Roster
from models.payout import PayoutKind
from models.payout_view import PayoutView
from models.states import PayoutState
from tests.app.sandbox.actors import Hand
from tests.app.sandbox.street import LOOK_S, Market, market
from tests.support.patience import PATIENCE_S

BOTH_KINDS = {PayoutKind.TAP, PayoutKind.CLAIM}
# A day of the town in a second, so that people of all hours come.
FAST: dict[str, Any] = {"mean_gap_ms": 20, "day_s": 1, "seed": 3}


@pytest.fixture
async def street(sandbox: Sandbox, sqlite_url: str, tmp_path: Path) -> AsyncIterator[Market]:
    async with market(sandbox, sqlite_url, tmp_path) as opened:
        yield opened


async def with_cards(street: Market) -> None:
    lunch = await street.fund()
    await street.give_cards(lunch, "Amara Okafor", "Winston Bogle", "A stranger")
    street.hand_out("tips", await street.fund(name="Tips"))


async def wake(hand: Hand, street: Market, **more: Any) -> Any:
    given = {"base_url": street.base_url, "roster": street.roster()} | FAST | more
    return await hand.post("town", **given)


async def until_town(hand: Hand, **wanted: Any) -> Any:
    """Wait until the town says so; numbers may be larger."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            shown = await hand.get("town")
            if all(
                shown[name] is value if isinstance(value, bool) else shown[name] >= value
                for name, value in wanted.items()
            ):
                return shown
            await asyncio.sleep(LOOK_S)


async def test_taps_and_scans_lead_to_completed_payouts(street: Market, hand: Hand) -> None:
    await with_cards(street)

    async with street.open():
        await wake(hand, street)
        async with asyncio.timeout(PATIENCE_S):
            while kinds_of(paid := await street.until_completed(5)) != BOTH_KINDS:
                await asyncio.sleep(LOOK_S)
        shown = await until_town(hand, accepted=len(paid))
        await hand.delete("town")

    by_card = {view.boltcard_alias for view in paid if view.card_verified}
    assert "Amara Okafor" in by_card
    assert all(view.memo for view in paid)
    assert not shown["is_cut_off"]


def kinds_of(views: list[PayoutView]) -> set[PayoutKind]:
    return {view.kind for view in views}


async def test_invoices_come_from_flash_users_and_from_nodes_of_their_own(
    street: Market, hand: Hand
) -> None:
    await with_cards(street)

    async with street.open():
        await wake(hand, street)
        paid = await street.until_completed(15)
        await hand.delete("town")
    kinds = {
        row["payee_kind"] for view in paid for row in await hand.ledger(view.payment_hash or "")
    }

    assert kinds == {"home", "foreign"}


async def test_the_town_waits_for_a_service_that_is_down_and_goes_on_when_it_is_back(
    street: Market, hand: Hand
) -> None:
    await with_cards(street)

    await wake(hand, street)
    await until_town(hand, is_cut_off=True)
    async with street.open():
        await until_town(hand, is_cut_off=False, accepted=3)
    cut_off = await until_town(hand, is_cut_off=True)
    async with street.open():
        back = await until_town(hand, is_cut_off=False, accepted=cut_off["accepted"] + 3)
        await hand.delete("town")

    assert back["is_running"]
    assert back["silent"] < back["visits"]


async def test_while_the_service_is_down_the_town_does_not_hammer_at_its_door(
    street: Market, hand: Hand
) -> None:
    await with_cards(street)

    await wake(hand, street)
    shown = await until_town(hand, is_cut_off=True)
    await asyncio.sleep(0.5)
    later = await hand.get("town")
    await hand.delete("town")

    # At this pace some twenty-five would have come.
    assert later["visits"] - shown["visits"] <= 3


async def test_a_town_that_wakes_again_shows_no_counter_twice(
    settings: SandboxSettings, sqlite_url: str, tmp_path: Path, http: httpx.AsyncClient
) -> None:
    async with open_sandbox(settings) as first, market(first, sqlite_url, tmp_path) as street:
        await with_cards(street)
        hand = Hand(http, first.control_url)
        async with street.open():
            await wake(hand, street)
            await street.until_completed(5)
        before = counters_of(first)
    async with open_sandbox(settings) as second, market(second, sqlite_url, tmp_path) as street:
        hand = Hand(http, second.control_url)
        async with street.open():
            await hand.post("town", base_url=street.base_url, **FAST)
            await until_town(hand, accepted=5)
            shown = await hand.delete("town")
        after = counters_of(second)

    assert all(after[uid] >= counter for uid, counter in before.items())
    assert sum(after.values()) > sum(before.values())
    assert "This tap was used before; tap again." not in shown["refused"]


def counters_of(sandbox: Sandbox) -> dict[str, int]:
    counters: dict[str, int] = json.loads(sandbox.world.ledger.meta()["town.counters"])
    return counters


@pytest.mark.parametrize("sees_the_queue", [True, False])
async def test_people_stop_asking_when_too_many_wait(
    street: Market, hand: Hand, *, sees_the_queue: bool
) -> None:
    street.hand_out("expenses", await street.fund(name="Expenses", auto_approve=False))
    glance = await street.key() if sees_the_queue else None

    async with street.open():
        await wake(hand, street, roster=street.roster(glance), mean_gap_ms=10)
        async with asyncio.timeout(PATIENCE_S):
            while "the queue was too long" not in (await hand.get("town"))["refused"]:
                await asyncio.sleep(LOOK_S)
        await hand.delete("town")
        waiting = await street.views(PayoutState.AWAITING_APPROVAL)

    assert len(waiting) == MOST_WAITING


async def test_a_budget_that_is_used_up_sends_people_home(street: Market, hand: Hand) -> None:
    await street.give_cards(await street.fund(amount=10), "Amara Okafor")

    async with street.open():
        await wake(hand, street)
        shown = await until_town(hand, visits=6)
        await hand.delete("town")
        stats = await street.stats()

    assert shown["refused"]
    assert stats.total.amount_sats <= 10


async def test_a_node_without_a_route_means_a_failed_payout(street: Market, hand: Hand) -> None:
    await street.give_cards(await street.fund(), "Kwame Mensah", "Delroy Gayle")

    async with street.open():
        await wake(hand, street)
        async with asyncio.timeout(PATIENCE_S):
            while not (failed := await street.views(PayoutState.FAILED)):
                await asyncio.sleep(LOOK_S)
        await hand.delete("town")

    assert failed[0].error_code == "payment_failed"


async def test_the_merchants_wallet_is_filled_when_there_is_an_allowance(
    street: Market, hand: Hand, sandbox: Sandbox
) -> None:
    await with_cards(street)
    merchant = sandbox.world.accounts.named("merchant")
    assert merchant is not None
    wallet = sandbox.world.cash_wallet(merchant)
    before = wallet.balance_nanousd

    await wake(hand, street, allowance_cents=100_000_000)
    async with asyncio.timeout(PATIENCE_S):
        while wallet.balance_nanousd <= before:
            await asyncio.sleep(LOOK_S)
    await hand.delete("town")

    assert wallet.balance_nanousd == 100_000_000 * 10_000_000


async def test_a_town_that_goes_to_bed_leaves_no_fault_behind(street: Market, hand: Hand) -> None:
    await street.give_cards(await street.fund(), "Kwame Mensah")

    async with street.open():
        await wake(hand, street)
        await until_town(hand, visits=20)
        await hand.delete("town")
        faults = await hand.get("faults")

    assert faults == {"items": []}


async def test_no_town_is_there_before_it_is_woken(hand: Hand) -> None:
    assert await hand.get("town") == {"is_running": False}
    assert await hand.delete("town") == {"is_running": False}


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"base_url": "ftp://127.0.0.1"},
        {"base_url": "http://127.0.0.1:1", "mean_gap_ms": 0},
        {"base_url": "http://127.0.0.1:1", "seed": "one"},
        {"base_url": "http://127.0.0.1:1", "speed": 1},
        {"base_url": "http://127.0.0.1:1", "roster": []},
        {"base_url": "http://127.0.0.1:1", "roster": {"cards": [{"customer": "Amara"}]}},
    ],
)
async def test_a_town_that_cannot_be_is_refused_in_one_line(
    sandbox: Sandbox, http: httpx.AsyncClient, given: dict[str, Any]
) -> None:
    answer = await http.post(f"{sandbox.control_url}/town", json=given)

    assert answer.status_code == 422
    assert set(answer.json()) == {"error"}


CARD = {"customer": "Amara", "uid": "04" * 7, "k1": "11" * 16, "k2": "22" * 16, "counter": 3}


def test_a_roster_is_read_as_it_was_written() -> None:
    given = {"cards": [CARD], "links": {"tips": "token"}, "glance": "key"}

    roster = Roster.read(json.loads(json.dumps(Roster.read(given).plain())))

    assert roster.cards[0].counter == 3
    assert roster == Roster.read(given)


def test_a_roster_does_not_show_its_secrets() -> None:
    roster = Roster.read({"cards": [CARD], "links": {"tips": "token"}, "glance": "fp_key"})

    assert not any(secret in repr(roster) for secret in ("04" * 7, "11" * 16, "token", "fp_key"))


@pytest.mark.parametrize(
    "given",
    [
        {"cards": "all"},
        {"links": {"nowhere": "token"}},
        {"links": {"tips": 1}},
        {"glance": 1},
        {"people": []},
        {"cards": [CARD | {"uid": "04"}]},
        {"cards": [CARD | {"k1": "no hex" * 4}]},
        {"cards": [CARD | {"counter": "3"}]},
        {"cards": [CARD | {"colour": "blue"}]},
        {"cards": [CARD] * 1_001},
    ],
)
def test_what_is_no_roster_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="a"):
        Roster.read(given)
