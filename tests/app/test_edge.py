"""The outermost layer: sizes, names, headers, unknown paths, and errors nobody expected."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.request import BODY_LIMIT, Edge
from app.server import build_api, wrapped
from models.errors import UnavailableError
from models.migrations import run as migrations
from models.states import PayoutState
from models.store import DatabaseKind
from services.backups import note_backup
from services.storage import wallet as wallets
from tests.support.api import ORIGIN, Api, api_of, is_problem
from tests.support.clock import HandClock
from tests.support.databases import raw
from tests.support.sandbox import Hand
from tests.support.shop import ALICE, Shop, closed_shop, settings_for

PULL = {"name": "Tips", "currency": "SATS", "amount": 10, "auto_approve": True}


@pytest.fixture
def dialect() -> str:
    """Nothing here depends on the database."""
    return "sqlite"


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/nothing", 404, "not_found"),
        ("GET", "/v1/", 404, "not_found"),
        ("GET", "/v1/payouts/x/y/z", 404, "not_found"),
        ("DELETE", "/v1/payouts", 405, "method_not_allowed"),
        ("POST", "/v1/stats", 405, "method_not_allowed"),
        ("PUT", "/v1/pull-payments", 405, "method_not_allowed"),
        ("GET", "/v1/a%00b", 404, "not_found"),
        ("GET", "/v1/stats?q=" + "x" * 9_000, 414, "too_large"),
    ],
)
async def test_under_the_base_every_error_is_a_problem(
    api: Api, method: str, path: str, status: int, code: str
) -> None:
    answer = await api.http.request(method, path)

    is_problem(answer, status, code)


@pytest.mark.parametrize("size", [BODY_LIMIT + 1, 10 * BODY_LIMIT])
async def test_a_body_that_is_too_large_is_refused(api: Api, size: int) -> None:
    answer = await api.post("pull-payments", PULL | {"name": "x" * size})

    is_problem(answer, 413, "too_large")


@pytest.mark.parametrize("body", [b"{", b"", b"nothing", b"[1]", b"\xff\xfe", b"{'a': 1}", b"null"])
async def test_a_body_that_is_no_object_is_a_problem_of_the_body(api: Api, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}

    answer = await api.call("POST", "pull-payments", content=body, headers=headers)

    is_problem(answer, 422, "invalid", "body")


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", ""])
async def test_a_body_of_another_kind_is_refused(api: Api, content_type: str) -> None:
    answer = await api.call(
        "POST", "pull-payments", content=b"name=Tips", headers={"Content-Type": content_type}
    )

    is_problem(answer, 422, "invalid", "body")


async def test_deep_json_does_no_harm(api: Api) -> None:
    deep = b"[" * 30_000 + b"]" * 30_000

    answer = await api.call(
        "POST", "pull-payments", content=deep, headers={"Content-Type": "application/json"}
    )

    assert answer.status_code in {413, 422}


async def test_every_answer_is_marked_and_not_stored(api: Api) -> None:
    for path in ("stats", "payouts", "nothing"):
        answer = await api.call("GET", path)
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["x-frame-options"] == "DENY"
        assert "camera=()" in answer.headers["permissions-policy"]
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-request-id"].startswith("rq_")


async def test_a_method_that_is_not_taken_is_answered_with_those_that_are(api: Api) -> None:
    for method, path, taken in (
        ("DELETE", "payouts", {"GET", "POST"}),
        ("PUT", "pull-payments/pp_1", {"GET", "PATCH"}),
        ("GET", "wallet/stop", {"POST"}),
    ):
        answer = await api.call(method, path)
        assert answer.status_code == 405
        assert set(answer.headers["allow"].split(", ")) - {"HEAD"} == taken


async def test_request_ids_differ(api: Api) -> None:
    answers = [await api.call("GET", "stats") for _ in range(3)]

    assert len({answer.headers["x-request-id"] for answer in answers}) == 3


class Broken:
    """An application that fails, before or after it began to answer."""

    def __init__(self, *, after_start: bool) -> None:
        self._after_start = after_start

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if self._after_start:
            await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError("secret words of the inside")


async def test_what_nobody_expected_shows_nothing_of_the_inside() -> None:
    transport = httpx.ASGITransport(Edge(Broken(after_start=False)))
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as http:
        answer = await http.get("/v1/stats")

    is_problem(answer, 500, "internal")
    assert "secret" not in answer.text


async def test_a_door_that_cannot_ask_the_database_says_so() -> None:
    async def door(scope: Any, receive: Any, send: Any) -> None:
        raise UnavailableError("The database is busy.")

    transport = httpx.ASGITransport(Edge(door))
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as http:
        answer = await http.get("/")

    is_problem(answer, 503, "unavailable")
    assert answer.json()["detail"] == "The database is busy."


async def test_what_fails_after_it_began_is_not_answered_twice() -> None:
    transport = httpx.ASGITransport(Edge(Broken(after_start=True)))
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as http:
        with pytest.raises(RuntimeError):
            await http.get("/v1/stats")


@pytest.fixture
async def demo(sqlite_url: str, tmp_path: Path, clock: HandClock) -> AsyncIterator[Api]:
    settings = settings_for(sqlite_url, tmp_path)
    async with closed_shop(settings, clock, DatabaseKind.DEMO) as shop, api_of(shop) as opened:
        yield opened


HOSTS = [
    ("127.0.0.1", True),
    ("127.0.0.1:8080", True),
    ("localhost", True),
    ("LOCALHOST:8080", True),
    ("[::1]", True),
    ("[::1]:8080", True),
    ("example.com", False),
    ("127.0.0.1.example.com", False),
    ("localhost.example.com:8080", False),
    ("192.168.1.5", False),
    ("[::2]", False),
    ("127.0.0.2", False),
    ("", False),
]


@pytest.mark.parametrize(("host", "is_ours"), HOSTS)
async def test_a_demo_answers_only_names_of_this_machine(
    demo: Api, host: str, is_ours: bool
) -> None:
    for path in ("/healthz", "/v1/stats", "/lnurlw/x"):
        answer = await demo.http.get(path, headers={"Host": host})
        assert (answer.status_code != 421) is is_ours, path


@pytest.mark.parametrize(("host", "is_ours"), HOSTS)
async def test_a_real_shop_answers_whatever_name_it_has(api: Api, host: str, is_ours: bool) -> None:
    del is_ours

    assert (await api.http.get("/healthz", headers={"Host": host})).status_code == 200


async def test_it_is_healthy_and_ready_while_its_database_answers(api: Api) -> None:
    assert (await api.http.get("/healthz")).text == "ok\n"
    ready = await api.http.get("/readyz")
    assert (ready.status_code, ready.json()["ready"]) == (200, True)

    api.shop.container.database.close()

    broken = await api.http.get("/readyz")
    assert (broken.status_code, broken.json()["ready"]) == (503, False)
    assert (await api.http.get("/healthz")).status_code == 200


async def test_the_metrics_tell_figures_and_no_secret(api: Api) -> None:
    await api.shop.pull_payment()
    await api.shop.container.engine.night_watch.check(api.shop.store.id)

    answer = await api.http.get("/metrics")

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    assert 'flash_payouts_open_payouts{state="approved"} 0.0' in answer.text
    for told in (
        "needs_review",
        "loop_lag_seconds",
        "open_pages",
        'waiting{lane="write"}',
        "epoch",
    ):
        assert told in answer.text, told
    assert f'audit_findings{{store="{api.shop.store.id}"}} 0.0' in answer.text
    assert f'audit_payouts{{scope="all",store="{api.shop.store.id}"}} 0.0' in answer.text
    checks = await api.get("wallet/checks")
    assert (checks["is_clean"], checks["findings"]) == (True, [])
    assert [run["scope"] for run in checks["audits"]] == ["all"]
    assert [kept["span"] for kept in checks["comparisons"]] == ["month"]
    assert f'flash_payouts_gate_open{{store="{api.shop.store.id}"}} 1.0' in answer.text


@pytest.mark.parametrize(
    ("address", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("172.17.0.3", {"Host": "payouts:8080"}, 200),
        ("8.8.8.8", {}, 403),
        ("127.0.0.1", {"X-Forwarded-For": "203.0.113.7"}, 403),
        ("127.0.0.1", {"Host": "pay.example.com"}, 403),
    ],
)
async def test_the_metrics_are_not_for_everybody_that_a_proxy_lets_in(
    sqlite_url: str,
    tmp_path: Path,
    clock: HandClock,
    address: str,
    headers: dict[str, str],
    status: int,
) -> None:
    settings = settings_for(sqlite_url, tmp_path, public_url="https://pay.example.com")
    async with closed_shop(settings, clock) as shop:
        app = wrapped(build_api(shop.container), shop.container)
        transport = httpx.ASGITransport(app, client=(address, 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
            answer = await http.get("/metrics", headers=headers)

    assert answer.status_code == status
    assert ("flash_payouts" in answer.text) is (status == 200)


async def test_the_metrics_are_shown_on_a_machine_whose_links_lead_to_itself(
    sqlite_url: str, tmp_path: Path, clock: HandClock
) -> None:
    settings = settings_for(sqlite_url, tmp_path, public_url="http://127.0.0.1:8080")
    async with closed_shop(settings, clock) as shop:
        transport = httpx.ASGITransport(wrapped(build_api(shop.container), shop.container))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
            assert (await http.get("/metrics")).status_code == 200


async def test_the_metrics_have_what_is_worth_an_alarm(
    paying_shop: Shop, hand: Hand, tmp_path: Path
) -> None:
    shop, store_id = paying_shop, paying_shop.store.id
    pull = await shop.pull_payment()
    paid = await shop.draw(pull, (await hand.home_invoice()).pr)
    await shop.reaches(paid, PayoutState.COMPLETED)
    minted = await hand.foreign_invoice()
    match = {"payment_hash": minted.hash, "operation": "lnInvoicePaymentSend"}
    await hand.fault("http_500", match=match)
    lost = await shop.draw(pull, minted.pr)
    await shop.reaches(lost, PayoutState.IN_FLIGHT)
    await shop.container.wallets.stop(store_id, ALICE)
    keeper = shop.container.database
    await keeper.write(wallets.add_alert, store_id, "test", "wa_1", "", shop.clock.utc_now())
    shop.clock.advance(minutes=3)
    note_backup(tmp_path, shop.clock.utc_now())
    shop.clock.advance(minutes=1)

    async with api_of(shop) as api:
        text = (await api.http.get("/metrics")).text

    figures = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    figures = {name.removeprefix("flash_payouts_"): float(at) for name, at in figures.items()}
    of_store = f'{{store="{store_id}"}}'
    assert figures[f'payouts{{status="completed",store="{store_id}"}}'] == 1
    assert figures['open_payouts{state="in_flight"}'] == 1
    assert 235 <= figures["oldest_unknown_seconds"] <= 240
    assert figures["backup_age_seconds"] == 60
    assert figures["outbox_waiting"] >= 1
    assert (figures["gate_open" + of_store], figures["stopped" + of_store]) == (1, 1)
    assert (figures["socket_live" + of_store], figures["flash_connected" + of_store]) == (1, 1)
    assert figures["pace_free" + of_store] > 0
    assert figures["loop_lag_seconds"] >= 0


async def test_it_is_not_ready_while_the_disk_takes_nothing_or_a_loop_stays_down(
    api: Api, database_url: str
) -> None:
    supervisor, clock = api.shop.container.supervisor, api.shop.clock
    failed = asyncio.Event()

    async def fail() -> None:
        failed.set()
        raise RuntimeError

    supervisor.start("broken", fail)
    await failed.wait()
    while supervisor.health["broken"].running:
        await asyncio.sleep(0)
    first = await api.http.get("/readyz")
    clock.advance(seconds=6)
    down = await api.http.get("/readyz")
    await supervisor.stop()
    supervisor.health.clear()
    with raw(database_url) as beneath:
        beneath.run("UPDATE alembic_version SET version_num = '0001'")
        old = await api.http.get("/readyz")
        beneath.run("DROP TABLE alembic_version")
        unwritten = await api.http.get("/readyz")
        beneath.run("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        beneath.run(f"INSERT INTO alembic_version VALUES ('{migrations.head()}')")

    assert (first.status_code, first.json()["loops_down"]) == (200, 0)
    assert (down.status_code, down.json()["loops_down"]) == (503, 1)
    assert (old.status_code, old.json()["schema"]) == (503, False)
    assert down.json()["reasons"] == ["the loop broken stays down"]
    (why,) = old.json()["reasons"]
    assert "schema 0001" in why
    assert unwritten.json()["reasons"] == ["the database cannot be written"]
    assert (unwritten.status_code, unwritten.json()["database"]) == (503, False)


async def test_metrics_can_be_switched_off(
    sqlite_url: str, tmp_path: Path, clock: HandClock
) -> None:
    settings = settings_for(sqlite_url, tmp_path, metrics=False)
    async with closed_shop(settings, clock) as shop, api_of(shop) as api:
        assert (await api.http.get("/metrics")).status_code == 404


async def test_the_description_of_the_api_is_there_for_everybody(api: Api) -> None:
    answer = await api.http.get("/v1/openapi.json")

    assert answer.status_code == 200
    assert "/v1/payouts" in answer.json()["paths"]
