"""The town's strings: `POST`, `GET` and `DELETE /_control/town`.

`POST {"base_url", "roster"?, "seed"?, "mean_gap_ms"?, "day_s"?, "allowance_cents"?}` wakes the
town, or wakes it anew with other settings; the roster (see `town_roster.py`) is kept in the
ledger, so that the next start needs none. `GET` shows how it is doing, `DELETE` sends it to bed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final
from urllib.parse import urlsplit

from starlette.requests import Request

from app.sandbox.control.given import BadInput, Given
from app.sandbox.town import Town, TownSettings, keep_roster
from app.sandbox.town_roster import Roster
from app.sandbox.world import World

_LEAST: Final = {"seed": 0, "mean_gap_ms": 10, "day_s": 1, "allowance_cents": 0}
_ASLEEP: Final = {"is_running": False}

Handler = Callable[[World, Request], Awaitable[Any]]


class TownControl:
    """Holds the one town a world may have."""

    def __init__(self) -> None:
        self._town: Town | None = None
        self._changing = asyncio.Lock()

    def routes(self) -> dict[str, Handler]:
        """Return the handlers by method and path."""
        return {"POST town": self._wake, "GET town": self._show, "DELETE town": self._sleep}

    async def _wake(self, world: World, request: Request) -> Any:
        given = (await Given.read(request)).everything()
        roster = given.pop("roster", None)
        settings = _settings(given)
        async with self._changing:
            await self._end()
            if roster is not None:
                if not isinstance(roster, dict):
                    raise BadInput("a roster is an object")
                await keep_roster(world, Roster.read(roster))
            town = Town(world, settings)
            world.spawn(town.run())
            self._town = town
            return town.shown()

    async def _show(self, _world: World, _request: Request) -> Any:
        return _ASLEEP if self._town is None else self._town.shown()

    async def _sleep(self, _world: World, _request: Request) -> Any:
        async with self._changing:
            shown = _ASLEEP if self._town is None else self._town.shown() | _ASLEEP
            await self._end()
            return shown

    async def _end(self) -> None:
        if self._town is not None:
            await self._town.stop()
            self._town = None


def _settings(given: dict[str, Any]) -> TownSettings:
    base_url = given.pop("base_url", None)
    if not isinstance(base_url, str) or urlsplit(base_url).scheme not in ("http", "https"):
        raise BadInput("base_url is the address of the service, such as http://127.0.0.1:8080")
    for name, value in given.items():
        if type(value) is not int or value < _LEAST.get(name, value + 1):
            raise BadInput(f"{name} is not a whole number that a town takes")
    return TownSettings(base_url=base_url.rstrip("/"), **given)
