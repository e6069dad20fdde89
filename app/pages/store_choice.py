"""Which store one acts in, for people who belong to several."""

from __future__ import annotations

from functools import partial

from nicegui import ui

from app.pages.visit import Visit
from components.frame import StoreSwitch
from models.errors import ServiceError
from models.store import Role


async def stores_of(visit: Visit) -> tuple[tuple[str, str, Role], ...]:
    """Return the stores of whoever looks; the demo's visitor has no account, so none."""
    if visit.caller.session_id is None:
        return ()
    return tuple(await visit.container.doors.people.stores_of(visit.caller.person_id))


def store_switch(visit: Visit) -> StoreSwitch | None:
    """Return what the frame offers; nothing to those with one store."""
    if len(visit.stores) < 2:  # noqa: PLR2004  # one store is no choice
        return None
    names = tuple((store_id, name) for store_id, name, _ in visit.stores)
    return StoreSwitch(names, visit.store.id, partial(choose_store, visit))


async def choose_store(visit: Visit, store_id: str) -> None:
    """Act in another store from now on; every tab of the session is led there."""
    try:
        session = await visit.session()
        if session is not None:
            await visit.container.doors.sessions.choose_store(session, store_id)
    except ServiceError as error:
        with visit.client:
            ui.notify(error.message, type="warning")
