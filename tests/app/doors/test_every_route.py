"""Every role at every route, of its own store and of another: as the one table says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts

from app.auth import Caller
from app.server import build_api
from models.errors import InvalidField
from models.permission import ALLOWED, Permission, kept_scopes, scopes_of
from models.session import SessionKind
from models.store import SYSTEM, Role, Store
from services.sessions import Origin
from services.storage import session as sessions
from services.storage import store as stores
from services.storage.statement import Transaction
from services.vault import token_hash
from tests.app.test_api_access import filled, fitting, things_of
from tests.support.api import Api, api_of, is_problem
from tests.support.databases import Raw
from tests.support.shop import Shop

TABLES = ("payouts", "cards", "pull_payments", "payout_events", "wallets", "api_keys", "links")


def asked_by(route: RouteContext) -> Permission:
    """Return the one permission that a route asks for."""
    asked = [
        cell.cell_contents
        for needed in route.original_route.dependant.dependencies
        for cell in getattr(needed.call, "__closure__", None) or ()
        if isinstance(cell.cell_contents, Permission)
    ]
    assert len(asked) == 1, f"{route.path} asks for {asked or 'no permission'}"
    return asked[0]


def routes_under_the_base(shop: Shop) -> Iterator[tuple[str, str, Any, Permission]]:
    """Return each method and path, a body that fits, and what it needs."""
    api = build_api(shop.container)
    schema = api.openapi()
    found = [route for route in all_routes(api.routes) if "/auth/" not in route.path]
    documented = {path for path in schema["paths"] if "/auth/" not in path}
    assert documented == {route.path for route in found}
    for route in found:
        for method in route.methods:
            operation = schema["paths"][route.path][method.lower()]
            content = operation.get("requestBody", {}).get("content", {})
            wanted = content.get("application/json", {}).get("schema")
            body = None if wanted is None else fitting(wanted, schema["components"]["schemas"])
            yield method, route.path, body, asked_by(route)


def all_routes(given: Any) -> list[RouteContext]:
    return [
        found
        for found in iter_route_contexts(given)
        if isinstance(found.original_route, APIRoute) and (found.path or "").startswith("/v1/")
    ]


async def person(shop: Shop, store: Store, role: Role) -> str:
    """Have somebody with a role in a store, and return their access token."""
    container, user_id = shop.container, shop.container.ids.new("us")
    doors = container.doors
    session, secret = doors.sessions.new(SessionKind.TOKENS, user_id, store.id, Origin())

    def settle(tx: Transaction) -> None:
        now = container.clock.utc_now()
        email = f"{user_id}@example.com"
        stores.add_user(tx, user_id=user_id, email=email, password_hash=None, now=now)
        stores.add_membership(tx, store.id, user_id, role, now)
        sessions.add_session(tx, session, token_hash(secret))

    await container.database.write(settle)
    return doors.tokens._pair(session, 0).access


@pytest.mark.parametrize("role", Role)
async def test_a_role_reaches_in_its_store_what_the_table_says(shop: Shop, role: Role) -> None:
    async with api_of(shop) as api:
        things, token = await things_of(api), await person(shop, shop.store, role)
        seen = set()
        for method, path, body, permission in routes_under_the_base(shop):
            answer = await call(api, method, filled(path, things), token, body)

            seen.add(permission)
            if role in ALLOWED[permission]:
                assert answer.status_code not in {401, 403, 500}, (path, answer.text)
            else:
                is_problem(answer, 403, "forbidden")
        assert len(seen) >= 8


@pytest.mark.parametrize("role", Role)
async def test_no_role_reaches_another_store(shop: Shop, role: Role, beneath: Raw) -> None:
    async with api_of(shop) as api:
        things, neighbour = await things_of(api), await api.neighbour()
        token = await person(shop, neighbour, role)
        before = theirs(beneath, shop.store)

        for method, path, body, permission in routes_under_the_base(shop):
            answer = await call(api, method, filled(path, things), token, body)

            if role not in ALLOWED[permission]:
                is_problem(answer, 403, "forbidden")
            elif "{" in path:
                assert answer.status_code in {404, 422}, (path, answer.text)
            assert not any(thing in answer.text for thing in (*things.values(), shop.store.id))
        assert theirs(beneath, shop.store) == before


def theirs(beneath: Raw, store: Store) -> list[Any]:
    return [
        sorted(beneath.rows(f"SELECT * FROM {table} WHERE store_id = '{store.id}'"), key=str)
        for table in TABLES
    ]


async def call(api: Api, method: str, path: str, token: str, body: Any) -> Any:
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": f"{method} {path}"}
    params = {"format": "json"} if "export" in path else {}
    return await api.http.request(method, path, json=body, headers=headers, params=params)


@pytest.mark.parametrize("scope", [None, Permission.READ, Permission.CREATE, Permission.RESOLVE])
async def test_a_key_reaches_no_more_than_its_scopes_name(
    shop: Shop, scope: Permission | None
) -> None:
    scopes = None if scope is None else frozenset({scope})
    make = shop.container.stores.create_api_key
    key = await make(shop.store.id, "till", Role.OWNER, None, scopes=scopes)
    async with api_of(shop) as api:
        things = await things_of(api)
        for method, path, body, permission in routes_under_the_base(shop):
            answer = await call(api, method, filled(path, things), key, body)

            if scope is None or permission is scope:
                assert answer.status_code not in {401, 403, 500}, (path, answer.text)
            else:
                is_problem(answer, 403, "forbidden")
                assert f"needs the scope {permission.word}." in answer.json()["detail"]


def test_a_key_is_narrowed_within_its_role_only() -> None:
    assert scopes_of([], Role.VIEWER) is None
    assert scopes_of(["read"], Role.VIEWER) == {Permission.READ}
    for words, role in ((["create"], Role.VIEWER), (["keys"], Role.OWNER), (["all"], Role.OWNER)):
        with pytest.raises(InvalidField):
            scopes_of(words, role)
    assert kept_scopes("read gone") == {Permission.READ}
    assert kept_scopes("") == frozenset()


@pytest.mark.parametrize("role", Role)
def test_nobody_hands_out_more_than_they_have(role: Role) -> None:
    caller = Caller("st", role, SYSTEM)

    for wanted in Role:
        has_all = all(role in allowed for allowed in ALLOWED.values() if wanted in allowed)
        assert caller.may_grant(wanted) is has_all
        narrow = caller.narrowed(wanted)
        assert (narrow is None) is has_all
        assert caller.may_grant(wanted, narrow)
        assert not any(role not in ALLOWED[each] for each in narrow or ())
    assert caller.may_grant(role)
    assert caller.may_grant(Role.OWNER) is (role is Role.OWNER)
