"""How much may be asked for, in how much memory, and what every answer carries."""

from __future__ import annotations

import asyncio
import tracemalloc
from typing import Any

import httpx
import pytest

from app.allowance import (
    API,
    ASSET,
    CARD,
    KEY,
    PAGE,
    PROBE,
    SIGN_IN,
    Allowance,
    is_spared,
    network_of,
)
from app.request import Edge
from app.server import build_api, wrapped
from models.errors import RateLimited
from services.rate_limits import SECOND_NS, Rate, RateLimits
from tests.support.api import ORIGIN, is_problem
from tests.support.databases import Raw
from tests.support.shop import Shop
from tests.support.visitor import visiting


class Ticks:
    """A clock of nanoseconds that a test moves."""

    def __init__(self) -> None:
        self.now = 1

    def __call__(self) -> int:
        return self.now


def asked_from(host: str, *headers: bytes) -> dict[str, Any]:
    return {"client": (host, 1), "headers": [(name, b"1.2.3.4") for name in headers]}


def test_a_burst_goes_through_and_then_one_at_a_time() -> None:
    ticks, rate = Ticks(), Rate(burst=3, per_minute=60)
    limits = RateLimits(ticks)

    assert [limits.take("a", "x", rate) for _ in range(5)] == [0, 0, 0, 1, 1]
    assert limits.take("a", "y", rate) == limits.take("b", "x", rate) == 0
    ticks.now += SECOND_NS
    assert [limits.take("a", "x", rate) for _ in range(2)] == [0, 1]
    ticks.now += 60 * SECOND_NS
    assert [limits.take("a", "x", rate) for _ in range(4)] == [0, 0, 0, 1]


def test_a_flood_of_names_takes_bounded_memory_and_is_forgotten() -> None:
    ticks = Ticks()
    limits = RateLimits(ticks, names_limit=1_000)
    for number in range(20_000):
        limits.take("sign-in", f"2001:db8::{number:x}", SIGN_IN)
    assert len(limits) <= 1_000

    ticks.now += 3_600 * SECOND_NS
    for number in range(1_000):
        limits.take("sign-in", f"later {number % 5}", SIGN_IN)

    assert len(limits) <= 10


@pytest.mark.parametrize(
    ("host", "network"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3::4", network_of("2001:db8:1:2::9")),
        ("testclient", "testclient"),
    ],
)
def test_a_household_shares_one_allowance(host: str, network: str) -> None:
    assert network_of(host) == network
    assert network_of("2001:db8:1:3::9") != network_of("2001:db8:1:2::9")


async def nothing(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"here"})


def client_of(edge: Edge, address: str, name: str = "pay.example.com") -> httpx.AsyncClient:
    transport = httpx.ASGITransport(edge, client=(address, 1))
    return httpx.AsyncClient(transport=transport, base_url=f"http://{name}")


@pytest.mark.parametrize(
    ("method", "path", "burst"),
    [
        ("POST", "/login", SIGN_IN.burst),
        ("POST", "/v1/auth/token", SIGN_IN.burst),
        ("GET", "/", PAGE.burst),
        ("GET", "/v1/stats", API.burst),
        ("GET", "/boltcards", PAGE.burst),
        ("GET", "/readyz", PROBE.burst),
        ("GET", "/metrics", PROBE.burst),
        ("GET", "/boltcard/claim?k1=abc", 20),
    ],
)
async def test_what_is_too_much_is_told_when_to_come_again(
    method: str, path: str, burst: int
) -> None:
    edge = Edge(nothing, allowance=Allowance(RateLimits(Ticks())))
    async with client_of(edge, "203.0.113.7") as http, client_of(edge, "203.0.113.8") as other:
        seen = [(await http.request(method, path)).status_code for _ in range(burst + 1)]
        refused = await http.request(method, path)

        assert seen == [200] * burst + [429]
        is_problem(refused, 429, "rate_limited")
        assert int(refused.headers["retry-after"]) >= 1
        if "k1" not in path:
            assert (await other.request(method, path)).status_code == 200


async def test_keys_and_cards_have_allowances_of_their_own() -> None:
    allowance = Allowance(RateLimits(Ticks()))
    for count, rate in ((allowance.of_key, KEY), (allowance.of_card, CARD)):
        for _ in range(rate.burst):
            count("one", asked_from("203.0.113.7"))
        with pytest.raises(RateLimited):
            count("one", asked_from("203.0.113.9"))
        count("two", asked_from("203.0.113.7"))
        with pytest.raises(RateLimited):
            count("one", asked_from("127.0.0.1", b"x-forwarded-for"))
        count("one", asked_from("127.0.0.1"))


@pytest.mark.parametrize(
    ("headers", "last"),
    [
        ({}, 200),
        ({"X-Forwarded-For": "1.2.3.4"}, 429),
        ({"Via": "x"}, 429),
        ({"Host": "pay.example.com"}, 429),
    ],
)
async def test_only_what_no_proxy_handed_on_is_let_through_from_this_machine(
    headers: dict[str, str], last: int
) -> None:
    edge = Edge(nothing, allowance=Allowance(RateLimits(Ticks())))
    async with client_of(edge, "127.0.0.1", "localhost:8080") as http:
        http.headers.update(headers)
        pages = [(await http.get("/")).status_code for _ in range(10 * PAGE.burst + 1)]
        tries = [(await http.post("/login")).status_code for _ in range(10 * SIGN_IN.burst + 1)]

    assert pages == [200] * 10 * PAGE.burst + [last]
    assert tries == [200] * 10 * SIGN_IN.burst + [429]


def test_a_proxy_that_says_nothing_of_itself_is_known_by_what_it_speaks() -> None:
    asked = asked_from("127.0.0.1") | {"http_version": "1.1"}
    assert is_spared(asked)
    assert not is_spared(asked | {"http_version": "1.0"})


async def test_a_flood_of_handshakes_is_refused_before_anything_is_read() -> None:
    served: list[str] = []
    sent: list[Any] = []

    async def socket(scope: Any, receive: Any, send: Any) -> None:
        served.append(scope["path"])

    async def send(message: Any) -> None:
        sent.append(message)

    edge = Edge(socket, allowance=Allowance(RateLimits(Ticks())))
    asked = asked_from("203.0.113.7") | {"type": "websocket", "path": "/_nicegui_ws/socket.io/"}
    for _ in range(ASSET.burst + 1):
        await edge(asked, None, send)  # type: ignore[arg-type]  # nobody says anything

    assert (len(served), sent) == (ASSET.burst, [{"type": "websocket.close", "code": 1008}])


async def test_a_flood_of_sign_ins_takes_no_more_memory_and_no_pages(
    shop: Shop, beneath: Raw
) -> None:
    async def knock(number: int) -> int:
        address = f"198.51.{number % 250}.{number // 250}"
        transport = httpx.ASGITransport(app, client=(address, 1))
        async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as http:
            fields = {"email": f"nobody{number}@example.com", "password": "x" * 20}
            return (await http.post("/login", data=fields)).status_code

    app = wrapped(build_api(shop.container), shop.container)
    await asyncio.gather(*(knock(number) for number in range(8)))
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        seen = await asyncio.gather(*(knock(number) for number in range(8, 88)))
        after, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    # At most two passwords are hashed and a few wait; the rest is turned away at once.
    assert set(seen) == {401, 429}
    assert after - before < 4_000_000
    assert peak - before < 60_000_000
    assert beneath.value("SELECT count(*) FROM sessions") == 0


async def test_a_body_that_drips_is_cut_off() -> None:
    async def reading(scope: Any, receive: Any, send: Any) -> None:
        while (await receive()).get("more_body"):
            pass

    async def dripping() -> Any:
        yield b"a"
        await asyncio.Event().wait()

    async def receive() -> Any:
        return {"type": "http.request", "body": await anext(drops), "more_body": True}

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    drops = dripping()
    scope = {"type": "http", "method": "POST", "path": "/v1/payouts", "headers": []}
    await Edge(reading, body_time_s=0.05)(scope, receive, send)

    assert sent[0]["status"] == 408
    await drops.aclose()


async def test_every_answer_says_what_a_browser_may_do_with_it(shop: Shop) -> None:
    async with visiting(shop) as visitor:
        page = await visitor.http.get("/login")
        data = await visitor.http.get("/v1/nothing")

    strict = page.headers["content-security-policy"]
    assert "script-src" not in strict
    assert "default-src 'none'" in strict
    assert "frame-ancestors 'none'" in strict
    assert data.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    for answer in (page, data):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cross-origin-opener-policy"] == "same-origin"
        assert answer.headers["cache-control"] == "no-store"
        assert "strict-transport-security" not in answer.headers


async def test_over_tls_browsers_are_told_to_stay_there() -> None:
    async with client_of(Edge(nothing, is_secure=True), "203.0.113.7") as http:
        answer = await http.get("/v1/stats")

    assert answer.headers["strict-transport-security"].startswith("max-age=")
