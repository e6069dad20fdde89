"""Whatever way payouts go, the book, the events, the budgets and the rollups go with them."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from models.errors import StateChanged
from models.instants import to_us
from models.payout import EvidenceGrade, Payout
from models.rollup import Grain, bucket_of
from models.states import ALLOWED, PLACE, STATUS, PayoutState, PayoutStatus, Place
from models.store import SYSTEM
from models.tables.base import table_of
from models.tables.payout import PayoutRow
from services.storage import ledger
from services.storage import payout as payouts
from services.storage.pull_payment import read_pull_payment
from services.storage.statement import record
from tests.support.builders import Ground, a_payout, plant
from tests.support.clock import NOON
from tests.support.databases import Raw

S = PayoutState
BUDGET = 2_000
SETTLED = frozenset({S.COMPLETED, S.REVERSED})
HELD = frozenset({Place.RESERVED, Place.IN_TRANSIT})


class Walk(RuleBasedStateMachine):
    """Payouts of one store, taken through the state table at random."""

    def __init__(self, beneath: Raw) -> None:
        super().__init__()
        self.beneath = beneath
        self.known: dict[str, Payout] = {}
        self.ground: Ground

    alive = Bundle("alive")
    stale = Bundle("stale")

    @initialize()
    def open_store(self) -> None:
        with self.beneath.transaction() as tx:
            self.ground = plant(tx, budget=BUDGET)

    @rule(
        target=alive,
        units=st.integers(1, 900),
        minutes=st.integers(-3_000, 3_000),
        draws=st.booleans(),
        has_card=st.booleans(),
        shard=st.integers(0, 3),
    )
    def create(self, units: int, minutes: int, draws: bool, has_card: bool, shard: int) -> Any:
        payout = a_payout(
            self.ground.store,
            sats=units,
            created_at=NOON + timedelta(minutes=minutes),
            pull_payment_id=self.ground.pull_payment.id if draws else None,
            card_id=self.ground.card.id if has_card else None,
            card_verified=has_card,
        )
        fits = not draws or self.taken() + units <= BUDGET

        with self.beneath.transaction(shard) as tx:
            assert payouts.create(tx, payout, SYSTEM) is fits

        if not fits:
            return multiple()
        self.known[payout.id] = payout
        return payout.id

    @rule(target=stale, moved=alive, data=st.data(), shard=st.integers(0, 3))
    def move(self, moved: str, data: st.DataObject, shard: int) -> Any:
        payout = self.known[moved]
        targets = sorted(target for source, target in ALLOWED if source is payout.state)
        if not targets:
            return multiple()
        target = data.draw(st.sampled_from(targets), label="target")

        changes = {"evidence": EvidenceGrade.PERSON} if target in SETTLED else {}
        if self.lacks_money_again(payout):
            with pytest.raises(Exception, match="within_budget"), self.beneath.transaction() as tx:
                payouts.move(tx, payout, target, now=NOON, actor=SYSTEM, **changes)
            return multiple()

        with self.beneath.transaction(shard) as tx:
            after = payouts.move(tx, payout, target, now=NOON, actor=SYSTEM, **changes)

        self.known[moved] = after
        return payout

    @rule(old=consumes(stale), data=st.data())
    def move_what_has_moved_on(self, old: Payout, data: st.DataObject) -> None:
        targets = sorted(target for source, target in ALLOWED if source is old.state)
        target = data.draw(st.sampled_from(targets), label="target")
        changes = {"evidence": EvidenceGrade.PERSON} if target in SETTLED else {}

        with pytest.raises(StateChanged), self.beneath.transaction() as tx:
            payouts.move(tx, old, target, now=NOON, actor=SYSTEM, **changes)
        with pytest.raises(StateChanged), self.beneath.transaction() as tx:
            payouts.amend(tx, old, memo="late")

    @rule(moved=alive, fee_msat=st.none() | st.integers(0, 5_000), shard=st.integers(0, 3))
    def learn_a_fee(self, moved: str, fee_msat: int | None, shard: int) -> None:
        with self.beneath.transaction(shard) as tx:
            self.known[moved] = payouts.amend(tx, self.known[moved], fee_msat=fee_msat)

    def lacks_money_again(self, payout: Payout) -> bool:
        """Tell whether a second try would take more than the budget still has."""
        is_released = payout.pull_payment_id and PLACE[payout.state] is Place.BUDGET
        return bool(is_released) and self.taken() + payout.original_amount > BUDGET

    def taken(self) -> int:
        """Return how much of the budget is reserved or paid."""
        return sum(
            payout.original_amount
            for payout in self.known.values()
            if payout.pull_payment_id and PLACE[payout.state] in HELD | {Place.PAID}
        )

    @invariant()
    def rows_are_as_they_were_left(self) -> None:
        with self.beneath.transaction() as tx:
            for payout in self.known.values():
                assert payouts.read_payout(tx, payout.store_id, payout.id) == payout

    @invariant()
    def every_step_has_its_event(self) -> None:
        with self.beneath.transaction() as tx:
            for payout in self.known.values():
                events = payouts.read_events(tx, payout.store_id, payout.id)
                assert [event.number for event in events] == list(range(1, payout.revision + 1))
                path = [event.target for event in events]
                assert [event.source for event in events] == [None, *path[:-1]]
                assert path[-1] is payout.state

    @invariant()
    def the_book_says_where_all_money_stands(self) -> None:
        expected: Counter[str] = Counter()
        for payout in self.known.values():
            source = "funding" if payout.pull_payment_id is None else self.budget
            expected[source] -= payout.original_amount
            account = ledger.account_of(PLACE[payout.state], payout.pull_payment_id)
            expected[account] += payout.original_amount
        expected["funding"] -= BUDGET
        expected[self.budget] += BUDGET

        with self.beneath.transaction() as tx:
            balances = ledger.balances(tx, self.ground.store.id)

        assert {key[0]: value for key, value in balances.items() if value} == {
            account: value for account, value in expected.items() if value
        }
        assert self.unbalanced() == []

    def unbalanced(self) -> list[Any]:
        """Return the transactions whose legs do not sum to zero."""
        return self.beneath.rows(
            "SELECT transaction_id, unit FROM ledger GROUP BY transaction_id, unit"
            " HAVING sum(amount) != 0 OR count(*) != 2"
        )

    @property
    def budget(self) -> str:
        return f"budget:{self.ground.pull_payment.id}"

    @invariant()
    def the_pull_payment_knows_what_is_taken(self) -> None:
        drawn = [payout for payout in self.known.values() if payout.pull_payment_id]
        reserved = sum(p.original_amount for p in drawn if PLACE[p.state] in HELD)
        paid = sum(p.original_amount for p in drawn if PLACE[p.state] is Place.PAID)

        with self.beneath.transaction() as tx:
            found = read_pull_payment(tx, self.ground.store.id, self.ground.pull_payment.id)

        assert found is not None
        assert (found.reserved, found.paid) == (reserved, paid)
        assert found.remaining >= 0

    @invariant()
    def rollups_are_what_counting_gives(self) -> None:
        for table, wanted in (
            ("rollups", list(self.known.values())),
            ("card_rollups", [p for p in self.known.values() if p.card_id]),
        ):
            expected: dict[Any, tuple[int, ...]] = {}
            for payout in wanted:
                for grain in Grain:
                    key = (str(grain), bucket_of(grain, payout.created_at), str(payout.status))
                    old = expected.get(key, (0, 0, 0))
                    more = (1, payout.amount_sats or 0, payout.value_cents or 0)
                    expected[key] = tuple(map(sum, zip(old, more, strict=True)))
            assert self.rolled_up(table) == expected

    @invariant()
    def known_fees_are_what_counting_gives(self) -> None:
        for table, of_cards in (("fee_rollups", False), ("card_fee_rollups", True)):
            expected: dict[Any, tuple[int, ...]] = {}
            for payout in self.known.values():
                if STATUS[payout.state] is not PayoutStatus.COMPLETED or payout.fee_msat is None:
                    continue
                for grain in Grain if payout.card_id or not of_cards else ():
                    key = (str(grain), to_us(bucket_of(grain, payout.created_at)))
                    fee_msat, known = expected.get(key, (0, 0))
                    expected[key] = (fee_msat + payout.fee_msat, known + 1)
            rows = self.beneath.rows(
                f"SELECT grain, bucket, sum(fee_msat), sum(known) FROM {table}"
                f" WHERE store_id = '{self.ground.store.id}' GROUP BY grain, bucket"
            )
            found = {(row[0], row[1]): tuple(map(int, row[2:])) for row in rows}
            assert {key: sums for key, sums in found.items() if any(sums)} == expected

    def rolled_up(self, table: str) -> dict[Any, tuple[int, ...]]:
        rows = self.beneath.rows(
            "SELECT grain, bucket, status, sum(count), sum(amount_sats), sum(value_cents)"
            f" FROM {table} WHERE store_id = '{self.ground.store.id}'"
            " GROUP BY grain, bucket, status"
        )
        read = table_of(PayoutRow).c.created_at.type.process_result_value
        return {
            (row[0], read(row[1], None), row[2]): tuple(map(int, row[3:]))
            for row in rows
            if any(row[3:])
        }


def test_a_random_walk_keeps_every_book(beneath: Raw) -> None:
    run_state_machine_as_test(
        lambda: Walk(beneath),
        settings=settings(
            max_examples=25 if beneath.dialect == "sqlite" else 12,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.fixture
def ground(beneath: Raw) -> Ground:
    with beneath.transaction() as tx:
        return plant(tx)


def created(beneath: Raw, ground: Ground, **changes: Any) -> Payout:
    payout = a_payout(ground.store, **changes)
    with beneath.transaction() as tx:
        assert payouts.create(tx, payout, SYSTEM)
    return payout


@pytest.mark.parametrize(
    "changes",
    [{"revision": 2}, {"state": S.AWAITING_APPROVAL}, {"store_id": "st_else"}, {"id": "po_else"}],
    ids=str,
)
def test_a_move_of_something_else_writes_nothing(
    beneath: Raw, ground: Ground, changes: dict[str, Any]
) -> None:
    payout = created(beneath, ground)

    with pytest.raises(StateChanged), beneath.transaction() as tx:
        payouts.move(tx, replace(payout, **changes), S.APPROVED, now=NOON, actor=SYSTEM)

    assert beneath.value("SELECT state FROM payouts") == "pending"
    assert beneath.value("SELECT count(*) FROM payout_events") == 1


def test_a_step_that_is_not_in_the_table_is_a_mistake_of_ours(beneath: Raw, ground: Ground) -> None:
    payout = created(beneath, ground)

    with pytest.raises(KeyError), beneath.transaction() as tx:
        payouts.move(tx, payout, S.COMPLETED, now=NOON, actor=SYSTEM)


def test_a_stamp_is_set_once(beneath: Raw, ground: Ground) -> None:
    payout = created(beneath, ground)
    later = NOON + timedelta(hours=1)

    with beneath.transaction() as tx:
        approved = payouts.move(tx, payout, S.APPROVED, now=NOON, actor=SYSTEM)
        back = payouts.move(tx, approved, S.AWAITING_APPROVAL, now=later, actor=SYSTEM)
        again = payouts.move(tx, back, S.APPROVED, now=later, actor=SYSTEM)

    assert again.approved_at == NOON


def test_a_claim_key_makes_one_payout(beneath: Raw, ground: Ground) -> None:
    created(beneath, ground, claim_key="same")

    with pytest.raises(Exception, match=r"(?i)unique"), beneath.transaction() as tx:
        payouts.create(tx, a_payout(ground.store, claim_key="same"), SYSTEM)
    with suppress(psycopg.Error), beneath.transaction() as tx:
        assert payouts.find_claim(tx, ground.store.id, "same") is not None
        assert payouts.find_claim(tx, "st_else", "same") is None


def test_a_verified_card_is_marked_as_used_and_a_hinted_one_is_not(
    beneath: Raw, ground: Ground
) -> None:
    created(beneath, ground, card_id=ground.card.id, card_verified=False)
    assert beneath.value("SELECT last_used_at FROM cards") is None

    created(beneath, ground, card_id=ground.card.id, card_verified=True)
    assert beneath.value("SELECT last_used_at FROM cards") is not None


def test_what_is_kept_of_a_payout_is_all_of_it(beneath: Raw, ground: Ground) -> None:
    payout = created(beneath, ground, memo="Tip for Alice", metadata_json='{"till": 3}')

    names = {column.name for column in table_of(PayoutRow).columns}

    assert set(record(payout)) == names
