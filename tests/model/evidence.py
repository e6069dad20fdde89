"""What may be concluded of one invoice: every order of sends, replies, look-ups, books and hours.

One key, sends that get lost or arrive late, a Flash that keeps results (but no errors) under the
key for a day, and the product's own rules R, W and B. `flaws` breaks one rule at a time.

Of the world it is assumed that an invoice of Flash's own is settled or failed ten minutes after
it ran out, and that what is under way is debited unless Flash called it pending and was heard.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from typing import NamedTuple

from models.payout import Attempt, PayeeHome, Send, SendAnswer
from models.states import PayoutState
from services import attempt_policy as policy
from tests.model.explore import Found, explore
from tests.support.builders import a_payout, a_send, a_store, an_attempt
from tests.support.clock import NOON

S = PayoutState
CLOSED = frozenset({S.COMPLETED, S.FAILED, S.EXPIRED, S.NEEDS_REVIEW})
MOST_SENDS = 2
# Each a moment later than the one before, in all that the rules tell apart.
FRESH, FORGOTTEN, EXPIRED, OVER, LATER = range(5)
FORGETS_AFTER = timedelta(hours=24)


def moments(life: timedelta) -> tuple[datetime, ...]:
    """Return when each of them is, for an invoice that lives so long."""
    over = NOON + life + policy.EXPIRY_GRACE
    return (
        NOON + timedelta(minutes=1),
        NOON + min(timedelta(hours=25), life - timedelta(minutes=1)),
        NOON + life + timedelta(seconds=1),
        over,
        over + policy.EXPIRED_TWICE_APART,
    )


# Flash forgets its key while the long-lived invoice can still be paid.
LIVES = {"short": timedelta(hours=1), "long": timedelta(hours=48)}
MOMENTS = {life: moments(lasts) for life, lasts in LIVES.items()}
REPLIES = {
    "unknown": (SendAnswer.UNKNOWN, None),
    "error": (SendAnswer.ERROR, None),
    "refused": (SendAnswer.REFUSED, "INSUFFICIENT_BALANCE"),
    "failed": (SendAnswer.REFUSED, policy.KEPT_FAILURE),
    "pending": (SendAnswer.PENDING, None),
    "settled": (SendAnswer.SETTLED, None),
}
Flaws = frozenset[str]


class Look(NamedTuple):
    """A status that was read, whether the statement was clear, and not yet written down."""

    says: str
    is_clear: bool


class World(NamedTuple):
    """One payout with one invoice, and all that there is to know of it."""

    is_home: bool
    life: str
    state: PayoutState = S.APPROVED
    moment: int = FRESH
    replies: tuple[str, ...] = ()
    is_late: bool = False
    kept: str | None = None
    flash: str = "none"
    is_listed: bool = False
    seen: int | None = None
    agreed: int | None = None
    look: Look | None = None

    @property
    def now(self) -> datetime:
        return MOMENTS[self.life][self.moment]

    @property
    def is_forgotten(self) -> bool:
        return self.now >= NOON + FORGETS_AFTER


Step = tuple[str, World]


@cache
def attempt_of(life: str, seen: int | None, *, is_home: bool) -> Attempt:
    home = PayeeHome.HOME if is_home else PayeeHome.FOREIGN
    expiry = NOON + LIVES[life]
    made = an_attempt(a_payout(a_store()), id="at_one", invoice_expires_at=expiry, home=home)
    return replace(made, expired_seen_at=None if seen is None else MOMENTS[life][seen])


@cache
def sends_of(replies: tuple[str, ...]) -> tuple[Send, ...]:
    attempt = attempt_of("short", None, is_home=True)
    return tuple(
        a_send(attempt, REPLIES[reply][0], answer_code=REPLIES[reply][1], number=number)
        for number, reply in enumerate(replies, 1)
    )


def ran(world: World) -> Iterator[tuple[World, str]]:
    """Have Flash take a request: it replays what it keeps, and else runs the payment."""
    if world.kept is not None and not world.is_forgotten:
        yield world, world.kept
    elif world.flash not in {"none", "failed"} or world.moment >= EXPIRED:
        yield world, "error"
    else:
        for status, reply in (("settled", "settled"), ("failed", "failed")):
            yield world._replace(flash=status, kept=reply), reply
        for status in ("inflight", "held"):
            yield world._replace(flash=status, kept="pending"), "pending"
        # Flash keeps no errors, whether it did nothing or debited all the same.
        yield world, "refused"
        yield world._replace(flash="inflight"), "error"


def by_sends(world: World, flaws: Flaws) -> Iterator[Step]:
    is_due = world.state is S.APPROVED and world.moment < EXPIRED
    if world.state is S.IN_FLIGHT and len(world.replies) < MOST_SENDS:
        attempt = attempt_of(world.life, world.seen, is_home=world.is_home)
        sends = sends_of(world.replies)
        is_due = policy.may_repeat(attempt, sends, world.now, flash_wallet_id="flash-wallet")
    if world.state is S.APPROVED and world.moment >= EXPIRED:
        yield "nothing was sent in time", world._replace(state=S.EXPIRED)
    if is_due:
        yield "the send is lost", answered(world, "unknown", flaws)
        yield "the send is late", answered(world._replace(is_late=True), "unknown", flaws)
        for after, reply in ran(world):
            yield f"sent: {reply}", answered(after, reply, flaws)
            if after.flash != "held":
                yield f"sent: {reply}, and the answer lost", answered(after, "unknown", flaws)


def answered(world: World, reply: str, flaws: Flaws) -> World:
    """Write a reply down, and conclude from it what the rules allow."""
    replies = (*world.replies, reply)
    world, sends = world._replace(replies=replies), sends_of(replies)
    says_no = reply in {"refused", "failed"}
    if reply == "settled":
        return world._replace(state=S.COMPLETED)
    if says_no and (policy.all_did_nothing(sends) or "key_replay_is_look_up" in flaws):
        return world._replace(state=S.FAILED)
    if reply == "failed" and "kept_failure_decides_at_once" in flaws:
        return world._replace(state=S.FAILED)
    return world._replace(state=S.IN_FLIGHT)


def by_look_ups(world: World, flaws: Flaws) -> Iterator[Step]:
    counts_as_home = world.is_home or "home_rule_for_foreign" in flaws
    attempt, now = attempt_of(world.life, world.seen, is_home=counts_as_home), world.now
    if world.state is not S.IN_FLIGHT:
        return
    if policy.is_refused_and_over(attempt, sends_of(world.replies), now):
        yield "the kept failure has outlived the invoice", world._replace(state=S.FAILED)
    if world.look is None and world.moment >= EXPIRED:
        says = "PAID" if world.is_home and world.flash == "settled" else "EXPIRED"
        is_clear = policy.expired_twice(attempt, now) and not world.is_listed
        yield f"Flash says {says}", world._replace(look=Look(says, is_clear))
    if world.look is not None:
        yield f"{world.look.says} is written down", told(world, world.look, attempt, flaws)
    yield from by_books(world, flaws)
    if world.moment == LATER:
        yield "a day has passed", world._replace(state=S.NEEDS_REVIEW)


def told(world: World, look: Look, attempt: Attempt, flaws: Flaws) -> World:
    """Write down what Flash said of the invoice (rule W)."""
    after, now = world._replace(look=None), world.now
    if look.says == "PAID":
        return after._replace(state=S.COMPLETED)
    if "home_expired_at_once" in flaws and attempt.home is PayeeHome.HOME:
        return after._replace(state=S.FAILED)
    if look.is_clear and policy.expired_twice(attempt, now):
        return after._replace(state=S.FAILED)
    if world.seen is None and policy.expired_counts(attempt, now):
        return after._replace(seen=world.moment)
    return after


def by_books(world: World, flaws: Flaws) -> Iterator[Step]:
    """Compare the books (rule B): twice, after the invoice is over, and not of what is pending."""
    agrees = world.flash in {"none", "failed", "held"}
    is_pending = "pending" in world.replies and "closed_book_of_pending" not in flaws
    is_over = world.moment >= OVER or "closed_book_before_expiry" in flaws
    if not agrees or is_pending or not is_over:
        return
    if world.agreed is None:
        yield "the books agree", world._replace(agreed=world.moment)
    elif world.agreed < world.moment:
        yield "the books agree again", world._replace(state=S.FAILED)


def by_the_world(world: World) -> Iterator[Step]:
    if world.is_late:
        for after, _ in ran(world._replace(is_late=False)):
            if after.flash != "held" or world.flash == "held":
                yield "the late send arrives", after
    is_under_way = world.flash in {"inflight", "held"}
    if is_under_way:
        for ending in ("settled", "failed"):
            yield f"Flash: {ending}", world._replace(flash=ending)
    if world.flash == "settled" and not world.is_listed:
        yield "the row is listed", world._replace(is_listed=True)
    may_pass = world.moment < LATER and not (
        world.moment == EXPIRED and world.is_home and is_under_way
    )
    if may_pass:
        yield "time passes", world._replace(moment=world.moment + 1)


def wrong_with(world: World) -> str | None:
    if world.flash == "settled" and world.state is S.FAILED:
        return "released while paid"
    if world.state is S.COMPLETED and world.flash != "settled":
        return "completed without a payment"
    return None


def check(*flaws: str, is_home: bool, life: str) -> Found:
    """Walk through all that can be told of an invoice, of Flash's own or of somebody else's."""
    broken = frozenset(flaws)

    def steps(world: World) -> Iterator[Step]:
        yield from by_sends(world, broken)
        yield from by_look_ups(world, broken)
        yield from by_the_world(world)

    return explore(World(is_home, life), steps, wrong_with, CLOSED)
