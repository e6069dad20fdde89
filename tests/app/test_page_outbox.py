"""A page's outbox: at once where nothing stands before it, in order otherwise, again if lost."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from nicegui import Client, core
from nicegui.page import page

from app.page_outbox import PageOutbox
from components.text import Text

KEPT = 1_000  # as the framework has it
ENGINE_ID = "engine of a test"


@dataclass
class Wire:
    """A browser's end of a socket."""

    closed: bool = False
    queue: asyncio.Queue[Any] = field(default_factory=asyncio.Queue)

    def came(self) -> list[tuple[str, dict[str, Any]]]:
        texts = [self.queue.get_nowait().encode() for _ in range(self.queue.qsize())]
        assert all(text.startswith("42") for text in texts)
        return [tuple(json.loads(text[2:])) for text in texts]


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    core.loop = asyncio.get_running_loop()
    core.app.config.message_history_length = KEPT
    client = Client(page("", reconnect_timeout=3.0), request=None)
    client.outbox.stop()
    client.outbox = PageOutbox(client)
    client.outbox.updates.clear()
    yield client
    client.delete()


@pytest.fixture
async def wire(client: Client) -> AsyncIterator[Wire]:
    wire, manager = Wire(), core.sio.manager
    core.sio.eio.sockets[ENGINE_ID] = wire
    sid = await manager.connect(ENGINE_ID, "/")
    manager.basic_enter_room(sid, "/", client.id)
    await asyncio.sleep(0)  # the outbox begins
    client.tab_id = "tab"
    yield wire
    manager.basic_disconnect(sid, "/")
    del core.sio.eio.sockets[ENGINE_ID]


def say(client: Client, code: str) -> None:
    client.outbox.enqueue_message("run_javascript", {"code": code}, client.id)


async def test_a_message_goes_at_once_and_one_behind_an_update_after_it(
    client: Client, wire: Wire
) -> None:
    say(client, "first")
    assert wire.came() == [("run_javascript", {"code": "first", "_id": 0})]

    with client:
        Text("p", "new")
    say(client, "second")
    say(client, "third")
    assert wire.came() == []
    async with asyncio.timeout(5):
        while wire.queue.qsize() < 3:
            await asyncio.sleep(0)
    assert [(name, said["_id"]) for name, said in wire.came()] == [
        ("update", 1),
        ("run_javascript", 2),
        ("run_javascript", 3),
    ]


async def test_what_did_not_come_is_sent_again_under_its_number(client: Client, wire: Wire) -> None:
    for code in ("one", "two", "three"):
        say(client, code)
    client.outbox.prune_history(1)
    wire.came()

    client.outbox.try_rewind(1)
    async with asyncio.timeout(5):
        while wire.queue.qsize() < 2:
            await asyncio.sleep(0)

    again = [(said["code"], said["_id"]) for _, said in wire.came()]
    assert again == [("two", 1), ("three", 2)]
    say(client, "four")
    assert wire.came()[0][1]["_id"] == 3


async def test_a_browser_that_is_away_is_kept_its_messages_and_few_at_that(
    client: Client, wire: Wire
) -> None:
    client.tab_id = None
    say(client, "kept")
    assert wire.came() == []
    assert len(client.outbox.messages) == 1
    client.outbox.messages.clear()

    client.tab_id = "tab"
    for number in range(KEPT + 5):
        say(client, str(number))
    assert len(client.outbox.message_history) == KEPT
    wire.closed = True
    wire.came()
    say(client, "to nobody")
    assert wire.came() == []
