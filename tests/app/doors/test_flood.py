"""A flood of sign-ins at a real server: it grows nothing for good, and taps go on beside it."""

from __future__ import annotations

import sqlite3
import statistics
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx

from app.auth import Caller
from app.tabs import SESSION_TABS, Tabs
from services.housekeeping import MOST_TRIES, Housekeeping
from services.storage import person as people
from tests.app.doors.page_acts import begin_session
from tests.contracts.test_whole_way import with_a_card
from tests.load.flood import AT_ONCE, SETTINGS, flood
from tests.support.customer import Customer, install
from tests.support.databases import Raw
from tests.support.patience import PATIENCE_S
from tests.support.program import Program
from tests.support.shop import Shop

LOGINS = 400
MEMORY_MIB = 40


async def test_a_flood_of_sign_ins_fills_nothing_and_lets_taps_through(
    tmp_path: Path, sqlite_url: str
) -> None:
    program = Program(tmp_path, SETTINGS | {"DATABASE_URL": sqlite_url})
    installation = install(program)
    with program.serving() as server:
        url = server.ready()
        async with httpx.AsyncClient(timeout=PATIENCE_S) as http:
            card = await with_a_card(Customer(http, url, installation.key))

        async def tap(http: httpx.AsyncClient) -> None:
            p, c = card.read()
            answer = (await http.get("/boltcard", params={"p": p, "c": c})).json()
            assert answer.get("tag") == "withdrawRequest" or "minute" in str(answer), answer

        pid = server.process.pid
        await flood(url, pid, AT_ONCE, tap)  # what a first visitor costs is not growth
        seen = await flood(url, pid, LOGINS, tap)

    assert set(seen.answers) == {401, 429}
    assert seen.silent_refusals == 0
    assert seen.memory_mib[-1] - seen.memory_mib[0] < MEMORY_MIB
    # Nobody waits for all the passwords of others; how long a tap takes is the machine's affair.
    assert len(seen.waits_s) > 5
    assert statistics.median(seen.waits_s) < seen.took_s / 4
    with sqlite3.connect(sqlite_url.removeprefix("sqlite:///")) as beneath:
        (tries,) = beneath.execute("SELECT count(*) FROM sign_in_tries").fetchone()
        (sessions,) = beneath.execute("SELECT count(*) FROM sessions").fetchone()
    beneath.close()
    # Who is turned away at the door leaves no row.
    assert tries <= seen.answers[401] + AT_ONCE
    assert sessions == 0


async def test_the_tabs_of_one_session_leave_room_for_others(shop: Shop) -> None:
    (owner,) = await shop.container.doors.people.members(shop.store.id)
    tabs = Tabs(shop.container)

    def client(number: int, caller: Caller) -> Any:
        request = SimpleNamespace(state=SimpleNamespace(caller=caller))
        return SimpleNamespace(id=f"c{number}", request=request, on_delete=lambda _gone: None)

    many, other = [await begin_session(shop, owner.user_id, shop.store) for _ in range(2)]
    let_in = [tabs.open(client(n, many), many.session_id or "") for n in range(SESSION_TABS + 1)]

    assert let_in == [True] * SESSION_TABS + [False]
    assert tabs.open(client(0, many), many.session_id or "")
    assert tabs.open(client(9_999, other), other.session_id or "")


async def test_made_up_accounts_do_not_push_out_the_one_that_is_guessed_at(
    shop: Shop, beneath: Raw
) -> None:
    now = shop.clock.utc_now()
    with beneath.transaction() as tx:
        for _ in range(6):
            people.count_try(tx, "the owner", now, now)
        for number in range(MOST_TRIES + 500):
            at = now + timedelta(seconds=1)
            people.count_try(tx, f"nobody {number}", at, now)

    await Housekeeping(shop.container.database, shop.clock).tidy()

    assert beneath.value("SELECT count(*) FROM sign_in_tries") == MOST_TRIES
    assert beneath.value("SELECT fails FROM sign_in_tries WHERE account = 'the owner'") == 6
