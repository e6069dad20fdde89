"""Raises the market's budgets before they are used up, as its owner would."""

from __future__ import annotations

import asyncio
from typing import Final

import structlog

from app.container import Container
from app.sandbox.townsfolk import FUNDS
from models.errors import ServiceError
from models.pull_payment import PullPayment
from models.store import Actor, ActorKind
from services.pull_payments import PullPaymentChange

_LOOK_S: Final = 30.0
_LOW_PARTS: Final = 10
_RAISE_PARTS: Final = 4
_PAGE: Final = 100
# Pocket money stays used up, and what is over stays over.
_KEPT: Final = frozenset(
    fund.name for fund in FUNDS if fund.is_open and fund.auto_approve and fund.key != "pocket"
)
PURSER: Final = Actor(ActorKind.SYSTEM, "demo")

_log = structlog.get_logger(__name__)


async def keep_budgets(container: Container) -> None:
    """Look at the demo's budgets for ever."""
    while True:
        try:
            await raise_low_budgets(container)
        except ServiceError as error:
            _log.warning("demo.budgets_not_raised", code=error.code)
        await asyncio.sleep(_LOOK_S)


async def raise_low_budgets(container: Container) -> int:
    """Raise every budget of which less than a tenth is free; returns how many."""
    raised = 0
    for store in await container.stores.all():
        for fund in await container.pull_payments.page(store.id, _PAGE, None):
            if _is_low(fund, container):
                change = PullPaymentChange(amount=fund.budget + fund.budget // _RAISE_PARTS)
                await container.pull_payments.change(store.id, fund.id, change, PURSER)
                raised += 1
    return raised


def _is_low(fund: PullPayment, container: Container) -> bool:
    is_ours = fund.name in _KEPT and fund.is_open(container.clock.utc_now())
    return is_ours and fund.remaining < fund.budget // _LOW_PARTS
