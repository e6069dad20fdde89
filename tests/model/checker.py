"""An explicit-state check of a payout's life: every interleaving of workers, look-ups and network.

One payout, up to two invoices, two workers that may stall or die anywhere, a look-up whose reading
and writing are separate steps, and a network that drops, loses answers, or delays a send for ever.
The states and the steps between them are the product's own; `flaws` breaks one rule at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from models.states import RELEASED, PayoutState
from tests.model.explore import Found, explore

S = PayoutState
INVOICES, WORKERS, MOST_SENDS = 2, 2, 2
CLOSED = frozenset({S.COMPLETED, S.FAILED, S.CANCELLED})
Flaws = frozenset[str]


class Hand(NamedTuple):
    """What a worker holds: a claim that is to be sent, or a reply that is to be written down."""

    fence: int
    invoice: int
    reply: str | None


class Looked(NamedTuple):
    """What a look-up read, as of the moment it read it."""

    invoice: int
    says: str
    fence: int
    is_over: bool
    is_quiet: bool


class World(NamedTuple):
    """The database (state, fence, invoice, logged and answered sends) and the world around it."""

    state: PayoutState
    fence: int
    now: int
    sends: tuple[int, ...]
    answered: tuple[int, ...]
    hands: tuple[Hand | None, ...]
    looked: Looked | None
    delayed: tuple[int, ...]
    flash: tuple[str, ...]
    over: tuple[bool, ...]


FIRST = World(
    S.APPROVED,
    0,
    0,
    (0,) * INVOICES,
    (0,) * INVOICES,
    (None,) * WORKERS,
    None,
    (0,) * INVOICES,
    ("none",) * INVOICES,
    (False,) * INVOICES,
)
Step = tuple[str, World]


def put(values: tuple[object, ...], place: int, value: object) -> tuple:
    return (*values[:place], value, *values[place + 1 :])


def is_dead(says: str, looked: Looked, flaws: Flaws) -> bool:
    """Tell whether an invoice may be given up: all facts are as of the look-up."""
    if says == "failed":
        return looked.is_quiet or looked.is_over or "ignore_outstanding" in flaws
    if says == "none":
        return (looked.is_over and "person_for_none" not in flaws) or "not_found_is_dead" in flaws
    return False


def given_up(world: World) -> World:
    """Go on to the next invoice, or fail for good: the money goes back."""
    if world.now + 1 < INVOICES:
        return world._replace(state=S.APPROVED, now=world.now + 1, fence=world.fence + 1)
    return world._replace(state=S.FAILED, fence=world.fence + 1)


def unknown(world: World) -> World:
    return world._replace(state=S.IN_FLIGHT, fence=world.fence + 1)


def delivered(world: World, invoice: int) -> Iterator[tuple[World, str]]:
    """Let a send reach Flash: one invoice never runs twice at once, nor after success."""
    status = world.flash[invoice]
    if status == "settled":
        yield world, "already"
    elif status == "inflight":
        yield world, "err"
    elif world.over[invoice]:
        yield world, "fail"
    else:
        for becomes, reply in (("inflight", "pending"), ("settled", "ok"), ("failed", "fail")):
            yield world._replace(flash=put(world.flash, invoice, becomes)), reply


def recorded(world: World, worker: int, flaws: Flaws) -> World:
    """Write down the reply that a worker holds."""
    hand = world.hands[worker]
    assert hand is not None
    invoice, reply = hand.invoice, hand.reply
    world = world._replace(hands=put(world.hands, worker, None))
    if "no_write_ahead" in flaws:
        sends = put(world.sends, invoice, min(MOST_SENDS, world.sends[invoice] + 1))
        world = world._replace(sends=sends)
    if reply in {"ok", "fail", "pending"} and world.answered[invoice] < world.sends[invoice]:
        answered = put(world.answered, invoice, world.answered[invoice] + 1)
        world = world._replace(answered=answered)
    if reply == "ok":  # proof is taken from anyone, at any time
        return world if world.state in CLOSED else world._replace(state=S.COMPLETED)
    is_mine = hand.fence == world.fence and world.state is S.PROCESSING
    if world.state in CLOSED or not (is_mine or "no_fence" in flaws):
        return world
    if reply == "err" and "unknown_is_success" in flaws:
        return world._replace(state=S.COMPLETED)
    if reply == "err" and "unknown_is_failure" in flaws:
        return given_up(world)
    if reply == "fail":  # it speaks for its own send only
        all_answered = world.sends[invoice] == world.answered[invoice]
        is_sole = world.sends[invoice] == 1 or "ignore_outstanding" in flaws
        if is_sole or ("trust_reply" in flaws and all_answered):
            return given_up(world)
    return unknown(world)


def by_workers(world: World, flaws: Flaws) -> Iterator[Step]:
    for worker, hand in enumerate(world.hands):
        if hand is None:
            may_begin = world.state in {S.APPROVED, S.IN_FLIGHT}
            if may_begin and world.sends[world.now] < MOST_SENDS:
                yield f"{worker} claims {world.now}", _claimed(world, worker, flaws)
            continue
        yield f"{worker} dies", world._replace(hands=put(world.hands, worker, None))
        if hand.reply is None:
            yield from _sent(world, worker, hand)
        else:
            yield f"{worker} records {hand.reply}", recorded(world, worker, flaws)


def _claimed(world: World, worker: int, flaws: Flaws) -> World:
    begun = world._replace(state=S.PROCESSING, fence=world.fence + 1)
    if "no_write_ahead" not in flaws:
        begun = begun._replace(sends=put(begun.sends, begun.now, begun.sends[begun.now] + 1))
    hand = Hand(begun.fence, begun.now, None)
    return begun._replace(hands=put(begun.hands, worker, hand))


def _sent(world: World, worker: int, hand: Hand) -> Iterator[Step]:
    def told(after: World, reply: str) -> World:
        return after._replace(hands=put(after.hands, worker, hand._replace(reply=reply)))

    invoice = hand.invoice
    yield f"{worker} sends {invoice}: dropped", told(world, "err")
    if invoice == 0:  # what matters of a delayed send is that it may outlive its invoice's turn
        late = world._replace(delayed=put(world.delayed, invoice, 1))
        yield f"{worker} sends {invoice}: delayed", told(late, "err")
    for after, reply in delivered(world, invoice):
        yield f"{worker} sends {invoice}: {reply}", told(after, reply)
        yield f"{worker} sends {invoice}: {reply}, answer lost", told(after, "err")


def by_look_ups(world: World, flaws: Flaws) -> Iterator[Step]:
    if world.state is S.PROCESSING:
        yield "lease runs out", unknown(world)
    if world.looked is None and world.state is S.IN_FLIGHT:
        says = world.flash[world.now]
        if says == "inflight" and "blind_look_up" in flaws:
            says = "none"
        is_quiet = world.sends[world.now] == world.answered[world.now]
        seen = Looked(world.now, says, world.fence, world.over[world.now], is_quiet)
        yield f"looks up {world.now}: {says}", world._replace(looked=seen)
    if world.looked is not None:
        yield f"applies {world.looked.says}", _applied(world, world.looked, flaws)
    may_cancel = world.state is S.APPROVED or (
        "cancel_after_send" in flaws and world.state is S.IN_FLIGHT
    )
    if may_cancel:
        yield "cancel", world._replace(state=S.CANCELLED, fence=world.fence + 1)


def by_approvers(world: World, flaws: Flaws) -> Iterator[Step]:
    def to(state: PayoutState) -> World:
        return world._replace(state=state, fence=world.fence + 1)

    if world.state is S.AWAITING_APPROVAL:
        yield "approve", to(S.APPROVED)
        # Whether people reject or cancel makes no difference to the money.
        yield "turn down", to(S.CANCELLED)
    in_mid_flight = "revoke_in_mid_flight" in flaws and world.state is S.IN_FLIGHT
    if world.state is S.APPROVED or in_mid_flight:
        yield "revoke the approval", to(S.AWAITING_APPROVAL)


def _applied(world: World, seen: Looked, flaws: Flaws) -> World:
    after = world._replace(looked=None)
    if seen.says == "settled":
        return after if after.state in CLOSED else after._replace(state=S.COMPLETED)
    if "quiet_at_write" in flaws:
        quiet = world.sends[seen.invoice] == world.answered[seen.invoice]
        seen = seen._replace(is_quiet=quiet)
    is_current = seen.fence == after.fence or "no_fence" in flaws
    if not is_current or after.state is not S.IN_FLIGHT or seen.invoice != after.now:
        return after
    return given_up(after) if is_dead(seen.says, seen, flaws) else after


def by_the_world(world: World) -> Iterator[Step]:
    for invoice in range(INVOICES):
        if world.delayed[invoice]:
            left = put(world.delayed, invoice, world.delayed[invoice] - 1)
            for after, _ in delivered(world._replace(delayed=left), invoice):
                yield f"delayed {invoice} arrives", after
        if world.flash[invoice] == "inflight":
            for becomes in ("settled", "failed"):
                after = world._replace(flash=put(world.flash, invoice, becomes))
                yield f"{invoice} {becomes}", after
        if not world.over[invoice] and invoice <= world.now:
            over = put(world.over, invoice, value=True)
            yield f"{invoice} runs out", world._replace(over=over)


def steps(world: World, flaws: Flaws) -> Iterator[Step]:
    yield from by_workers(world, flaws)
    yield from by_look_ups(world, flaws)
    yield from by_approvers(world, flaws)
    yield from by_the_world(world)


def rebased(world: World) -> World:
    """Number the fences anew: only which are equal matters, and so the space stays finite."""
    live = {world.fence, *(hand.fence for hand in world.hands if hand)}
    live |= {world.looked.fence} if world.looked else set()
    places = {fence: place for place, fence in enumerate(sorted(live))}
    return world._replace(
        fence=places[world.fence],
        hands=tuple(hand and hand._replace(fence=places[hand.fence]) for hand in world.hands),
        looked=world.looked and world.looked._replace(fence=places[world.looked.fence]),
    )


def wrong_with(world: World) -> str | None:
    paid = world.flash.count("settled")
    if paid > 1:
        return "paid twice"
    if paid and world.state in RELEASED:
        return "released while paid"
    if world.state is S.COMPLETED and not paid:
        return "completed without a payment"
    return None


def check(*flaws: str) -> Found:
    """Walk through every state that can be reached, breadth first."""
    broken = frozenset(flaws)
    return explore(
        rebased(FIRST),
        lambda world: ((label, rebased(after)) for label, after in steps(world, broken)),
        wrong_with,
        CLOSED,
    )
