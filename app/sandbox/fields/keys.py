"""API keys: made, replaced and ended by a session, never by a key."""

from __future__ import annotations

import re
from typing import Any, Final

from app.sandbox.caller import Call
from app.sandbox.fields.root import Root
from app.sandbox.keys import MAX_ACTIVE, ApiKey
from app.sandbox.problems import Problem

_NAME: Final = re.compile(r"[A-Za-z0-9\-_ ]{3,50}")
_MAX_PER_MINUTE: Final = 10_000
_WARNING: Final = "Keep this key now; it is not shown again."


def _refused(message: str) -> dict[str, Any]:
    return {"errors": [Problem(message, "INVALID_INPUT").shown()], "apiKey": None}


def _shown(key: ApiKey, now_ms: int) -> dict[str, Any]:
    return {
        "id": key.id,
        "keyId": key.key_id,
        "name": key.name,
        "scopes": [scope.replace(":", "_") for scope in sorted(key.scopes)],
        "status": key.status(now_ms),
        "rateLimitPerMinute": key.per_minute,
        "createdAt": key.created_ms // 1000,
        "expiresAt": None if key.expires_ms is None else key.expires_ms // 1000,
        "lastUsedAt": None if key.last_used_ms is None else key.last_used_ms // 1000,
    }


async def _created(
    call: Call,
    name: str,
    scopes: Any,
    expires_ms: int | None,
    per_minute: int | None,
    old: ApiKey | None = None,
) -> dict[str, Any]:
    """Make a key and end the one it replaces, in one transaction."""
    world = call.world
    now_ms = world.clock.now_ms()
    key, text, statements = world.keys.create(
        call.caller.require().id,
        name,
        scopes,
        now_ms,
        expires_ms=expires_ms,
        per_minute=per_minute,
    )
    if old is not None:
        statements += world.keys.revoke(old, now_ms)
    await world.ledger.writer.commit(statements)
    shown = _shown(key, now_ms) | {"apiKey": text, "warning": _WARNING}
    return {"errors": [], "apiKey": shown}


async def _create(call: Call, **args: Any) -> dict[str, Any]:
    given = args["input"]
    now_ms = call.world.clock.now_ms()
    per_minute, expires_s = given.get("rateLimitPerMinute"), given.get("expiresIn")
    if _NAME.fullmatch(given["name"]) is None:
        return _refused("The name takes 3 to 50 letters, digits, spaces, hyphens, underscores")
    if per_minute is not None and not 1 <= per_minute <= _MAX_PER_MINUTE:
        return _refused(f"The limit per minute is 1 to {_MAX_PER_MINUTE}")
    mine = call.world.keys.of_account(call.caller.require().id)
    if sum(key.status(now_ms) == "ACTIVE" for key in mine) >= MAX_ACTIVE:
        return _refused(f"An account has at most {MAX_ACTIVE} active keys")
    scopes = [scope.replace("_", ":") for scope in given["scopes"] or ["read_user"]]
    expires_ms = None if expires_s is None else now_ms + expires_s * 1000
    return await _created(call, given["name"], scopes, expires_ms, per_minute)


def _mine(call: Call, key_id: str) -> ApiKey | None:
    mine = call.world.keys.of_account(call.caller.require().id)
    return next((key for key in mine if key.id == key_id), None)


async def _rotate(call: Call, **args: Any) -> dict[str, Any]:
    old = _mine(call, args["input"]["id"])
    if old is None or old.status(call.world.clock.now_ms()) != "ACTIVE":
        return _refused("No such active key")
    return await _created(call, old.name, old.scopes, old.expires_ms, old.per_minute, old)


async def _revoke(call: Call, **args: Any) -> dict[str, Any]:
    key = _mine(call, args["input"]["id"])
    if key is None:
        return _refused("No such key")
    now_ms = call.world.clock.now_ms()
    await call.world.ledger.writer.commit(call.world.keys.revoke(key, now_ms))
    return {"errors": [], "apiKey": _shown(key, now_ms)}


def _list(call: Call) -> list[dict[str, Any]]:
    now_ms = call.world.clock.now_ms()
    return [_shown(key, now_ms) for key in call.world.keys.of_account(call.caller.require().id)]


ROOTS: Final = {
    "apiKeyCreate": Root(_create),
    "apiKeyRotate": Root(_rotate),
    "apiKeyRevoke": Root(_revoke),
    "apiKeys": Root(_list),
}
