"""One send from the API down to the core: faults, idempotency, and the answer that follows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from app.sandbox.accounts import Wallet
from app.sandbox.faults import Fault, Subject
from app.sandbox.idempotency import MAX_NAME_LENGTH, SendKey
from app.sandbox.payment import CannotPay, Payment, Script, ShortBalance
from app.sandbox.payments import Order
from app.sandbox.problems import (
    BAD_KEY,
    BUSY,
    CUTOVER,
    GENERIC,
    Problem,
    Reply,
    insufficient_balance,
)
from models.invoice import Invoice

if TYPE_CHECKING:
    from app.sandbox.world import World

# These answer before the key is looked at, the others when the payment would run.
_AT_THE_DOOR: Final = ("status_null", "cutover_in_progress", "busy_lock")
_IN_THE_CORE: Final = (
    "pending_then_success",
    "pending_then_failure",
    "pending_forever",
    "debited_but_error",
    "generic_error",
    "already_prepared",
    "failure_empty_errors",
    "insufficient_balance",
    "slow_settle",
    "send_error",
)
_PENDING: Final = frozenset({"pending_then_success", "pending_then_failure", "pending_forever"})
_REFUSING: Final = frozenset({"generic_error", "already_prepared"})


@dataclass(frozen=True, slots=True)
class Errand:
    """What a send mutation wants paid, and the words it uses when that fails."""

    operation: str
    wallet: Wallet
    invoice: Invoice
    amount_msat: int
    generic: Problem = GENERIC
    already_prepared: Problem = GENERIC
    # LNURL payments are answered before they are through, whatever becomes of them.
    answers_pending: bool = False

    @property
    def subject(self) -> Subject:
        """Return what a fault may match."""
        return Subject(self.operation, self.wallet.id, self.invoice.payment_hash)


async def run(world: World, errand: Errand, key_text: str | None, fingerprint: str) -> Reply:
    """Send, or replay what the same key has already sent."""
    turned_away = _at_the_door(world, errand)
    if turned_away is not None:
        return turned_away
    name = (key_text or "").strip()
    if not name:
        return await _send(world, errand, None)
    if len(name) > MAX_NAME_LENGTH:
        return Reply("FAILURE", BAD_KEY)
    key = SendKey.of(errand.wallet.id, name, fingerprint)
    return await world.idempotency.guard(key, lambda: _send(world, errand, key))


def _at_the_door(world: World, errand: Errand) -> Reply | None:
    fault = None
    if world.faults.wants("send"):
        fault = world.faults.draw("send", errand.subject, *_AT_THE_DOOR)
    if fault is None:
        return Reply("FAILURE", CUTOVER) if world.cutover == "IN_PROGRESS" else None
    if fault.kind == "status_null":
        return Reply(None, Problem(fault.params["message"]))
    if fault.kind == "cutover_in_progress":
        return Reply("FAILURE", CUTOVER)
    if fault.params["executed"]:
        # The first call of the race, which this one found the lock held by.
        _start(world, errand, None, None)
    return BUSY


async def _send(world: World, errand: Errand, key: SendKey | None) -> Reply:
    fault = None
    if world.faults.wants("send"):
        fault = world.faults.draw("send", errand.subject, *_IN_THE_CORE)
    kind = None if fault is None else fault.kind
    if kind in _REFUSING:
        is_prepared = kind == "already_prepared"
        return Reply("FAILURE", errand.already_prepared if is_prepared else errand.generic)
    if kind == "insufficient_balance":
        return Reply("FAILURE", insufficient_balance(errand.wallet.balance_nanousd))
    if fault is not None and kind == "send_error" and not fault.params["executed"]:
        return Reply("FAILURE", Problem(fault.params["message"], fault.params["code"]))
    payment = _start(world, errand, key, fault)
    if isinstance(payment, Reply):
        return payment
    if errand.answers_pending or kind in _PENDING:
        await world.ledger.writer.flush()
        return Reply("PENDING")
    state = await payment.landed
    if kind == "debited_but_error":
        return Reply("FAILURE", errand.generic)
    if fault is not None and kind == "send_error":
        return Reply("FAILURE", Problem(fault.params["message"], fault.params["code"]))
    return Reply("SUCCESS" if state == "settled" else "FAILURE")


def _start(
    world: World, errand: Errand, key: SendKey | None, fault: Fault | None
) -> Payment | Reply:
    """Hand the payment to the core; what it refuses becomes an answer."""
    kind = None if fault is None else fault.kind
    order = Order(
        wallet=errand.wallet,
        operation=errand.operation,
        invoice=errand.invoice,
        amount_msat=errand.amount_msat,
        script=_script(world, errand, fault),
        # Flash stores no errors, so a key under an error answer stays unused.
        key=None if kind in ("debited_but_error", "send_error") else key,
        is_pending=errand.answers_pending or kind in _PENDING,
    )
    try:
        return world.payments.start(order)
    except ShortBalance as refusal:
        return Reply("FAILURE", insufficient_balance(refusal.balance_nanousd))
    except CannotPay as refusal:
        is_prepared = refusal.reason == "already_prepared"
        return Reply("FAILURE", errand.already_prepared if is_prepared else errand.generic)


def _script(world: World, errand: Errand, fault: Fault | None) -> Script:
    """Return how the payment is to end: as the fault says, else after the usual latency."""
    kind = None if fault is None else fault.kind
    params = {} if fault is None else fault.params
    low, high = world.latency_ms
    wait_ms = low if low == high else low + int(errand.invoice.payment_hash[:6], 16) % (high - low)
    wait_ms = params.get("after_ms", params.get("delay_ms", wait_ms))
    row_delay_ms, drift_sats, has_fee = world.settings.visible_ms, 0, True
    if world.faults.wants("row"):
        for each in world.faults.draw_all("row", errand.subject):
            row_delay_ms += each.params.get("delay_ms", 0)
            drift_sats += each.params.get("sats", 0)
            has_fee = has_fee and each.kind != "undefined_fee"
    is_failing = kind in ("pending_then_failure", "failure_empty_errors")
    return Script(
        ending="hold" if kind == "pending_forever" else "fail" if is_failing else "settle",
        due_ms=world.clock.now_ms() + wait_ms if wait_ms > 0 else None,
        row_delay_ms=row_delay_ms,
        drift_sats=drift_sats,
        has_fee=has_fee,
    )
