"""Keys and tokens: shown once, replaced, revoked, and noticed when stolen."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

import httpx
import orjson
import pytest

from models.errors import InvalidField, NotFoundError, Unauthenticated
from models.permission import Permission
from models.session import SessionEnd
from models.store import Actor, ActorKind, Role
from services import jwt
from services.tokens import AUDIENCE
from tests.support.api import is_problem
from tests.support.clock import HandClock
from tests.support.databases import Raw
from tests.support.shop import Shop, open_store
from tests.support.visitor import EMAIL, PASSWORD, Visitor

ALICE = Actor(ActorKind.PERSON, "us_alice")


async def begun(visitor: Visitor) -> dict[str, Any]:
    answer = await visitor.http.post("/v1/auth/token", json={"email": EMAIL, "password": PASSWORD})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def stats(visitor: Visitor, token: str) -> httpx.Response:
    return await visitor.http.get("/v1/stats", headers={"Authorization": f"Bearer {token}"})


async def refreshed(visitor: Visitor, token: str) -> httpx.Response:
    return await visitor.http.post("/v1/auth/refresh", json={"refresh_token": token})


async def test_a_person_scripts_with_a_token_that_lives_a_quarter_of_an_hour(
    visitor: Visitor, clock: HandClock, beneath: Raw
) -> None:
    pair = await begun(visitor)
    assert (await stats(visitor, pair["access_token"])).status_code == 200
    kept = str(beneath.rows("SELECT * FROM sessions"))
    assert pair["access_token"] not in kept
    assert pair["refresh_token"] not in kept

    clock.advance(minutes=15)

    is_problem(await stats(visitor, pair["access_token"]), 401, "unauthenticated")
    again = (await refreshed(visitor, pair["refresh_token"])).json()
    assert (await stats(visitor, again["access_token"])).status_code == 200


async def test_a_refresh_token_that_comes_twice_ends_its_family(
    visitor: Visitor, beneath: Raw
) -> None:
    first = await begun(visitor)
    second = (await refreshed(visitor, first["refresh_token"])).json()

    stolen = await refreshed(visitor, first["refresh_token"])

    is_problem(stolen, 401, "unauthenticated")
    is_problem(await refreshed(visitor, second["refresh_token"]), 401, "unauthenticated")
    is_problem(await stats(visitor, second["access_token"]), 401, "unauthenticated")
    assert beneath.value("SELECT end_reason FROM sessions") == SessionEnd.REUSED
    assert beneath.value("SELECT count(*) FROM audit WHERE action = 'token.reused'") == 1


async def test_a_program_resolves_only_shortly_after_its_person_gave_the_password(
    visitor: Visitor, clock: HandClock
) -> None:
    async def resolve(pair: dict[str, Any]) -> httpx.Response:
        headers = {"Authorization": f"Bearer {pair['access_token']}"}
        body = {"outcome": "paid", "evidence": "I asked them"}
        return await visitor.http.post("/v1/payouts/po_1/resolve", json=body, headers=headers)

    pair = await begun(visitor)
    is_problem(await resolve(pair), 404, "not_found")
    clock.advance(minutes=11)
    refused = await resolve(pair)

    is_problem(refused, 403, "forbidden")
    assert "password again" in refused.json()["detail"]
    later = (await refreshed(visitor, pair["refresh_token"])).json()
    is_problem(await resolve(later), 403, "forbidden")
    is_problem(await resolve(await begun(visitor)), 404, "not_found")


async def test_a_person_of_two_stores_scripts_in_the_one_they_name(
    shop: Shop, visitor: Visitor
) -> None:
    second = await open_store(shop.container, name="Second", owner_email=EMAIL)
    strange = await open_store(shop.container, name="Next door", owner_email="n@example.com")
    fields = {"email": EMAIL, "password": PASSWORD}
    seen = []
    for store in (shop.store, second):
        pair = await visitor.http.post("/v1/auth/token", json=fields | {"store_id": store.id})
        headers = {"Authorization": f"Bearer {pair.json()['access_token']}"}
        seen.append((await visitor.http.get("/v1/wallet", headers=headers)).json()["store_id"])
    refused = await visitor.http.post("/v1/auth/token", json=fields | {"store_id": strange.id})
    guessed = fields | {"store_id": strange.id, "password": "not the one"}

    assert seen == [shop.store.id, second.id]
    is_problem(refused, 422, "invalid", "store_id")
    # Whoever does not know the password learns nothing of stores.
    is_problem(await visitor.http.post("/v1/auth/token", json=guessed), 401, "unauthenticated")


async def test_a_revoked_family_is_over(visitor: Visitor) -> None:
    pair = await begun(visitor)

    answer = await visitor.http.post(
        "/v1/auth/revoke", json={"refresh_token": pair["refresh_token"]}
    )

    assert answer.status_code == 200
    is_problem(await stats(visitor, pair["access_token"]), 401, "unauthenticated")
    is_problem(await refreshed(visitor, pair["refresh_token"]), 401, "unauthenticated")


@pytest.mark.parametrize("change", ["alg", "signature", "audience", "until", "session", "cut"])
async def test_a_token_that_was_tampered_with_is_refused(
    shop: Shop, visitor: Visitor, change: str
) -> None:
    pair = await begun(visitor)
    token, key = str(pair["access_token"]), shop.container.vault.token_key
    head, body, signature = token.split(".")
    claims = orjson.loads(base64.urlsafe_b64decode(body + "=="))
    none = base64.urlsafe_b64encode(b'{"alg":"none","typ":"at+jwt"}').decode().rstrip("=")
    now = claims["iat"]
    changed = {
        "alg": f"{none}.{body}.",
        "signature": f"{head}.{body}.{signature[::-1]}",
        "audience": jwt.sign(claims | {"aud": "another"}, key),
        "until": jwt.sign(claims | {"iat": now - 2000, "exp": now - 1000}, key),
        "session": jwt.sign(
            claims | {"sid": claims["sid"][:-1] + ("1" if claims["sid"].endswith("0") else "0")},
            key,
        ),
        "cut": token[:-10],
    }[change]

    is_problem(await stats(visitor, changed), 401, "unauthenticated")
    assert jwt.read(token, b"another key", audience=AUDIENCE, now_s=now) is None


async def test_a_browsers_session_is_no_token(shop: Shop, visitor: Visitor) -> None:
    await visitor.sign_in()
    found = await shop.container.doors.sessions.find(visitor.token or "")
    assert found is not None
    now = int(shop.clock.utc_now().timestamp())
    claims = {"aud": AUDIENCE, "sid": found.session.id, "iat": now, "exp": now + 60}

    forged = jwt.sign(claims, shop.container.vault.token_key)

    is_problem(await stats(visitor, forged), 401, "unauthenticated")


async def test_a_key_is_replaced_with_time_to_change_over(
    shop: Shop, clock: HandClock, beneath: Raw
) -> None:
    stores, keys = shop.container.stores, shop.container.doors.api_keys
    scopes = frozenset({Permission.READ, Permission.CREATE})
    old = await stores.create_api_key(shop.store.id, "till", Role.MANAGER, 90, ALICE, scopes)
    key = await stores.authenticate(old)
    assert key.made_by == ALICE.id
    clock.advance(minutes=1)

    new = await keys.rotate(shop.store.id, key.id, ALICE, timedelta(hours=2))

    assert (await stores.authenticate(old)).id == key.id
    after = await stores.authenticate(new)
    assert (after.name, after.role, after.scopes) == ("till", Role.MANAGER, "read create")
    clock.advance(hours=2)
    with pytest.raises(Unauthenticated):
        await stores.authenticate(old)
    await stores.authenticate(new)
    assert [found.id for found in await keys.list_of(shop.store.id)] == [after.id, key.id]
    assert new[-43:] not in str(beneath.rows("SELECT * FROM api_keys"))


async def test_a_revoked_key_works_no_more_and_strangers_cannot_touch_it(shop: Shop) -> None:
    stores, keys = shop.container.stores, shop.container.doors.api_keys
    text = await stores.create_api_key(shop.store.id, "till", Role.VIEWER, None, ALICE)
    key = await stores.authenticate(text)
    stranger = await open_store(shop.container, name="Next door", owner_email="n@example.com")
    for act in (keys.revoke, keys.rotate):
        with pytest.raises(NotFoundError):
            await act(stranger.id, key.id, ALICE)
    with pytest.raises(InvalidField):
        await keys.rotate(shop.store.id, key.id, ALICE, timedelta(days=31))

    await keys.revoke(shop.store.id, key.id, ALICE)

    with pytest.raises(Unauthenticated):
        await stores.authenticate(text)
    for act in (keys.revoke, keys.rotate):
        with pytest.raises(NotFoundError):
            await act(shop.store.id, key.id, ALICE)


async def test_a_keys_last_use_is_written_once_a_minute(
    shop: Shop, clock: HandClock, beneath: Raw
) -> None:
    text = await shop.container.stores.create_api_key(shop.store.id, "t", Role.VIEWER, None)
    seen = set()
    for _ in range(3):
        await shop.container.stores.authenticate(text)
        seen.add(beneath.value("SELECT last_used_at FROM api_keys"))
        clock.advance(seconds=25)

    assert len(seen) == 1
