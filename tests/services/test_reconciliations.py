"""Our ledger beside Flash's list: matched, missing, extra, different; and the nightly check."""

from __future__ import annotations

import pytest

from models.errors import InvalidField, NotFoundError, StateChanged
from models.reconciliation import Reconciliation, Span
from models.states import PayoutState
from models.store import Role
from tests.services.test_statements import compare, in_doubt, look
from tests.services.test_witness import pays_from_elsewhere
from tests.support.api import api_of
from tests.support.databases import Raw
from tests.support.sandbox import FlashAccount, Hand
from tests.support.shop import ALICE, Shop


async def reconcile(shop: Shop) -> Reconciliation:
    bookkeeper = shop.connected.worker.tools.bookkeeper
    return await shop.container.engine.reconciliations.reconcile(shop.store.id, bookkeeper)


async def test_what_agrees_is_matched_and_what_is_unknown_waits(
    paying_shop: Shop, hand: Hand
) -> None:
    pull = await paying_shop.pull_payment()
    for sats in (1_000, 2_000, 3_000):
        await paying_shop.claim(pull, (await hand.foreign_invoice(sats)).pr)
    await in_doubt(paying_shop, hand, "generic_error", 9_000)

    found = await reconcile(paying_shop)

    assert (found.matched, found.waiting, found.differences) == (3, 1, ())
    assert found.is_whole
    assert found.is_clean


async def test_missing_extra_and_different_debits_are_each_named(
    paying_shop: Shop, hand: Hand, account: FlashAccount, beneath: Raw
) -> None:
    pull = await paying_shop.pull_payment()
    hidden, drifted = await hand.foreign_invoice(4_000), await hand.foreign_invoice(5_000)
    await hand.fault("row_delay", match={"payment_hash": hidden.hash}, times=1, delay_ms=86_400_000)
    missing = await paying_shop.claim(pull, hidden.pr)
    different = await paying_shop.claim(pull, drifted.pr)
    await look(paying_shop)
    await compare(paying_shop)
    beneath.run(
        "UPDATE debits SET expected_nanousd = expected_nanousd * 2 "
        f"WHERE payout_id = '{different.id}'"
    )
    await paying_shop.later(hand, seconds=1)
    await pays_from_elsewhere(hand, account, 7_777)
    await look(paying_shop)
    await paying_shop.later(hand, minutes=16)

    found = await reconcile(paying_shop)
    checked = await paying_shop.container.engine.night_watch.check(paying_shop.store.id)

    named = {(each.kind, each.payout_id) for each in found.differences}
    assert named == {("missing", missing.id), ("different", different.id), ("extra", None)}
    assert not found.is_clean
    assert checked.findings == ()
    assert not checked.is_clean
    (kept,) = checked.reconciliations
    assert (kept.span, kept.differences) == (Span.MONTH, 3)
    assert set(kept.found.differences) == set(found.differences)
    assert "not_reconciled" in await paying_shop.alerts()


async def test_a_difference_that_an_owner_has_seen_is_no_alarm_until_it_changes(
    paying_shop: Shop, hand: Hand, account: FlashAccount, beneath: Raw
) -> None:
    shop, store_id = paying_shop, paying_shop.store.id
    engine = shop.container.engine
    await look(shop)
    await compare(shop)
    await shop.later(hand, seconds=1)
    await pays_from_elsewhere(hand, account, 7_777)
    await look(shop)
    await shop.later(hand, minutes=16)
    await compare(shop)
    (extra,) = (await engine.night_watch.check(store_id)).differences
    see = engine.reconciliations.see
    with pytest.raises(InvalidField):
        await see(store_id, extra.key, " \u200b ", ALICE)
    with pytest.raises(NotFoundError):
        await see(store_id, "another", "Rent", ALICE)

    await see(store_id, extra.key, "Rent, paid by hand", ALICE)

    checked = await engine.night_watch.check(store_id)
    assert checked.is_clean
    assert checked.differences == (extra,)
    (seen,) = checked.seen
    assert (seen.reason, seen.actor_id) == ("Rent, paid by hand", ALICE.id)
    with pytest.raises(StateChanged):
        await see(store_id, extra.key, "Rent", ALICE)
    async with api_of(shop) as api:
        told = await api.get("wallet/checks", role=Role.VIEWER)
    assert (told["is_clean"], told["differences"][0]["seen_because"]) == (True, seen.reason)
    wrote = beneath.rows("SELECT subject_id, after FROM audit WHERE action = 'difference.seen'")
    assert wrote == [(extra.row_id, '{"reason":"Rent, paid by hand"}')]

    beneath.run("UPDATE statement_rows SET amount_nanousd = amount_nanousd * 2")
    changed = await engine.night_watch.check(store_id)
    assert not changed.is_clean
    assert changed.differences != (extra,)


async def test_books_that_contradict_themselves_are_told_at_night(
    paying_shop: Shop, hand: Hand, beneath: Raw
) -> None:
    pull = await paying_shop.pull_payment()
    payout = await paying_shop.claim(pull, (await hand.home_invoice()).pr)
    assert payout.state is PayoutState.COMPLETED
    watch = paying_shop.container.engine.night_watch
    assert (await watch.check(paying_shop.store.id)).is_clean

    beneath.run(f"UPDATE pull_payments SET paid = paid - 1 WHERE id = '{pull.id}'")
    paying_shop.clock.advance(seconds=1)

    assert not (await watch.check(paying_shop.store.id)).is_clean
    assert "audit_found" in await paying_shop.alerts()


async def test_what_is_open_is_compared_every_ten_minutes_and_told_once(
    paying_shop: Shop, hand: Hand
) -> None:
    watch = paying_shop.container.engine.night_watch
    await in_doubt(paying_shop, hand, "debited_but_error", 9_000)
    minted = await hand.foreign_invoice(4_000)
    await hand.fault("row_delay", match={"payment_hash": minted.hash}, times=1, delay_ms=86_400_000)
    hidden = await paying_shop.claim(await paying_shop.pull_payment(), minted.pr)
    await paying_shop.later(hand, minutes=16)

    first = await watch.compare_open(paying_shop.store.id)
    await watch.compare_open(paying_shop.store.id)

    assert first is not None
    assert (first.matched, first.is_whole) == (1, True)
    assert [(each.kind, each.payout_id) for each in first.differences] == [("missing", hidden.id)]
    assert (await paying_shop.alerts()).count("not_reconciled") == 1
    (kept,) = (await watch.checked(paying_shop.store.id)).reconciliations
    assert (kept.span, kept.found.differences) == (Span.OPEN, first.differences)
