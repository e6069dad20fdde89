"""Pages of payouts in every order: each payout once, by a walk of an index."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from models.payout import EvidenceGrade, Payout
from models.payout_filter import PayoutFilter
from models.payout_order import Mark, PayoutOrder, mark_of
from models.states import STATUS, PayoutState, PayoutStatus
from services.storage import listing, payout_page
from services.storage import payout as payouts
from services.storage.payout_page import page
from services.storage.statement import Statement, Transaction, record
from tests.support.builders import Ground, a_card, a_payout, a_pull_payment, cards, plant
from tests.support.builders import pull_payments as pulls
from tests.support.clock import NOON
from tests.support.databases import Raw, raw

S, P = PayoutState, PayoutStatus
COUNT = 90
SAVE, GO_BACK = Statement(text("SAVEPOINT walk")), Statement(text("ROLLBACK TO walk"))
FILTERS = {
    "everything": {},
    "one status": {"statuses": (P.COMPLETED,)},
    "some statuses": {"statuses": (P.FAILED, P.PENDING, P.COMPLETED)},
    "exact states": {"states": (S.NEEDS_REVIEW, S.REVERSED, S.AWAITING_APPROVAL)},
    "a state and another's status": {"states": (S.FAILED,), "statuses": (P.PENDING,)},
    "a card": {"card": "yes"},
    "a card's failures": {"card": "yes", "statuses": (P.FAILED, P.COMPLETED)},
    "a pull payment": {"pull_payment_id": "yes", "statuses": (P.COMPLETED, P.PENDING)},
    "any of a pull payment": {"pull_payment_id": "yes"},
    "reversed": {"states": (S.REVERSED,)},
    "a card of a pull payment": {"card": "yes", "pull_payment_id": "yes"},
    "amounts": {"min_sats": 21, "max_sats": 50},
    "a range": {"starts_at": NOON - timedelta(hours=9), "ends_at": NOON - timedelta(hours=2)},
    "amounts of a range": {
        "min_sats": 21,
        "statuses": (P.COMPLETED,),
        "starts_at": NOON - timedelta(hours=9),
        "ends_at": NOON - timedelta(hours=2),
    },
    "text": {"q": "lnbc", "statuses": (P.COMPLETED, P.CANCELLED)},
}


def some(ground: Ground, card_id: str, pull_payment_id: str) -> list[Payout]:
    """Return payouts of all states, many of them alike in time and amount."""
    chance, made = random.Random(3), []
    for number in range(COUNT):
        state = list(S)[number % len(S)]
        at = NOON - timedelta(minutes=chance.randrange(40) * 15)
        is_settled = STATUS[state] is P.COMPLETED
        later = at + timedelta(seconds=chance.choice([1, 1, 900, 86_400]))
        payout = a_payout(
            ground.store,
            created_at=at,
            state=state,
            status=STATUS[state],
            amount_msat=chance.choice([1, 20_001, 21_000, 50_000, 50_001, 10**9]),
            card_id=chance.choice([None, card_id, ground.card.id]),
            card_verified=number % 5 != 0,
            pull_payment_id=chance.choice([None, pull_payment_id]),
            evidence=EvidenceGrade.PERSON if is_settled else None,
            completed_at=later if is_settled else None,
        )
        if number % 11 == 0:  # not quoted yet
            payout = replace(payout, amount_msat=None, amount_sats=None)
        made.append(payout)
    return made


def fits(payout: Payout, wanted: PayoutFilter, card_id: str | None, order: PayoutOrder) -> bool:
    """Tell whether a list in an order has to hold a payout."""
    sats = payout.amount_sats
    return (
        (not wanted.statuses or payout.status in wanted.statuses)
        and (not wanted.states or payout.state in wanted.states)
        and card_id in {None, payout.card_id}
        and wanted.pull_payment_id in {None, payout.pull_payment_id}
        and (wanted.min_sats is None or (sats is not None and sats >= wanted.min_sats))
        and (wanted.max_sats is None or (sats is not None and sats <= wanted.max_sats))
        and (wanted.starts_at is None or payout.created_at >= wanted.starts_at)
        and (wanted.ends_at is None or payout.created_at < wanted.ends_at)
        and (order is not PayoutOrder.AMOUNT or sats is not None)
        and (order is not PayoutOrder.COMPLETED or payout.completed_at is not None)
    )


def filters(card_id: str, pull_payment_id: str) -> Iterator[tuple[PayoutFilter, str | None]]:
    for fields in FILTERS.values():
        given: dict[str, Any] = dict(fields)
        found = card_id if given.pop("card", None) else None
        if "pull_payment_id" in given:
            given["pull_payment_id"] = pull_payment_id
        yield PayoutFilter(**given), found


def planted(tx: Transaction) -> tuple[Ground, str, str, list[Payout]]:
    ground = plant(tx)
    card, pull = a_card(ground.store, ground.pull_payment), a_pull_payment(ground.store)
    cards.add_card(tx, card)
    pulls.add_pull_payment(tx, pull)
    made = some(ground, card.id, pull.id)
    for payout in made:
        tx.run(payouts._ADD, **record(payout))
    return ground, card.id, pull.id, made


@pytest.mark.parametrize(("few", "looked"), [(1_000, (10_000,)), (3, (2, 9))])
def test_every_order_and_filter_shows_each_payout_once_while_more_arrive(
    beneath: Raw, monkeypatch: pytest.MonkeyPatch, few: int, looked: tuple[int, ...]
) -> None:
    monkeypatch.setattr(payout_page, "FEW", few)
    monkeypatch.setattr(payout_page, "LOOKED", looked)
    monkeypatch.setattr(listing, "FEW", few)
    monkeypatch.setattr(listing, "FEW_OF_STATUS", few)

    def ids_of(
        tx: Transaction, wanted: PayoutFilter, card: str | None, order: PayoutOrder
    ) -> list[str]:
        seen: list[str] = []
        before: Mark | None = None
        while True:
            found = page(tx, ground.store.id, wanted, card, 7, order, before)
            seen += [payout.id for payout in found.payouts]
            before = found.looked_to
            if len(found.payouts) == 7:
                before = mark_of(found.payouts[-1], order)
            if before is None:
                break
            # What arrives meanwhile stands before whatever has been shown, in every order.
            top = NOON + timedelta(days=30, seconds=len(seen))
            tx.run(
                payouts._ADD,
                **record(
                    a_payout(
                        ground.store,
                        created_at=top,
                        completed_at=top,
                        sats=10**9,
                        state=S.COMPLETED,
                        status=P.COMPLETED,
                        evidence=EvidenceGrade.PERSON,
                        card_id=card,
                        card_verified=True,
                        pull_payment_id=wanted.pull_payment_id,
                    )
                ),
            )
        return seen

    with beneath.transaction() as tx:
        ground, card_id, pull_id, made = planted(tx)
        _, _, _, _ = planted(tx)  # another store's payouts are never seen

        for wanted, card in filters(card_id, pull_id):
            for order in PayoutOrder:
                tx.run(SAVE)
                kept = [payout for payout in made if fits(payout, wanted, card, order)]
                ranked = sorted(
                    kept, key=lambda payout: _place(mark_of(payout, order)), reverse=True
                )
                assert ids_of(tx, wanted, card, order) == [row.id for row in ranked], (
                    wanted,
                    order,
                )
                tx.run(GO_BACK)


def _place(mark: Mark) -> tuple[int, str]:
    return mark.value, mark.id


class Watched:
    """A cursor that remembers what it was asked."""

    def __init__(self, cursor: Any) -> None:
        self.cursor = cursor
        self.asked: tuple[Any, Any] = ("", ())

    def execute(self, sql: Any, params: Any = ()) -> Any:
        self.asked = (sql, params)
        return self.cursor.execute(sql, params)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.cursor, name)


PLANS = [
    ("everything", PayoutOrder.CREATED, "ix_payouts_store_created"),
    ("everything", PayoutOrder.AMOUNT, "ix_payouts_store_status_amount"),
    ("everything", PayoutOrder.COMPLETED, "ix_payouts_store_completed"),
    ("one status", PayoutOrder.CREATED, "ix_payouts_store_status_created"),
    ("one status", PayoutOrder.AMOUNT, "ix_payouts_store_status_amount"),
    ("one status", PayoutOrder.COMPLETED, "ix_payouts_store_completed"),
    ("some statuses", PayoutOrder.CREATED, "ix_payouts_store_status_created"),
    ("exact states", PayoutOrder.CREATED, "ix_payouts_store_status_created"),
    ("a card", PayoutOrder.CREATED, "ix_payouts_card_created"),
    ("a card", PayoutOrder.AMOUNT, "ix_payouts_card_amount"),
    ("a card", PayoutOrder.COMPLETED, "ix_payouts_card_completed"),
    ("a card's failures", PayoutOrder.CREATED, "ix_payouts_card_created"),
    ("a card's failures", PayoutOrder.AMOUNT, "ix_payouts_card_amount"),
    ("a card's failures", PayoutOrder.COMPLETED, "ix_payouts_card_completed"),
    ("a pull payment", PayoutOrder.CREATED, "ix_payouts_pull_payment_created"),
    ("reversed", PayoutOrder.CREATED, "ix_payouts_store_status_created"),
    ("a card of a pull payment", PayoutOrder.CREATED, "ix_payouts_card_created"),
    ("amounts", PayoutOrder.AMOUNT, "ix_payouts_store_status_amount"),
    ("amounts of a range", PayoutOrder.CREATED, "ix_payouts_store_status_created"),
    ("amounts of a range", PayoutOrder.AMOUNT, "ix_payouts_store_status_amount"),
    ("amounts of a range", PayoutOrder.COMPLETED, "ix_payouts_store_completed"),
    ("a range", PayoutOrder.CREATED, "ix_payouts_store_created"),
    ("a range", PayoutOrder.COMPLETED, "ix_payouts_store_completed"),
]


@pytest.mark.parametrize("has_before", [False, True])
def test_every_order_walks_an_index_of_its_own(
    beneath: Raw, monkeypatch: pytest.MonkeyPatch, has_before: bool
) -> None:
    monkeypatch.setattr(listing, "FEW_OF_STATUS", 0)
    monkeypatch.setattr(listing, "FEW", 0)
    monkeypatch.setattr(payout_page, "LOOKED", (5,))
    with beneath.transaction() as tx:
        ground, card_id, pull_id, _ = planted(tx)
        watched = Watched(tx._cursor)
        if beneath.dialect == "postgresql":  # so few rows would rather be read as they lie
            for way in ("seqscan", "bitmapscan", "sort"):
                watched.execute(f"SET LOCAL enable_{way} = off", None)
        asked = Transaction(watched, beneath.dialect)
        known = dict(zip(FILTERS, filters(card_id, pull_id), strict=True))

        for name, order, index in PLANS:
            wanted, card = known[name]
            before = Mark(order, 10**15, "po_x") if has_before else None
            page(asked, ground.store.id, wanted, card, 51, order, before)
            plan = _plan(watched, beneath.dialect)
            if beneath.dialect == "sqlite":
                assert index in plan, (name, order, plan)
                assert "MATERIALIZE" in plan or "TEMP B-TREE" not in plan, (name, order, plan)
            else:  # which one it takes is a matter of statistics
                assert "using ix_payouts_" in plan, (name, order, plan)
                assert "Seq Scan" not in plan, (name, order, plan)


def _plan(watched: Watched, dialect: str) -> str:
    sql, params = watched.asked
    prefix = "EXPLAIN QUERY PLAN " if dialect == "sqlite" else "EXPLAIN "
    rows: Callable[[], Any] = watched.cursor.execute(prefix + sql, params).fetchall
    return "\n".join(str(row[-1]) for row in rows())


def test_the_few_that_were_reversed_or_wait_are_gone_through_first(sqlite_url: str) -> None:
    with raw(sqlite_url) as beneath, beneath.transaction() as tx:
        ground, card_id, _, _ = planted(tx)
        watched = Watched(tx._cursor)
        asked = Transaction(watched, "sqlite")
        for wanted, index in (
            (PayoutFilter(states=(S.REVERSED,)), "ix_payouts_reversed"),
            (PayoutFilter(statuses=(P.PENDING,)), "ix_payouts_store_status_created"),
        ):
            page(asked, ground.store.id, wanted, card_id, 51, PayoutOrder.CREATED, None)
            plan = _plan(watched, "sqlite")
            assert index in plan, plan
            assert "ix_payouts_card_created" not in plan, plan


def test_a_page_ends_where_enough_was_looked_at(
    beneath: Raw, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(payout_page, "LOOKED", (3, 20))
    monkeypatch.setattr(listing, "FEW", 0)
    with beneath.transaction() as tx:
        ground, _, _, made = planted(tx)
        wanted = PayoutFilter(min_sats=10**6)

        first = page(tx, ground.store.id, wanted, None, 51, PayoutOrder.CREATED, None)

        newest = sorted(made, key=lambda payout: (payout.created_at, payout.id), reverse=True)
        fitting = [row.id for row in newest[:21] if (row.amount_sats or 0) >= 10**6]
        assert [row.id for row in first.payouts] == fitting
        assert first.looked_to == mark_of(newest[20], PayoutOrder.CREATED)
