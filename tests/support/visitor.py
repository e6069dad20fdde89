"""A browser without a screen: it keeps cookies, says where it comes from, and fills in forms."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from app.server import build_api, wrapped
from tests.support.api import ORIGIN
from tests.support.shop import Shop

PASSWORD = "correct horse battery"
EMAIL = "alice@example.com"
HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)">')


class Visitor:
    """Somebody at a browser."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http

    async def submit(
        self, path: str, shown: httpx.Response | None = None, **fields: str
    ) -> httpx.Response:
        """Open a form, or take the one that is shown, fill it in and send it."""
        page = shown or await self.http.get(path)
        hidden = dict(HIDDEN.findall(page.text))
        return await self.http.post(path, data=hidden | fields, headers=_FROM_US)

    async def sign_in(self, email: str = EMAIL, password: str = PASSWORD) -> httpx.Response:
        """Sign in on the page for it."""
        return await self.submit("/login", email=email, password=password)

    @property
    def token(self) -> str | None:
        """Return the session's secret, as the browser keeps it."""
        return self.http.cookies.get("fp_session")


_FROM_US = {"Origin": ORIGIN, "Sec-Fetch-Site": "same-origin"}


@asynccontextmanager
async def visiting(shop: Shop, address: str = "203.0.113.7") -> AsyncIterator[Visitor]:
    """Visit a shop from some address."""
    app = wrapped(build_api(shop.container), shop.container)
    transport = httpx.ASGITransport(app, client=(address, 40_000))
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as http:
        yield Visitor(http)
