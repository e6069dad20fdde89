"""What the world is like: faults, time, price, the cutover, and how fast payments are."""

from __future__ import annotations

from typing import Any, Final, get_args

from starlette.requests import Request

from app.sandbox.control.given import BadInput, Given
from app.sandbox.price import NANOUSD_PER_DOLLAR
from app.sandbox.world import CutoverState, World

_CUT: Final = 1006


async def _faults(world: World, _request: Request) -> Any:
    return {"items": world.faults.armed()}


async def _add_fault(world: World, request: Request) -> Any:
    fault = world.faults.add((await Given.read(request)).everything())
    await world.ledger.writer.flush()
    return fault.script()


async def _clear_faults(world: World, request: Request) -> Any:
    cleared = world.faults.clear(request.path_params.get("fault_id"))
    await world.ledger.writer.flush()
    return {"cleared": cleared}


async def _advance(world: World, request: Request) -> Any:
    given = await Given.read(request)
    ms = given.number("advance_s", 0) * 1000 + given.number("advance_ms", 0)
    given.done()
    await world.advance_clock(ms)
    await world.ledger.writer.flush()
    return {"now_ms": world.clock.now_ms()}


async def set_price(world: World, request: Request) -> Any:
    """Put the price somewhere and hold it there, unless told to let it walk on."""
    given = await Given.read(request)
    dollars, nanousd = given.number("usd_per_btc", 0), given.number("nanousd_per_btc", 0)
    is_held = given.flag("hold", default=True)
    given.done()
    await world.set_price(dollars * NANOUSD_PER_DOLLAR + nanousd, is_held=is_held)
    return {"nanousd_per_btc": world.nanousd_per_btc()}


async def _set_cutover(world: World, request: Request) -> Any:
    given = await Given.read(request)
    state = given.text("state")
    given.done()
    if state not in get_args(CutoverState):
        raise BadInput(f"a cutover is one of {', '.join(get_args(CutoverState))}")
    await world.set_cutover(state)
    return {"cutover": world.cutover}


async def _set_latency(world: World, request: Request) -> Any:
    given = await Given.read(request)
    low_ms, high_ms = given.number("low_ms"), given.number("high_ms")
    given.done()
    if not 0 <= low_ms <= high_ms:
        raise BadInput("low_ms is not above high_ms, and neither is below zero")
    world.latency_ms = (low_ms, high_ms)
    return {"low_ms": low_ms, "high_ms": high_ms}


async def read_drop(request: Request) -> tuple[int, bool]:
    """Return the close code for all sockets, and whether HTTP connections go too."""
    given = await Given.read(request)
    code, with_http = given.number("code", _CUT), given.flag("http", default=False)
    given.done()
    return code, with_http


ROUTES: Final = {
    "GET faults": _faults,
    "POST faults": _add_fault,
    "DELETE faults": _clear_faults,
    "DELETE faults/{fault_id:int}": _clear_faults,
    "POST clock": _advance,
    "POST cutover": _set_cutover,
    "POST latency": _set_latency,
}
