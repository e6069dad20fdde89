"""The end of all trouble, and as much time as it takes for everything to come to rest."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.stateful.acts import ALICE
from tests.stateful.house import House


def drain(house: House) -> None:
    """End all trouble, and let the time pass by which everything must have come to rest."""
    mend(house)
    for name, process in list(house.processes.items()):
        process.life.go_on()
        process.life.fuse = None
        if name != "one":
            house.kill(name)
    house.start("one")
    house.settle_in()
    for socket in house.flash.sockets:
        house.loop.call(socket.reconnect)
    for row in house.flash.ledger():
        if row["state"] == "inflight":
            end_payment(house, row, is_settled=row["id"] % 2 == 0)
    house.let_pass(7.0)
    _let_all_go(house)
    waits = (10, 10, 60, 60, 300, 300, 300, 400, 400, 400, 1800, 3600, 3600, 7200)
    for seconds in (*waits, *(36_000,) * 10):
        if not _is_open(house):
            break
        house.jump(timedelta(seconds=seconds))
        house.let_pass(8.0)
        _let_all_go(house)
    # What is closed is still read of in the statement, told, and compared with the books.
    for _ in range(3):
        house.jump(timedelta(minutes=11))
        house.let_pass(6.0)


def mend(house: House) -> None:
    """Have Flash, and the way to it, be well again."""
    flash = house.flash
    flash.world.faults.clear()
    flash.ways.clear()
    flash.is_away = flash.host_is_away = False


def end_payment(house: House, row: dict[str, Any], *, is_settled: bool) -> None:
    """End a payment that Flash has under way."""
    payments = house.flash.world.payments
    payment = payments.live(row["payment_hash"])
    if payment is not None:
        house.loop.call(payments.end, payment, is_settled=is_settled)


def _let_all_go(house: House) -> None:
    """Have people do what waits for them alone."""
    store_id, alice = house.store.id, ALICE
    container = house.reachable().container
    house.ask(container.wallets.resume(store_id, alice))
    for payout_id, revision, state in house.raw.rows("SELECT id, revision, state FROM payouts"):
        if state == "awaiting_approval":
            house.ask(container.payouts.approve(store_id, payout_id, revision, alice))
    if house.raw.value("SELECT count(*) FROM wallets WHERE gate <> 'open'"):
        house.ask(container.wallets.open_gate(store_id, alice))
    held = "SELECT payout_id FROM holds WHERE released_at IS NULL"
    for (payout_id,) in house.raw.rows(held):
        house.ask(container.engine.interventions.release(store_id, payout_id, alice))


def _is_open(house: House) -> bool:
    query = (
        "SELECT count(*) FROM payouts WHERE state IN "
        "('pending', 'awaiting_approval', 'approved', 'processing', 'in_flight')"
    )
    return bool(house.raw.value(query))
