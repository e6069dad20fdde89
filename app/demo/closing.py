"""Brings the founded market to where its past has left it: counters, budgets, the newest taps."""

from __future__ import annotations

from typing import Final

from app.container import Container
from app.demo.founding import FIRST_BUDGET, Market
from app.demo.plan import Plan
from app.demo.tally import Tally
from app.sandbox.townsfolk import FUNDS, Fund
from models.instants import from_us
from models.store import Actor, ActorKind
from services.pull_payments import PullPaymentChange
from services.storage.bulk import set_audit_count, set_budget, set_card
from services.storage.statement import Transaction

# What is free beyond what was used: a third of it, and never less than this.
_FREE_PARTS: Final = 3
_LEAST_FREE: Final = FIRST_BUDGET
# The child's pocket money is all but gone.
_USED_UP: Final = "pocket"
_USED_UP_STEP: Final = 500


async def close_books(container: Container, market: Market, plan: Plan, tally: Tally) -> None:
    """Write what the parts of the past add up to."""
    database, store_id = container.database, market.store_id
    await database.write(set_audit_count, store_id, tally.audit_count)
    owner = Actor(ActorKind.PERSON, market.owner_id)
    for fund in FUNDS:
        used = tally.reserved[fund.key] + tally.paid[fund.key]
        budget = _budget(fund, used)
        change = PullPaymentChange(amount=budget)
        await container.pull_payments.change(store_id, market.funds[fund.key], change, owner)
    await database.write(_set_counters, market, plan, tally)


def _budget(fund: Fund, used: int) -> int:
    """Return a budget that covers what was used, as round as people choose them."""
    if fund.key == _USED_UP:
        return max(_USED_UP_STEP, -(-used // _USED_UP_STEP) * _USED_UP_STEP)
    free = max(used // _FREE_PARTS, _LEAST_FREE[fund.currency]) if fund.is_open else 0
    wanted = max(used + free, FIRST_BUDGET[fund.currency])
    step: int = 5 * 10 ** max(0, len(str(wanted)) - 2)
    return -(-wanted // step) * step


def _set_counters(tx: Transaction, market: Market, plan: Plan, tally: Tally) -> None:
    for key, pull_payment_id in market.funds.items():
        reserved, paid = tally.reserved[key], tally.paid[key]
        set_budget(tx, market.store_id, pull_payment_id, reserved=reserved, paid=paid)
    for place, (card_id, key_set_id) in market.cards.items():
        used_us = tally.last_used_us.get(place)
        used_at = None if used_us is None else from_us(used_us)
        counter = plan.counters[place]
        set_card(tx, market.store_id, card_id, key_set_id, counter=counter, used_at=used_at)
