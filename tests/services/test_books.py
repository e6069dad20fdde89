"""The audit: everything broken by hand is found, and only that; what was done well is clean."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from models.books import Chapter, Finding
from models.invariant import RULES, Invariant
from models.states import PayoutState
from services.books import WHOLE
from services.storage import chapter as chapters
from services.storage import payout_slice
from services.storage.statement import Transaction
from tests.services.breaks import BREAKS
from tests.services.test_interventions import retry
from tests.services.test_payout_requests import approve, ask
from tests.services.test_sending import goes_wrong
from tests.services.test_statements import in_doubt, look
from tests.support.cards import VirtualCard
from tests.support.databases import Raw
from tests.support.sandbox import Hand
from tests.support.shop import Shop

S = PayoutState


async def all_sorts(shop: Shop, hand: Hand) -> dict[str, str]:
    """Make payouts that went every way, and return the ids that breaks speak of."""
    pull, card = await shop.pull_payment(), VirtualCard()
    await shop.card(card, pull)
    await shop.tap(card)
    done = await shop.claim(pull, (await hand.foreign_invoice(2_000)).pr)
    tapped = await shop.claim_tap(await shop.tap(card), (await hand.home_invoice()).pr)
    await look(shop)
    refused, again = await hand.foreign_invoice(700), await hand.foreign_invoice(800)
    await goes_wrong(hand, refused, "failure_empty_errors")
    failed = await shop.claim(pull, refused.pr)
    await goes_wrong(hand, again, "status_null")
    retried = await shop.claim(pull, again.pr)
    await retry(shop, retried.id)
    await shop.reaches(retried.id, S.COMPLETED)
    approved = await ask(shop, (await hand.foreign_invoice(900)).pr)
    await approve(shop, approved)
    await shop.reaches(approved.id, S.COMPLETED)
    waits = await ask(shop, (await hand.foreign_invoice(600)).pr)
    unknown = await in_doubt(shop, hand, "generic_error", 5_000)
    named = {"done": done, "tapped": tapped, "failed": failed, "retried": retried}
    named |= {"approved": approved, "waits": waits, "unknown": unknown}
    ids = {name: payout.id for name, payout in named.items()}
    day = shop.clock.utc_now().date().isoformat()
    return ids | {"pull": pull.id, "store": shop.store.id, "day": day}


class Undo(Exception):
    """Ends a transaction that must leave nothing."""


@contextmanager
def undone(beneath: Raw) -> Iterator[Transaction]:
    """Open a transaction that no trigger and no check watches over, and undo it."""

    checks = {
        "sqlite": ("PRAGMA ignore_check_constraints = ON", "PRAGMA foreign_keys = OFF"),
        "postgresql": ("SET session_replication_role = replica",),
    }
    for statement in checks[beneath.dialect]:
        beneath.run(statement)
    # Read before: a transaction that begins with a look cannot write once another has written.
    removed = watchers(beneath)
    with suppress(Undo), beneath.transaction() as tx:
        for statement in removed:
            tx._cursor.execute(statement)
        yield tx
        raise Undo


def watchers(beneath: Raw) -> list[str]:
    """Return what takes away whatever would refuse these rows; it comes back with the rollback."""
    if beneath.dialect == "postgresql":
        return ["ALTER TABLE pull_payments DROP CONSTRAINT ck_pull_payments_within_budget"]
    triggers = beneath.rows("SELECT name FROM sqlite_master WHERE type = 'trigger'")
    return [f"DROP TRIGGER {name}" for (name,) in triggers]


def audited(tx: Transaction, shop: Shop) -> list[Finding]:
    found: list[Finding] = []
    for chapter in WHOLE:
        after: str | None = ""
        while after is not None:
            part = chapters.look(tx, shop.store.id, chapter, after, shop.clock.utc_now())
            found, after = [*found, *part.findings], part.after
    return found


async def test_every_invariant_that_is_broken_by_hand_is_found_and_no_other(
    paying_shop: Shop, hand: Hand, beneath: Raw
) -> None:
    names = await all_sorts(paying_shop, hand)
    names["keys"] = beneath.value("SELECT id FROM key_sets")
    of_done = f"SELECT id FROM attempts WHERE payout_id = '{names['done']}'"
    names["of_done"] = f"attempt_id = ({of_done})"
    names["hash_of_done"] = of_done.replace("id FROM", "payment_hash FROM")
    assert await paying_shop.container.books.audit(paying_shop.store.id) == []
    await paying_shop.comes_to_rest()

    wrong = await asyncio.to_thread(contradicted, paying_shop, beneath, names)

    assert wrong == []
    assert {invariant for each in BREAKS for invariant in each.found} == set(Invariant)
    assert set(RULES) == set(Invariant)
    assert await paying_shop.container.books.audit(paying_shop.store.id) == []


def contradicted(shop: Shop, beneath: Raw, names: dict[str, str]) -> list[object]:
    """Return the breaks that were not found, or with which something else was."""
    wrong: list[object] = []
    for each in BREAKS:
        wanted = {
            (invariant, subject)
            for invariant, subjects in each.found.items()
            for subject in subjects.format(**names).split()
        }
        with undone(beneath) as tx:
            for statement in each.statements:
                tx._cursor.execute(statement.format(**names))
            found = {(finding.invariant, finding.subject) for finding in audited(tx, shop)}
        if found != wanted:
            wrong.append((each.statements, "found", found - wanted, "missed", wanted - found))
    return wrong


async def test_a_walk_goes_on_where_it_left_off(paying_shop: Shop, hand: Hand) -> None:
    await all_sorts(paying_shop, hand)
    books, store_id = paying_shop.container.books, paying_shop.store.id

    opened = await books.look(store_id, Chapter.OPEN, "")
    rest = await books.look(store_id, Chapter.OPEN, opened.after or "")

    assert (opened.looked, rest.looked, rest.after) == (1, 1, None)


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_a_slice_is_looked_up_by_its_ids_and_never_by_going_through_the_store(beneath: Raw) -> None:
    asked = {"store_id": "st", **{f"p{number}": "po" for number in range(payout_slice.SLICE)}}
    for invariant, questions in chapters.CONTRADICTIONS.items():
        for question in questions:
            found = question.statement.compiled("sqlite")
            plan = beneath._connection.execute(
                f"EXPLAIN QUERY PLAN {found.sql}", found.bind(asked)
            ).fetchall()
            steps = [row[3] for row in plan if " payouts " in row[3]]
            assert steps, invariant
            assert all("(id=?)" in step for step in steps), (invariant, steps)
