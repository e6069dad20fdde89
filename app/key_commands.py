"""What the commands about API keys do, each for one store."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from app.commands import CONSOLE, opened
from app.settings import load_settings
from models.errors import InvalidField, NotFoundError
from models.instants import iso
from models.permission import scopes_of
from models.store import ApiKey, Role


async def create(
    store_id: str, name: str, role: str, days: int | None, scopes: Sequence[str]
) -> str:
    """Make a key of a store."""
    try:
        wanted = Role(role)
    except ValueError:
        raise InvalidField("role", "choose owner, manager, approver or viewer") from None
    only = scopes_of(scopes, wanted)
    async with opened(load_settings()) as container:
        make = container.stores.create_api_key
        return await make(store_id, name, wanted, days, CONSOLE, only)


async def list_of(store_id: str) -> list[ApiKey]:
    """Return the keys of a store, newest first, those that work no more too."""
    async with opened(load_settings()) as container:
        if await container.stores.read(store_id) is None:
            raise InvalidField("store", "there is no such store")
        return await container.doors.api_keys.list_of(store_id)


async def rotate(store_id: str, key_id: str, grace_hours: int) -> str:
    """Make a key like an old one, which works on for a while."""
    async with opened(load_settings()) as container:
        try:
            api_keys, grace = container.doors.api_keys, timedelta(hours=grace_hours)
            return await api_keys.rotate(store_id, key_id, CONSOLE, grace)
        except NotFoundError:
            raise NotFoundError(_NONE) from None


async def revoke(store_id: str, key_id: str) -> None:
    """Have a key work no more."""
    async with opened(load_settings()) as container:
        try:
            await container.doors.api_keys.revoke(store_id, key_id, CONSOLE)
        except NotFoundError:
            raise NotFoundError(_NONE) from None


_NONE = "This store has no such key that works."


def plain(key: ApiKey) -> dict[str, Any]:
    """Return a key for a program to read; of its secret nothing is kept."""
    times = {
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
        "last_used_at": key.last_used_at,
    }
    scopes = None if key.scopes is None else key.scopes.split()
    named = {"id": key.id, "name": key.name, "role": key.role, "scopes": scopes}
    return named | {name: None if at is None else iso(at) for name, at in times.items()}


def line(key: ApiKey) -> str:
    """Return a key as one line."""
    until = "never expires" if key.expires_at is None else f"until {iso(key.expires_at)}"
    if key.revoked_at is not None:
        until = f"revoked {iso(key.revoked_at)}"
    used = "never used" if key.last_used_at is None else f"used {iso(key.last_used_at)}"
    rights = key.role if key.scopes is None else f"{key.role}: {key.scopes}"
    return f"{key.id}  {key.name}  {rights}  {until}  {used}"
