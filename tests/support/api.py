"""Programs that call the service over HTTP, through the whole application."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from app.server import build_api, wrapped
from models.store import Role, Store
from tests.support.shop import Shop, api_key, open_store

ORIGIN = "http://127.0.0.1:8080"
PROBLEM = "application/problem+json"
PROBLEM_FIELDS = {"type", "title", "status", "code", "detail", "errors", "request_id"}


@dataclass
class Api:
    """The HTTP side of a shop, and keys of all roles."""

    shop: Shop
    http: httpx.AsyncClient
    _keys: dict[tuple[str, Role], str] = field(default_factory=dict)

    async def key(self, role: Role = Role.OWNER, store: Store | None = None) -> str:
        """Return a key of a role, of this shop or of another store."""
        store = store or self.shop.store
        if (store.id, role) not in self._keys:
            self._keys[store.id, role] = await api_key(self.shop.container, store, role)
        return self._keys[store.id, role]

    async def neighbour(self) -> Store:
        """Return another store of the same installation."""
        return await open_store(self.shop.container, name="Next door", owner_email="n@example.com")

    async def call(
        self,
        method: str,
        path: str,
        *,
        role: Role = Role.OWNER,
        store: Store | None = None,
        once: str | None = None,
        **more: Any,
    ) -> httpx.Response:
        """Call a route under the base with a key of a role."""
        headers = {"Authorization": f"Bearer {await self.key(role, store)}"}
        headers |= {} if once is None else {"Idempotency-Key": once}
        headers |= more.pop("headers", {})
        return await self.http.request(method, f"/v1/{path}", headers=headers, **more)

    async def get(self, path: str, *, role: Role = Role.OWNER, **params: Any) -> Any:
        """Return the JSON of a question that has to be answered."""
        answer = await self.call("GET", path, role=role, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def post(self, path: str, body: Any = None, **more: Any) -> httpx.Response:
        """Post a body; what is no good text goes out as JSON escapes it."""
        headers = {"Content-Type": "application/json"} | more.pop("headers", {})
        content = None if body is None else json.dumps(body).encode()
        return await self.call("POST", path, content=content, headers=headers, **more)

    async def pages(self, path: str, **params: Any) -> list[Any]:
        """Return the items of all pages of a list."""
        found, cursor = [], None
        while True:
            more = {} if cursor is None else {"cursor": cursor}
            page = await self.get(path, **params | more)
            assert set(page) == {"items", "next_cursor"}
            found += page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return found


@asynccontextmanager
async def api_of(shop: Shop) -> AsyncIterator[Api]:
    """Serve a shop to programs, without a socket between."""
    app = wrapped(build_api(shop.container), shop.container)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as http:
        yield Api(shop, http)


def is_problem(
    answer: httpx.Response, status: int, code: str, field_name: str | None = None
) -> None:
    """Check that an answer is a well-formed error that names the field, if there is one."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == PROBLEM
    body = answer.json()
    assert set(body) == PROBLEM_FIELDS
    assert (body["status"], body["code"]) == (status, code), body
    assert body["request_id"] == answer.headers["x-request-id"]
    assert body["detail"]
    named = {error["field"] for error in body["errors"]}
    assert named == set() if field_name is None else field_name in named, body
    assert all(error["message"] for error in body["errors"])
