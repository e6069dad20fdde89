"""Reads how far a new store is, and shows it on the dashboard until the first payout."""

from __future__ import annotations

from app.connecting import operators_store
from app.pages.connection import connection_of
from app.pages.follower import Follower
from app.pages.visit import Visit
from components.first_steps import FirstStepsPanel
from models.first_steps import FirstSteps, WalletSign, sign_of
from models.payout_filter import PayoutFilter

NEWEST_CARDS = 50
_QUESTION = "first steps"
_OVER = FirstSteps(
    WalletSign.CONNECTED,
    has_pull_payment=True,
    has_card=True,
    has_keys_out=True,
    has_tap=True,
    is_over=True,
)


class FirstStepsView:
    """The panel of one dashboard; a store with payouts, as the demo has them, never sees it."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self._is_over = False
        self._panel = FirstStepsPanel(visit.store.id)
        self._follower: Follower[FirstSteps] = Follower(visit, _QUESTION, self._read, self._show)

    async def connected(self) -> None:
        """Begin to follow, unless there is nothing more to show."""
        if not self._is_over:
            await self._follower.join()

    def gone(self) -> None:
        """Stop following."""
        self._follower.leave()

    def _show(self, steps: FirstSteps) -> None:
        self._panel.show(steps)
        if steps.is_over:
            self._is_over = True
            self._follower.leave()

    async def _read(self) -> FirstSteps:
        container, store_id = self._visit.container, self._visit.store.id
        if (await container.payouts.page(store_id, PayoutFilter(), 1)).items:
            return _OVER
        connection = connection_of(container, await container.wallets.read(store_id))
        cards = await container.card_views.newest(store_id, NEWEST_CARDS)
        trouble = None if connection is None else connection.last_error
        operators = operators_store(container, await container.stores.all())
        is_operators = operators is not None and operators.id == store_id
        is_meant = is_operators or await container.connections.of(store_id) is not None
        return FirstSteps(
            wallet=sign_of(
                is_configured=is_meant,
                is_connected=connection is not None and connection.connected,
                trouble=trouble,
            ),
            has_pull_payment=bool(await container.pull_payments.page(store_id, 1, None)),
            has_card=bool(cards),
            has_keys_out=any(card.use.handed_at is not None for card in cards),
            has_tap=any(card.use.first_tap_at is not None for card in cards),
            trouble=trouble,
        )
