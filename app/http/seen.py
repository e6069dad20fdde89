"""Notes in the record who was shown whole card numbers."""

from __future__ import annotations

from collections.abc import Iterable

from app.auth import Caller
from app.container import Container
from models.permission import Permission


async def note_card_numbers(
    services: Container, caller: Caller, uids: Iterable[str | None], where: str
) -> None:
    """Note a look at whole card numbers, once in a while for each who looks and place."""
    if caller.may(Permission.SEE_UIDS) and any(uids):
        await services.doors.record.note_look(
            caller.store_id, caller.actor, "card_numbers.seen", where
        )
