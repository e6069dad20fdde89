"""The way out: whom it reaches, whom it refuses, and how little it takes; and prices through it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal

import pytest

from models.errors import GatewayError
from models.money import Rate
from services.outbound import BODY_LIMIT, Outbound, is_public
from services.rate_sources import READERS, public_sources, read_rate
from services.rate_watch import RateWatch
from services.rates import Rates
from tests.support.clock import NOON, HandClock
from tests.support.streams import served_by

Reply = bytes | Callable[[asyncio.StreamWriter], None]


def http(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


@asynccontextmanager
async def server(reply: bytes, asked: list[bytes] | None = None) -> AsyncIterator[str]:
    """Serve one answer to every request, and yield `host:port`."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        if asked is not None:
            asked.append(request)
        writer.write(reply)

    async with served_by(serve) as authority:
        yield authority


@asynccontextmanager
async def way_out(allow: str, **more: float) -> AsyncIterator[Outbound]:
    outbound = Outbound([allow], **more)  # type: ignore[arg-type]
    yield outbound
    await outbound.close()


INWARD = [
    *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1"),
    *("0.0.0.0", "255.255.255.255", "224.0.0.1", "240.0.0.1", "192.0.2.1", "198.18.0.1"),
    *("::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1"),
    *("::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1", "64:ff9b::a00:1"),
    *("2002:7f00:1::", "2002:a00:1::", "2001:db8::1", "fec0::1", "not an address", ""),
]
OPEN = ["1.1.1.1", "8.8.8.8", "93.184.216.34", "2606:4700:4700::1111", "64:ff9b::101:101"]


def test_only_addresses_of_the_open_internet_are_public() -> None:
    assert [address for address in INWARD if is_public(address)] == []
    assert [address for address in OPEN if not is_public(address)] == []


@pytest.mark.parametrize("address", ["127.0.0.1", "169.254.169.254", "::ffff:10.0.0.1"])
async def test_a_name_that_leads_inward_is_refused_before_any_connection(address: str) -> None:
    asked: list[bytes] = []
    async with server(http(b"{}"), asked) as authority:
        port = authority.partition(":")[2]

        async def resolve(_host: str, _port: int) -> list[str]:
            return ["1.1.1.1", address]

        outbound = Outbound(resolve=resolve)
        with pytest.raises(GatewayError, match="public"):
            await outbound.get(f"https://example.com:{port}/")
        await outbound.close()
    assert asked == []


async def test_what_is_exempt_is_reached_at_the_address_that_was_judged() -> None:
    asked: list[bytes] = []
    async with server(http(b'{"a":1}'), asked) as authority, way_out(authority) as outbound:
        assert await outbound.get(f"http://{authority}/path?x=1") == b'{"a":1}'
    head = asked[0].decode().lower()
    assert head.startswith("get /path?x=1 http/1.1")
    assert f"host: {authority}" in head
    assert "accept-encoding: identity" in head


REFUSED = {
    "a redirect": http(b"", "Location: http://169.254.169.254/", status="302 Found"),
    "too much": http(b"x" * (BODY_LIMIT + 1)),
    "packed": http(b"\x1f\x8b", "Content-Encoding: gzip"),
    "no HTTP": b"hello\r\n\r\n",
    "nothing": b"",
}


@pytest.mark.parametrize("reply", REFUSED.values(), ids=REFUSED)
async def test_an_answer_that_is_not_small_and_plain_is_refused(reply: bytes) -> None:
    async with server(reply) as authority, way_out(authority) as outbound:
        with pytest.raises(GatewayError):
            await outbound.get(f"http://{authority}/")


async def test_an_answer_that_does_not_come_is_not_waited_for() -> None:
    async def never(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    async with served_by(never) as authority, way_out(authority, timeout_s=0.05) as outbound:
        with pytest.raises(GatewayError, match="in time"):
            await outbound.get(f"http://{authority}/")


@pytest.mark.parametrize("url", ["http://example.com/", "https://", "ftp://example.com/", "x"])
async def test_clear_text_and_other_schemes_go_nowhere(url: str) -> None:
    outbound = Outbound()
    with pytest.raises(GatewayError):
        await outbound.get(url)
    await outbound.close()


ANSWERS = {
    "coingecko": {"bitcoin": {"usd": 98765.43, "last_updated_at": 1_700_000_000}},
    "coindesk": {"Data": {"BTC-USD": {"VALUE": 98765.43, "VALUE_LAST_UPDATE_TS": 1_700_000_000}}},
    "coinbase": {"data": {"amount": "98765.43", "base": "BTC", "currency": "USD"}},
}


@pytest.mark.parametrize("name", READERS)
async def test_every_source_is_read_through_the_guarded_way_out(
    clock: HandClock, name: str
) -> None:
    body = json.dumps(ANSWERS[name]).encode()
    asked: list[bytes] = []
    async with server(http(body), asked) as authority, way_out(authority) as outbound:
        url = f"http://{authority}/price?of={{currency}}"
        (source,) = public_sources([(name, url)], outbound, clock)

        rate = await source.fetch("USD")

    assert (rate.source, rate.currency) == (name, "USD")
    assert Decimal(rate.numerator) / rate.denominator == Decimal("0.09876543")
    assert b"/price?of=USD" in asked[0]


BAD_PRICES = [
    b"",
    b"[]",
    b"null",
    b'{"data": {}}',
    b'{"data": {"amount": "NaN", "currency": "USD"}}',
]
BAD_PRICES += [
    json.dumps({"data": {"amount": amount, "currency": "USD"}}).encode()
    for amount in ("0", "-5", "1e40", "inf", None, [], {"a": 1}, "x" * 50)
]


@pytest.mark.parametrize("body", BAD_PRICES)
def test_what_is_no_price_is_not_taken_for_one(body: bytes) -> None:
    for name, read in READERS.items():
        assert read_rate(name, read, body, "USD", NOON) is None


async def test_sources_are_asked_often_only_while_flash_is_silent(clock: HandClock) -> None:
    rates, asked = Rates(clock), []

    class Source:
        name = "a"

        async def fetch(self, currency: str) -> Rate:
            asked.append(currency)
            return Rate(currency, 1, 10, "a", clock.utc_now())

    async def currencies() -> set[str]:
        return {"USD"}

    watch = RateWatch(rates, clock, [Source()], currencies)
    for _ in range(5):
        await watch.look()
        clock.advance(minutes=1)
    assert len(asked) == 5
    assert rates.usable("USD", clock.utc_now()) is not None

    for _ in range(4):
        rates.put(Rate("USD", 1, 10, "flash", clock.utc_now()))
        await watch.look()
        clock.advance(minutes=1)
    assert len(asked) == 5
