"""One visit, from wanting something to having it paid or being sent away."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Final

from app.sandbox.habits import Basket, basket
from app.sandbox.town_luck import Mistake, Weather, mistake
from app.sandbox.town_queue import Asked
from app.sandbox.town_roster import TownCard
from app.sandbox.town_till import Offered, Refused, Till
from app.sandbox.town_wallets import Ask, ask_for
from app.sandbox.townsfolk import FUND_OF, Customer
from app.sandbox.world import World
from models.money import MSAT_PER_SAT

WENT_HOME: Final = "went home"
QUEUE_TOO_LONG: Final = "the queue was too long"
_TILL_EXPIRY_S: Final = (60, 120, 180, 300)
_LINK_EXPIRY_S: Final = 3_600
_EXPENSE_EXPIRY_S: Final = (2_700, 5_400, 7_200)
_STALE_S: Final = 1
_TOO_MUCH_FACTOR: Final = 40


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who comes, with a card and its next counter or with a link, and what they know."""

    customer: Customer
    card: TownCard | None
    counter: int
    claim_token: str | None
    asked: Asked
    glance: str | None


async def visit(
    world: World, weather: Weather, till: Till, visitor: Visitor, chance: random.Random
) -> str | None:
    """Go through with a visit; returns nothing if it was accepted, else why it was not.

    Raises:
        Silent: The service does not answer.
        LedgerBusy: The sandbox has too much to do.
    """
    made = mistake(chance)
    wanted = basket(chance, visitor.customer)
    if FUND_OF[visitor.customer.fund].auto_approve:
        return await _try(world, weather, till, visitor, wanted, made, chance)
    async with visitor.asked.counter:
        if not await visitor.asked.is_short(till, world.clock, visitor.glance):
            return QUEUE_TOO_LONG
        return await _try(world, weather, till, visitor, wanted, made, chance)


async def _try(
    world: World,
    weather: Weather,
    till: Till,
    visitor: Visitor,
    wanted: Basket,
    made: Mistake,
    chance: random.Random,
) -> str | None:
    try:
        offered = await _offered(till, visitor)
        if made is Mistake.CHANGED_MIND:
            return WENT_HOME
        sats = _sats(world, wanted, offered, made, chance)
        expiry_s = _expiry_s(visitor, made, chance)
        ask = await ask_for(world, wanted.payee, sats, wanted.memo, expiry_s)
        weather.befall(chance, wanted.payee, ask)
        await till.draw(offered, ask.pr)
        if not FUND_OF[visitor.customer.fund].auto_approve:
            visitor.asked.add(ask, world.clock.now_s() + expiry_s)
        await _afterwards(till, visitor, offered, ask, made)
    except Refused as refused:
        return refused.reason
    return None


async def _offered(till: Till, visitor: Visitor) -> Offered:
    if visitor.card is not None:
        return await till.tap(visitor.card, visitor.counter)
    assert visitor.claim_token is not None
    return await till.scan(visitor.claim_token)


def _sats(
    world: World, wanted: Basket, offered: Offered, made: Mistake, chance: random.Random
) -> int:
    """Return the amount: as priced, within what may be drawn unless that is the mistake."""
    sats = wanted.sats(world.nanousd_per_btc())
    if made is Mistake.TOO_MUCH:
        return sats * _TOO_MUCH_FACTOR
    if offered.takes(sats):
        return sats
    least, most = offered.min_msat // MSAT_PER_SAT, offered.max_msat // MSAT_PER_SAT
    if most > 0 and chance.random() < 0.5:  # noqa: PLR2004  # half take what they can get
        return max(least, min(sats, most))
    raise Refused("the till saw that it is not enough")


def _expiry_s(visitor: Visitor, made: Mistake, chance: random.Random) -> int:
    if made is Mistake.STALE_INVOICE:
        return _STALE_S
    if not FUND_OF[visitor.customer.fund].auto_approve:
        return chance.choice(_EXPENSE_EXPIRY_S)
    return _LINK_EXPIRY_S if visitor.card is None else chance.choice(_TILL_EXPIRY_S)


async def _afterwards(
    till: Till, visitor: Visitor, offered: Offered, ask: Ask, made: Mistake
) -> None:
    """Do once more what was done, as impatient people and old tills do; neither pays twice."""
    if made is Mistake.ASK_TWICE:
        await till.draw(offered, ask.pr)
    if made is Mistake.TAP_AGAIN and visitor.card is not None:
        try:
            await till.tap(visitor.card, visitor.counter)
        except Refused:
            # The same read again is a replay, and no till is surprised.
            await till.tap(visitor.card, visitor.counter + 1)
