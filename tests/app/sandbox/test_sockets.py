"""The websocket's protocol: subprotocol, close codes, keep-alive, and who is who."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from gql import Client, gql
from gql.transport.websockets import WebsocketsTransport
from websockets.exceptions import InvalidStatus

from app.sandbox.server import Sandbox, open_sandbox
from app.sandbox.settings import SandboxSettings
from tests.app.sandbox.actors import TOKEN, Hand, socket
from tests.support.patience import PATIENCE_S

INIT = {"type": "connection_init", "payload": {}}
MY_UPDATES = "subscription { myUpdates { errors { message } update { __typename } } }"
PRICES = "subscription { realtimePrice(input: {}) { errors { message } realtimePrice { id } } }"
NOT_AUTHENTICATED = {
    "message": "Not Authenticated for subscription",
    "locations": [{"line": 1, "column": 16}],
    "path": ["myUpdates"],
    "extensions": {"code": "NOT_AUTHENTICATED"},
}


def subscription(query: str, name: str = "1") -> dict[str, Any]:
    return {"type": "subscribe", "id": name, "payload": {"query": query}}


@pytest.mark.parametrize("offered", [["graphql-ws"], []])
async def test_a_socket_without_the_subprotocol_opens_and_is_closed(
    sandbox: Sandbox, offered: list[str]
) -> None:
    async with socket(sandbox, offered) as other:
        assert await other.closed() == (4406, "Subprotocol not acceptable")


async def test_the_subprotocol_is_picked_among_others(sandbox: Sandbox) -> None:
    async with socket(sandbox, ["graphql-ws", "graphql-transport-ws"]) as other:
        assert other.connection.subprotocol == "graphql-transport-ws"
        response = other.connection.response
        assert response is not None
        assert response.headers["Flash-Sandbox"] == "1"


@pytest.mark.parametrize(
    ("said", "code", "reason"),
    [
        ([INIT, INIT], 4429, "Too many initialisation requests"),
        ([subscription(PRICES)], 4401, "Unauthorized"),
        ([INIT, "{"], 4400, "Invalid message received"),
        ([INIT, "[]"], 4400, "Invalid message received"),
        ([INIT, {"type": "unsubscribe", "id": "1"}], 4400, "Invalid message received"),
        ([INIT, {"type": "subscribe", "id": "1"}], 4400, "Invalid message received"),
        ([INIT, {"type": "subscribe", "payload": {}}], 4400, "Invalid message received"),
        ([INIT, {"type": "connection_ack"}], 4500, "Unexpected message of type"),
    ],
)
async def test_a_breach_of_the_protocol_closes_with_its_code(
    sandbox: Sandbox, said: list[Any], code: int, reason: str
) -> None:
    async with socket(sandbox) as other:
        await other.say(*said)

        closed = await other.closed()

    assert closed[0] == code
    assert closed[1].startswith(reason)


@pytest.mark.parametrize(
    ("said", "code", "reason"),
    [
        ([subscription(PRICES), subscription(PRICES)], 4409, "Subscriber for 1 already exists"),
        ([subscription("subscription {")], 4500, "Syntax Error"),
    ],
)
async def test_a_bad_subscription_closes_the_whole_socket(
    sandbox: Sandbox, said: list[Any], code: int, reason: str
) -> None:
    async with socket(sandbox) as other:
        await other.init()
        await other.say(*said)

        closed = await other.closed()

    assert closed[0] == code
    assert closed[1].startswith(reason)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("{ me { id } }", "Only subscription operations are supported"),
        ("subscription { nothing }", "Cannot query field 'nothing' on type 'Subscription'."),
        (
            "subscription A { myUpdates { me { id } } } subscription B { myUpdates { me { id } } }",
            "Unable to identify operation",
        ),
    ],
)
async def test_what_cannot_be_subscribed_to_is_an_error_and_the_socket_stays(
    sandbox: Sandbox, query: str, message: str
) -> None:
    async with socket(sandbox) as other:
        await other.init()
        await other.subscribe(query)
        error = await other.hear()
        await other.subscribe(PRICES)

        assert (error["type"], error["payload"][0]["message"]) == ("error", message)
        assert (await other.data())["realtimePrice"]["realtimePrice"] == {"id": "USD"}


@pytest.mark.parametrize("token", [None, "nobody"])
async def test_an_unknown_token_is_acknowledged_and_fails_at_the_subscription(
    sandbox: Sandbox, token: str | None
) -> None:
    async with socket(sandbox) as other:
        await other.init(token)
        await other.subscribe(MY_UPDATES)

        answer, end = await other.hear(), await other.hear()

    assert answer["payload"] == {"data": None, "errors": [NOT_AUTHENTICATED]}
    assert (answer["type"], end) == ("next", {"id": "1", "type": "complete"})


async def test_an_api_key_means_nothing_on_a_socket(sandbox: Sandbox, hand: Hand) -> None:
    key = (await hand.post("keys", scopes="admin"))["api_key"]
    headers = {"X-API-KEY": key, "Authorization": f"Bearer {TOKEN}"}

    async with socket(sandbox, headers=headers) as other:
        await other.say({"type": "connection_init", "payload": {"X-API-KEY": key}})
        await other.hear()
        await other.subscribe(MY_UPDATES)

        assert (await other.hear())["payload"]["errors"] == [NOT_AUTHENTICATED]


async def test_a_revoked_token_lasts_until_the_next_connection(
    sandbox: Sandbox, hand: Hand
) -> None:
    async with socket(sandbox) as old, socket(sandbox) as new:
        await old.init(TOKEN)
        await hand.post("tokens/revoke", token=TOKEN)
        await new.init(TOKEN)
        await old.subscribe(MY_UPDATES)
        await new.subscribe(MY_UPDATES)

        assert (await old.data())["myUpdates"]["errors"] == []
        assert (await new.hear())["payload"]["errors"] == [NOT_AUTHENTICATED]


async def test_a_ping_of_the_protocol_is_answered_with_its_payload(sandbox: Sandbox) -> None:
    async with socket(sandbox) as other:
        await other.say({"type": "ping", "payload": {"n": 1}})

        assert await other.hear() == {"type": "pong", "payload": {"n": 1}}


async def test_a_client_that_completes_gets_no_more_and_may_use_the_id_again(
    sandbox: Sandbox, hand: Hand
) -> None:
    async with socket(sandbox) as other:
        await other.init()
        await other.subscribe(PRICES)
        await other.data()
        await other.say({"type": "complete", "id": "1"}, {"type": "ping"})
        assert await other.hear() == {"type": "pong"}
        await hand.post("price", usd_per_btc=90_000)
        await other.subscribe(PRICES)
        await other.data()
        await other.say({"type": "ping"})

        assert await other.hear() == {"type": "pong"}


@pytest.fixture
async def hasty(tmp_path: Path, settings: SandboxSettings) -> AsyncIterator[Sandbox]:
    """A sandbox whose patience is short enough to be waited for."""
    path = tmp_path / "l.db"
    short = replace(settings, ledger=path, init_timeout_ms=50, ping_period_ms=200)
    async with open_sandbox(short) as opened:
        yield opened


async def test_who_says_nothing_is_sent_away(hasty: Sandbox) -> None:
    async with socket(hasty) as other:
        assert await other.closed() == (4408, "Connection initialisation timeout")


async def test_the_server_pings_and_drops_who_does_not_answer(hasty: Sandbox) -> None:
    async with socket(hasty) as other:
        await other.init()
        # A peer that has stopped reading answers no ping any more.
        other.connection.transport.pause_reading()
        (server_side,) = hasty.sockets.connections
        await asyncio.wait_for(server_side.wait_closed(), PATIENCE_S)
        other.connection.transport.resume_reading()

        assert (await other.closed())[0] == 1006


async def test_a_path_that_is_not_graphql_is_refused(sandbox: Sandbox) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with socket(sandbox, path="s"):
            pass

    assert refused.value.response.status_code == 400
    assert refused.value.response.headers["Flash-Sandbox"] == "1"


@pytest.fixture
async def paced(tmp_path: Path, settings: SandboxSettings) -> AsyncIterator[Sandbox]:
    limited = replace(settings, ledger=tmp_path / "l.db", pace=True, ws_burst=10)
    async with open_sandbox(limited) as opened:
        yield opened


async def refusal(sandbox: Sandbox) -> int | None:
    """Return the status of a refused handshake, or nothing if it was let in."""
    try:
        async with socket(sandbox):
            return None
    except InvalidStatus as refused:
        return refused.response.status_code


async def test_too_many_handshakes_a_minute_are_turned_away(paced: Sandbox) -> None:
    answers = [await refusal(paced) for _ in range(12)]
    await paced.world.advance_clock(6_000)

    assert answers == [None] * 11 + [503]
    assert await refusal(paced) is None


async def test_an_eleventh_socket_at_once_is_turned_away(paced: Sandbox) -> None:
    async with AsyncExitStack() as stack:
        for _ in range(10):
            other = await stack.enter_async_context(socket(paced))
            await other.init()

        assert await refusal(paced) == 503


@pytest.mark.parametrize(("code", "seen"), [(1006, 1006), (1001, 1001), (1012, 1012)])
async def test_all_sockets_can_be_dropped(
    sandbox: Sandbox, hand: Hand, code: int, seen: int
) -> None:
    async with socket(sandbox) as one, socket(sandbox) as two:
        await one.init()
        await two.init()

        assert await hand.post("sockets/drop", code=code) == {"dropped": 2}
        assert [(await one.closed())[0], (await two.closed())[0]] == [seen, seen]


async def test_a_gql_client_follows_prices(sandbox: Sandbox, hand: Hand) -> None:
    transport = WebsocketsTransport(
        url=sandbox.ws_url,
        init_payload={"Authorization": f"Bearer {TOKEN}"},
        subprotocols=["graphql-transport-ws"],
    )
    query = gql(
        "subscription { price(input: {amount: 100, amountCurrencyUnit: BTCSAT, "
        "priceCurrencyUnit: USDCENT}) { errors { message } price { base offset } } }"
    )
    seen: list[int] = []

    async with Client(transport=transport) as session:
        async for event in session.subscribe(query):
            seen.append(event["price"]["price"]["base"])
            if len(seen) == 2:
                break
            await hand.post("price", usd_per_btc=50_000)

    assert seen == [10 * 10**12, 5 * 10**12]
