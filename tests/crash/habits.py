"""What tills do with an offer: mostly the plain thing, and everything else that happens."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from tests.crash.journal import Told
from tests.crash.till import Offer, Till

_TRIES = 6
_PATIENCE_S = 0.4


async def plain(till: Till, offer: Offer) -> None:
    """Claim once, and leave."""
    asked = await till.invoice(offer)
    if asked is not None:
        await till.claim(offer, asked)


async def insist(till: Till, offer: Offer) -> None:
    """Claim again and again until there is an answer."""
    asked = await till.invoice(offer)
    for _ in range(_TRIES if asked is not None else 0):
        assert asked is not None
        if await till.claim(offer, asked) is not Told.LOST:
            return
        await asyncio.sleep(_PATIENCE_S * till.chance.random() * 2)


async def twice_at_once(till: Till, offer: Offer) -> None:
    """Send the same callback twice at the same moment, and once more later."""
    asked = await till.invoice(offer)
    if asked is not None:
        await asyncio.gather(till.claim(offer, asked), till.claim(offer, asked))
        await till.claim(offer, asked)


async def two_invoices_for_one_k1(till: Till, offer: Offer) -> None:
    """Try to draw twice by one tap."""
    first, second = await till.invoice(offer), await till.invoice(offer)
    if first is not None and second is not None:
        await asyncio.gather(till.claim(offer, first), till.claim(offer, second))


async def one_invoice_with_two_k1(till: Till, offer: Offer) -> None:
    """Try to have one invoice paid by two offers."""
    other = await till.offer()
    asked = await till.invoice(offer)
    if asked is not None and other is not None:
        await asyncio.gather(till.claim(offer, asked), till.claim(other, asked))


async def walk_away(till: Till, offer: Offer) -> None:
    """Hang up before the answer comes, as a wallet does that loses its network."""
    asked = await till.invoice(offer)
    if asked is not None:
        await till.claim(offer, asked, timeout_s=0.02 + till.chance.random() * 0.1)


async def replay_the_tap(till: Till, offer: Offer) -> None:
    """Show the last read of a card once more, then claim by the first."""
    if till.cards:
        await till.tap(till.chance.choice(till.cards), again=True)
    await plain(till, offer)


_HABITS: dict[Callable[[Till, Offer], Awaitable[None]], int] = {
    plain: 30,
    insist: 25,
    twice_at_once: 15,
    two_invoices_for_one_k1: 8,
    one_invoice_with_two_k1: 8,
    walk_away: 8,
    replay_the_tap: 6,
}


async def keep_busy(till: Till, closing: asyncio.Event) -> None:
    """Serve customers until closing time."""
    while not closing.is_set():
        offer = await till.offer()
        if offer is None:
            await asyncio.sleep(_PATIENCE_S * till.chance.random())
            continue
        habit = till.chance.choices(list(_HABITS), list(_HABITS.values()))[0]
        await habit(till, offer)
