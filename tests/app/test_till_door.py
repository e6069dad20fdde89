"""The door that taps and callbacks take: what it serves itself, and what it passes on."""

from __future__ import annotations

import httpx
import pytest
from fastapi import FastAPI
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from app.till_door import TillDoor


class Application(FastAPI):
    """Answers everything that reaches it with one word."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Say that the door let it through."""
        await PlainTextResponse("passed on")(scope, receive, send)


@pytest.mark.parametrize(
    ("method", "path", "is_served_here"),
    [
        ("GET", "/boltcard/claim", True),
        ("HEAD", "/boltcard", True),
        ("GET", "/lnurlw/secret/claim", True),
        ("GET", "/lnurlw/secret", False),
        ("POST", "/boltcard", False),
        ("GET", "/boltcards", False),
        ("GET", "/v1/payouts", False),
    ],
)
async def test_only_what_a_till_waits_for_passes_by_the_application(
    method: str, path: str, is_served_here: bool
) -> None:
    transport = httpx.ASGITransport(TillDoor(Application()))
    async with httpx.AsyncClient(transport=transport, base_url="http://till") as till:
        answer = await till.request(method, path)

    assert (answer.text != "passed on") is is_served_here
    if is_served_here:
        assert answer.headers["access-control-allow-origin"] == "*"
