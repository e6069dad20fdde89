"""Behind TLS: cookies that no other host can set, and browsers that stay on TLS."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractContextManager
from http.cookies import SimpleCookie
from pathlib import Path

import httpx
import pytest
from nicegui import core

from app.server import build_api, wrapped
from app.socket_door import guard_origin
from services.password_policy import objection
from tests.support.clock import HandClock
from tests.support.shop import Shop, closed_shop, settings_for
from tests.support.visitor import EMAIL, PASSWORD, Visitor

PUBLIC = "https://pay.example.com"


@pytest.fixture
async def shop(database_url: str, tmp_path: Path, clock: HandClock) -> AsyncIterator[Shop]:
    settings = settings_for(database_url, tmp_path, public_url=PUBLIC)
    async with closed_shop(settings, clock, password=PASSWORD) as opened:
        yield opened


@pytest.fixture
async def https(shop: Shop) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(wrapped(build_api(shop.container), shop.container))
    async with httpx.AsyncClient(transport=transport, base_url=PUBLIC) as opened:
        yield opened


def cookies_of(answer: httpx.Response) -> SimpleCookie:
    return SimpleCookie("\r\n".join(answer.headers.get_list("set-cookie")))


async def test_a_cookie_belongs_to_this_host_and_to_tls(https: httpx.AsyncClient) -> None:
    shown = await https.get("/login")
    fields = {"email": EMAIL, "password": PASSWORD}
    fields["form"] = shown.text.partition('name="form" value="')[2].partition('"')[0]
    own = {"Origin": PUBLIC, "Sec-Fetch-Site": "same-origin"}
    entered = await https.post("/login", data=fields, headers=own)

    assert entered.status_code == 303
    for answer, name in ((shown, "__Host-fp_form"), (entered, "__Host-fp_session")):
        (cookie,) = cookies_of(answer).values()
        assert cookie.key == name
        assert (cookie["secure"], cookie["httponly"]) == (True, True)
        assert (cookie["samesite"], cookie["path"], cookie["domain"]) == ("lax", "/", "")
        assert answer.headers["strict-transport-security"] == "max-age=31536000"
        assert answer.headers["cache-control"] == "no-store"


async def test_a_cookie_that_another_host_may_have_set_is_not_read(
    shop: Shop, https: httpx.AsyncClient
) -> None:
    visitor = Visitor(https)
    await https.post("/login", data={"email": EMAIL, "password": PASSWORD})
    token = https.cookies["__Host-fp_session"]
    https.cookies.clear()
    assert visitor.token is None

    refused = await https.get("/record.csv", headers={"Cookie": f"fp_session={token}"})
    taken = await https.get("/record.csv", headers={"Cookie": f"__Host-fp_session={token}"})

    assert (refused.status_code, taken.status_code) == (401, 200)


async def test_the_same_host_in_clear_text_is_another_site(https: httpx.AsyncClient) -> None:
    fields = {"email": EMAIL, "password": PASSWORD}
    for origin in ("http://pay.example.com", "https://pay.example.com:8443", "https://example.com"):
        answer = await https.post("/login", data=fields, headers={"Origin": origin})
        assert answer.status_code == 403, origin


async def test_a_socket_is_let_in_though_its_proxy_does_not_say_that_it_speaks_tls(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(core.sio.eio, "cors_allowed_origins", None)
    guard_origin(shop.container)

    for origin, is_let_in in ((PUBLIC, True), ("http://pay.example.com", False), ("null", False)):
        headers = [(b"host", b"pay.example.com"), (b"origin", origin.encode())]
        scope = {"type": "websocket", "scheme": "ws", "path": "/", "headers": headers}
        environ = {"HTTP_ORIGIN": origin, "asgi.scope": scope}
        assert (origin in core.sio.eio._cors_allowed_origins(environ)) is is_let_in, origin


async def test_nobody_costs_as_much_work_as_somebody(shop: Shop, https: httpx.AsyncClient) -> None:
    passwords, seen = shop.container.doors.sign_in._passwords, []

    class Counting:
        def place(self) -> AbstractContextManager[None]:
            return passwords.place()

        async def verify(self, known: str | None, password: str) -> bool:
            seen.append(known is not None)
            return await passwords.verify(known, password)

    shop.container.doors.sign_in._passwords = Counting()  # type: ignore[assignment]
    for email in (EMAIL, "nobody@example.com"):
        https.cookies.clear()
        wrong = {"email": email, "password": "not the one at all"}
        assert (await https.post("/login", data=wrong)).status_code == 401

    assert seen == [True, False]


@pytest.mark.parametrize(
    ("password", "is_taken"),
    [
        ("short", False),
        ("aaaaaaaaaaaaaaaaaaaa", False),
        ("password1234", False),
        ("P4ssw0rd12345", False),
        ("123456789012", False),
        ("alice@example.com1", False),
        ("x" * 5_000 + "yzabcdefg", False),
        ("correct horse battery", True),
        ("wonderful brick 7 lamp", True),
        ("пароль без слов 19", True),
    ],
)
def test_a_password_that_guessers_begin_with_is_refused(password: str, is_taken: bool) -> None:
    assert (objection(password, EMAIL) is None) is is_taken
