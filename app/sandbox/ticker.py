"""Publishes prices at a steady pace and keeps where the walk stands."""

from __future__ import annotations

from typing import Final

from app.sandbox import ledger_sql as sql
from app.sandbox.events import PRICE_TICKS, price_topic
from app.sandbox.fields.prices import price_updates
from app.sandbox.world import World
from app.sandbox.writer import LedgerBusy

_PRICES: Final = "price:"


class PriceTicker:
    """Ticks once per period of sandbox time; a jump of the clock is one tick."""

    def __init__(self, world: World) -> None:
        self._world = world

    def start(self) -> None:
        """Plan the first tick."""
        self._world.timetable.after(self._world.settings.price_period_ms, self._tick)

    def _tick(self) -> None:
        self.publish()
        self._world.timetable.after(self._world.settings.price_period_ms, self._tick)

    def publish(self) -> None:
        """Tell everybody the price of now."""
        world = self._world
        world.nanousd_per_btc()
        world.hub.publish(PRICE_TICKS, None)
        for topic in world.hub.topics(_PRICES):
            for update in price_updates(world, topic.removeprefix(_PRICES)):
                world.hub.publish(price_topic(topic.removeprefix(_PRICES)), update)
        try:
            world.ledger.writer.submit([(sql.SET_META, ("price", world.price.text()))])
        except LedgerBusy:
            # The next tick keeps a newer one anyway.
            return
