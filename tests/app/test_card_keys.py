"""What the programmer app asks over HTTP, and what it is told."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from app.http.card_keys import ASKS_PER_MINUTE
from app.throttle import Throttle
from models.errors import RateLimited
from models.store import Role
from tests.support.api import ORIGIN, Api, is_problem
from tests.support.cards import VirtualCard

CHIP = "04A1B2C3D4E5F6"
NAMES = [f"k{number}" for number in range(5)]


@pytest.fixture
def dialect() -> str:
    """The SQL is tested on both databases beside the services; here the wire is."""
    return "sqlite"


@pytest.fixture
async def card_id(api: Api) -> str:
    pull = await api.shop.pull_payment()
    made = await api.post("boltcards", {"alias": "Anna", "pull_payment_id": pull.id})
    return str(made.json()["id"])


async def link(api: Api, card_id: str, action: str = "program", **more: Any) -> Any:
    answer = await api.post(f"boltcards/{card_id}/links", {"action": action}, **more)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def ask(api: Api, made: Any, **body: str) -> httpx.Response:
    return await api.http.post(made["url"], json=body)


async def test_the_app_fetches_keys_by_the_link_and_the_card_taps(api: Api, card_id: str) -> None:
    made = await link(api, card_id)
    target = parse_qs(urlsplit(made["deeplink"]).query)["url"]

    answer = await ask(api, made, UID=CHIP)

    keys = answer.json()
    assert (answer.status_code, target) == (200, [made["url"]])
    assert made["deeplink"].startswith("boltcard://program?url=http%3A%2F%2F")
    assert answer.headers["cache-control"] == "no-store"
    assert [keys[name] for name in NAMES] == [keys[name.upper()] for name in NAMES]
    assert len({keys[name] for name in NAMES}) == 5
    assert keys["lnurlw_base"] == keys["LNURLW"] == "lnurlw://127.0.0.1:8080/boltcard"
    virtual = VirtualCard(*(bytes.fromhex(part) for part in (CHIP, keys["k1"], keys["k2"])))
    p, c = virtual.read()
    assert (await api.http.get("/boltcard", params={"p": p, "c": c})).json()["k1"]
    (tap,) = (await api.get(f"boltcards/{card_id}/taps", role=Role.VIEWER))["items"]
    assert (tap["counter"], tap["key_version"], tap["payout_id"]) == (1, 0, None)


async def test_a_look_at_a_link_uses_nothing_up(api: Api, card_id: str) -> None:
    made = await link(api, card_id)
    for address in (made["url"], made["scan_url"]):
        page = await api.http.get(address, headers={"Accept": "text/html,*/*"})
        assert (page.status_code, page.headers["content-type"][:9]) == (200, "text/html")
        assert (await api.http.head(address)).status_code == 200

    scanned = (await api.http.get(made["scan_url"])).json()

    assert (scanned["protocol_name"], scanned["card_name"]) == ("new_bolt_card_response", "Anna")
    refused = await api.http.get(made["scan_url"])
    assert refused.status_code == 409
    assert refused.json() == {
        "status": "ERROR",
        "reason": "This link was used before; make a new one.",
    }


async def test_the_app_resets_a_card_that_it_reads(api: Api, card_id: str) -> None:
    keys = (await ask(api, await link(api, card_id), UID=CHIP)).json()
    virtual = VirtualCard(*(bytes.fromhex(part) for part in (CHIP, keys["k1"], keys["k2"])))
    made = await link(api, card_id, "reset")
    assert (made["scan_url"], made["deeplink"][:21]) == (None, "boltcard://reset?url=")

    p, c = virtual.read()
    answer = await ask(api, made, LNURLW=f"{keys['LNURLW']}?p={p}&c={c}")

    assert answer.json() == {name: keys[name] for name in answer.json()}
    wiped = await api.post(f"boltcards/{card_id}/wipe-keys")
    assert wiped.json() == {"version": 1, "action": "wipe"} | {name: keys[name] for name in NAMES}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{}", 422),
        (b'{"UID": 7}', 422),
        (b'{"UID": "04"}', 422),
        (b"[]", 422),
        (b"{", 422),
        (b'{"UID": "' + b"0" * 5000 + b'"}', 422),
        (b'{"LNURLW": "lnurlw://x/boltcard?p=1&c=2"}', 409),
        (b'{"LNURLW": "http://[x"}', 409),
    ],
    ids=str,
)
async def test_what_cannot_be_answered_has_a_reason_and_gives_nothing(
    api: Api, card_id: str, body: bytes, status: int
) -> None:
    made = await link(api, card_id)

    answer = await api.http.post(made["url"], content=body)

    assert answer.status_code == status
    assert answer.json()["status"] == "ERROR"
    assert (await ask(api, made, UID=CHIP)).status_code == 200


async def test_a_link_is_made_by_those_who_may_and_the_same_key_gets_the_same(
    api: Api, card_id: str
) -> None:
    path = f"boltcards/{card_id}"
    for role in (Role.VIEWER, Role.APPROVER):
        is_problem(
            await api.post(f"{path}/links", {"action": "program"}, role=role), 403, "forbidden"
        )
        is_problem(await api.post(f"{path}/wipe-keys", role=role), 403, "forbidden")
    is_problem(await api.post(f"{path}/links", {"action": "melt"}), 422, "invalid", "action")
    is_problem(await api.post("boltcards/bc_x/links", {"action": "reset"}), 404, "not_found")
    assert await link(api, card_id, once="a") == await link(api, card_id, once="a")


async def test_guessing_is_slowed_down(api: Api) -> None:
    answers = [
        await api.http.post(f"{ORIGIN}/card-keys/{'A' * 22}", json={"UID": CHIP})
        for _ in range(ASKS_PER_MINUTE + 1)
    ]

    assert [answer.status_code for answer in answers] == [404] * ASKS_PER_MINUTE + [429]


def test_a_throttle_forgets_after_its_while_and_knows_addresses_apart() -> None:
    now = [0.0]
    throttle = Throttle(2, 60.0, lambda: now[0])
    for _ in range(2):
        throttle.check("a")

    with pytest.raises(RateLimited) as caught:
        throttle.check("a")

    assert caught.value.retry_after_s == 61
    throttle.check("b")
    now[0] = 60.0
    throttle.check("a")
