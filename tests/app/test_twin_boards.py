"""Two instances on one PostgreSQL: what one commits, the other's screens and tills hear of."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from app import live
from app.container import Container, build, running
from app.live import Boards
from models.errors import Unauthenticated
from models.events import Change, PayoutChanged, WalletChanged
from models.session import SessionKind
from models.states import PayoutState
from models.store import Actor, ActorKind, DatabaseKind, Role
from services.hub import Subscription
from services.pull_payments import NewPullPayment
from services.relay import CHANGES_LIMIT, EVERY_S
from services.sessions import Origin
from services.storage import session as sessions
from services.storage.notice import CHANNEL, opened_line
from services.storage.statement import Transaction
from services.stores import NewStore
from services.vault import token_hash
from tests.support.clock import HandClock
from tests.support.databases import PostgresPool, Raw, raw
from tests.support.patience import PATIENCE_S
from tests.support.shop import ALICE, open_store, settings_for

pytestmark = pytest.mark.postgresql

_CUT = (
    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
    " WHERE datname = current_database() AND query LIKE '{}%'"
)
_STORE = "st_1"


@pytest.fixture
def url(postgres_pool: PostgresPool) -> Iterator[str]:
    with postgres_pool.lend() as lent:
        yield lent


@pytest.fixture
def under(url: str) -> Iterator[Raw]:
    with raw(url) as opened:
        yield opened


@pytest.fixture
async def twins(
    url: str, tmp_path: Path, clock: HandClock
) -> AsyncIterator[tuple[Container, Container]]:
    """Two instances, both of which hear."""
    settings = settings_for(url, tmp_path)
    one, other = (build(settings, DatabaseKind.REAL, clock) for _ in range(2))
    with one.hub.listen_store(_STORE) as here, other.hub.listen_store(_STORE) as there:
        async with running(one), running(other):
            await _reread(here)
            await _reread(there)
            yield one, other


def moved(number: int = 1, store_id: str = _STORE) -> PayoutChanged:
    return PayoutChanged(store_id, f"po_{number}", PayoutState.COMPLETED, 4)


async def commit(container: Container, *changes: Change) -> None:
    """Commit something that changes these things."""

    def change(tx: Transaction) -> None:
        tx.changes += changes

    await container.database.write(change)


async def _reread(hints: Subscription) -> list[Change]:
    """Wait until a listener is told to read everything again; returns the hints before."""
    heard: list[Change] = []
    async with asyncio.timeout(PATIENCE_S):
        while not hints.take_overflow():
            heard += await hints.wait()
    return heard


class Looker:
    """One page that somebody looks at."""

    def __init__(self) -> None:
        self.seen = 0
        self.is_watching = True
        self.shown = asyncio.Queue[int]()

    def show(self, snapshot: int) -> None:
        self.shown.put_nowait(snapshot)

    def patch(self, before: int, now: int) -> None:
        if now != before:
            self.shown.put_nowait(now)


async def test_a_change_made_by_one_is_on_the_boards_of_the_other(
    twins: tuple[Container, Container], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "POLL_S", 10 * PATIENCE_S)  # the slow poll would find it too
    one, other = twins
    store = await open_store(one)
    boards, looker = Boards(other.hub), Looker()

    async def count(_before: int | None) -> int:
        return len(await other.pull_payments.page(store.id, 10, None))

    await boards.join((store.id, "count"), count, looker)
    assert await looker.shown.get() == 0
    wanted = NewPullPayment(name="Tips", currency="SATS", amount=1_000, auto_approve=True)

    loop = asyncio.get_running_loop()
    await one.pull_payments.create(store.id, wanted, ALICE)
    committed = loop.time()
    async with asyncio.timeout(PATIENCE_S):
        assert await looker.shown.get() == 1
    print(f"on the other's board after {(loop.time() - committed) * 1000:.1f} ms")
    boards.close()


async def test_hints_keep_their_words_and_who_told_them_does_not_hear_them_twice(
    twins: tuple[Container, Container],
) -> None:
    one, other = twins
    told: list[Change] = [moved(1), WalletChanged(_STORE, "wa_1")]
    with one.hub.listen_store(_STORE) as here, other.hub.listen_store(_STORE) as there:
        with other.hub.listen_payout("po_1") as waiting:
            await commit(one, *told)
            assert await there.wait(PATIENCE_S) == told
            assert await waiting.wait(PATIENCE_S) == told[:1]
        await commit(other, moved(2))

        assert await here.wait(PATIENCE_S) == told
        assert await here.wait(PATIENCE_S) == [moved(2)]


async def test_a_burst_is_told_in_few_words(twins: tuple[Container, Container], url: str) -> None:
    one, other = twins
    loop = asyncio.get_running_loop()
    async with opened_line(url) as line:
        await line.listen()
        with other.hub.listen_store(_STORE) as there:
            began, rounds = loop.time(), 0
            while loop.time() - began < 6 * EVERY_S:
                rounds += 1
                await commit(one, *(moved(number) for number in range(CHANGES_LIMIT + 1)))
            took = loop.time() - began
            await _reread(there)
        texts = [text for _ in range(3) for text in await line.hear(2 * EVERY_S)]
    said = [json.loads(text) for text in texts]

    assert rounds > len(said), "there was no burst"
    assert 1 <= len(said) <= took / EVERY_S + 2
    assert {(one["store"], one["changes"]) for one in said} == {(_STORE, None)}


@pytest.mark.parametrize("lost", ["LISTEN", "SELECT pg_notify"])
async def test_after_a_lost_line_everything_is_read_again(
    twins: tuple[Container, Container], under: Raw, lost: str
) -> None:
    one, other = twins
    with other.hub.listen_store(_STORE) as there:
        await commit(one, moved(1))
        assert await there.wait(PATIENCE_S) == [moved(1)]
        # Each instance has one of either.
        assert len(under.rows(_CUT.format(lost))) >= 1
        await commit(one, moved(2))
        await _reread(there)

        await commit(one, moved(3))
        async with asyncio.timeout(PATIENCE_S):
            while moved(3) not in await there.wait():
                pass
    name = "hints heard" if lost == "LISTEN" else "hints told"
    watched = other if lost == "LISTEN" else one
    assert watched.supervisor.health[name].last_error == "UnavailableError"
    assert watched.supervisor.health[name].running


@pytest.mark.parametrize("text", ["", "{}", '{"by": "x", "store": "st_1", "changes": [["new"]]}'])
async def test_a_notice_that_is_not_understood_costs_a_look(
    twins: tuple[Container, Container], under: Raw, text: str
) -> None:
    with twins[0].hub.listen_store(_STORE) as hints:
        under.run(f"SELECT pg_notify('{CHANNEL}', '{text}')")

        assert await _reread(hints) == []


async def test_a_store_that_one_made_is_open_to_the_other(
    twins: tuple[Container, Container],
) -> None:
    one, other = twins
    store = await open_store(one)

    async with asyncio.timeout(PATIENCE_S):
        while not other.vault.knows(store.id):
            await asyncio.sleep(EVERY_S)
    wanted = NewPullPayment(name="Tips", currency="SATS", amount=1_000, auto_approve=True)
    made = await other.pull_payments.create(store.id, wanted, ALICE)

    assert one.pull_payments.claim_token(made)


async def test_who_is_signed_out_or_revoked_at_one_is_so_at_the_other(
    twins: tuple[Container, Container],
) -> None:
    one, other = twins
    made = await one.stores.init(NewStore("Corner Café", "alice@example.com"), one.kind)
    key = await one.stores.create_api_key(made.store_id, "till", Role.OWNER, None)
    new = one.doors.sessions.new(SessionKind.BROWSER, made.user_id, made.store_id, Origin())
    session, token = new
    await one.database.write(sessions.add_session, session, token_hash(token))
    key_id = (await other.stores.authenticate(key)).id
    assert await other.doors.sessions.find(token) is not None

    await one.doors.sessions.end_all(Actor(ActorKind.PERSON, made.user_id))
    await one.doors.api_keys.revoke(made.store_id, key_id, ALICE)

    assert await other.doors.sessions.find(token) is None
    # By this the other cuts its open pages, every two seconds.
    assert await other.doors.sessions.standing([session.id]) == {}
    with pytest.raises(Unauthenticated):
        await other.stores.authenticate(key)
