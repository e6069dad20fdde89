"""Signing in: what the page says, what it keeps, how it slows guessing, and how it ends."""

from __future__ import annotations

import base64
import json

import pytest

from models.instants import to_seconds
from models.session import SessionEnd
from models.store import Actor, ActorKind
from services import totp_policy
from tests.support.clock import HandClock
from tests.support.databases import Raw
from tests.support.shop import Shop
from tests.support.visitor import EMAIL, PASSWORD, Visitor, visiting

WRONG = "E-mail, password or code is not right."


async def standing(shop: Shop, visitor: Visitor) -> object:
    return await shop.container.doors.sessions.find(visitor.token or "")


async def test_a_right_password_begins_a_session_that_a_script_cannot_read(
    shop: Shop, visitor: Visitor, beneath: Raw
) -> None:
    answer = await visitor.sign_in()

    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert visitor.token is not None
    assert not beneath.rows(f"SELECT 1 FROM sessions WHERE token_hash = '{visitor.token}'")
    found = await shop.container.doors.sessions.find(visitor.token)
    assert found is not None
    assert (found.session.store_id, found.role) == (shop.store.id, "owner")
    assert found.session.address == "203.0.113.7"
    assert (
        (await visitor.http.get("/login"))
        .headers["content-security-policy"]
        .startswith("default-src 'none'")
    )


@pytest.mark.parametrize(
    ("email", "password"),
    [(EMAIL, "another horse battery"), ("nobody@example.com", PASSWORD), (EMAIL, ""), ("", "")],
)
async def test_a_wrong_word_gets_the_same_answer_whichever_it_is(
    visitor: Visitor, email: str, password: str
) -> None:
    answer = await visitor.sign_in(email, password)

    assert answer.status_code == 401
    assert WRONG in answer.text
    assert visitor.token is None


async def test_a_program_signs_in_without_a_form(visitor: Visitor) -> None:
    answer = await visitor.http.post("/login", data={"email": EMAIL, "password": PASSWORD})

    assert answer.status_code == 303


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:8080"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Referer": "https://evil.example/"},
    ],
    ids=str,
)
async def test_a_form_of_another_site_is_refused(
    visitor: Visitor, headers: dict[str, str], beneath: Raw
) -> None:
    fields = {"email": EMAIL, "password": PASSWORD, "form": "x" * 64}

    answer = await visitor.http.post("/login", data=fields, headers=headers)

    assert answer.status_code == 403
    assert beneath.value("SELECT count(*) FROM sessions") == 0


async def test_guessing_is_slowed_for_an_account_that_exists_and_for_one_that_does_not(
    visitor: Visitor, clock: HandClock
) -> None:
    for email in (EMAIL, "nobody@example.com"):
        seen = [(await visitor.sign_in(email, f"guess number {n}")).status_code for n in range(7)]
        assert seen == [401] * 5 + [429] * 2

    blocked = await visitor.sign_in()
    assert blocked.status_code == 429
    assert 0 < int(blocked.headers["retry-after"]) <= 5
    clock.advance(seconds=6)
    assert (await visitor.sign_in()).status_code == 303


async def test_many_guesses_at_once_are_counted_one_by_one(visitor: Visitor) -> None:
    import asyncio

    page = await visitor.http.get("/login")
    many = [visitor.submit("/login", page, email=EMAIL, password=f"g{n}") for n in range(20)]
    seen = sorted(answer.status_code for answer in await asyncio.gather(*many))

    assert seen == [401] * 5 + [429] * 15


async def test_strangers_who_guess_do_not_lock_the_owner_out(shop: Shop, visitor: Visitor) -> None:
    await visitor.sign_in()
    async with visiting(shop, "198.51.100.9") as stranger:
        for number in range(8):
            await stranger.sign_in(EMAIL, f"guess number {number}")
        assert (await stranger.sign_in()).status_code == 429

    assert (await visitor.sign_in()).status_code == 303


async def test_a_session_ends_unused_or_after_a_week(
    shop: Shop, visitor: Visitor, clock: HandClock
) -> None:
    await visitor.sign_in()
    for _ in range(24 * 7 // 7 - 1):
        clock.advance(hours=7)
        assert await standing(shop, visitor)
    clock.advance(hours=7)
    assert await standing(shop, visitor) is None

    await visitor.sign_in()
    clock.advance(hours=9)
    assert await standing(shop, visitor) is None


async def test_signing_out_ends_the_session_and_a_link_alone_does_not(
    shop: Shop, visitor: Visitor
) -> None:
    await visitor.sign_in()
    token = visitor.token
    assert (await visitor.http.get("/logout")).status_code == 200
    assert await standing(shop, visitor)

    answer = await visitor.submit("/logout")

    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    assert visitor.token is None
    assert await shop.container.doors.sessions.find(token or "") is None


async def test_a_new_password_ends_all_other_sessions(shop: Shop, visitor: Visitor) -> None:
    doors = shop.container.doors
    await visitor.sign_in()
    found = await doors.sessions.find(visitor.token or "")
    assert found is not None
    actor = Actor(ActorKind.PERSON, found.session.user_id, "203.0.113.7")
    async with visiting(shop) as elsewhere:
        await elsewhere.sign_in()
        told: list[bool] = []
        doors.sessions.listen(lambda: told.append(True))

        new = "wonderful brick 7 lamp"
        await doors.sign_in.change_password(found.session, PASSWORD, new, "", actor)

        assert told
        assert await standing(shop, elsewhere) is None
        assert (await elsewhere.sign_in()).status_code == 401
        assert (await elsewhere.sign_in(password=new)).status_code == 303
    assert await standing(shop, visitor)
    assert len(await doors.sessions.live_of(found.session.user_id)) == 2
    await doors.sessions.end_all(actor)
    assert await standing(shop, visitor) is None


async def with_authenticator(shop: Shop, visitor: Visitor) -> tuple[bytes, list[str]]:
    """Set an authenticator up for the visitor, who signs in for it."""
    doors = shop.container.doors
    await visitor.sign_in()
    found = await doors.sessions.find(visitor.token or "")
    assert found is not None
    actor = Actor(ActorKind.PERSON, found.session.user_id)
    enrolment = await doors.factors.enrol(found.session)
    secret = base64.b32decode(enrolment.secret)
    assert enrolment.secret in enrolment.uri
    codes = await doors.factors.confirm(found.session, now_code(shop, secret), actor)
    assert len(codes) == len(set(codes)) == 10
    await doors.sessions.end(found.session.id, SessionEnd.ENDED, actor)
    visitor.http.cookies.clear()
    return secret, codes


def now_code(shop: Shop, secret: bytes) -> str:
    return totp_policy.code_at(secret, totp_policy.step_of(to_seconds(shop.clock.utc_now())))


async def test_with_an_authenticator_the_password_alone_is_not_enough(
    shop: Shop, visitor: Visitor, clock: HandClock
) -> None:
    secret, _ = await with_authenticator(shop, visitor)
    used = now_code(shop, secret)

    asked = await visitor.sign_in()
    assert (asked.status_code, visitor.token) == (200, None)
    # The code that set it up was taken: it is not taken again.
    replayed = await visitor.submit("/login", asked, code=used)
    assert (replayed.status_code, visitor.token) == (401, None)
    clock.advance(seconds=30)
    asked = await visitor.sign_in()
    done = await visitor.submit("/login", asked, code=now_code(shop, secret))

    assert done.status_code == 303
    assert await standing(shop, visitor)


async def test_the_half_way_ticket_ends_soon(
    shop: Shop, visitor: Visitor, clock: HandClock
) -> None:
    secret, _ = await with_authenticator(shop, visitor)
    asked = await visitor.sign_in()
    clock.advance(minutes=6)

    late = await visitor.submit("/login", asked, code=now_code(shop, secret))

    assert late.status_code == 401


async def test_a_recovery_code_works_once(shop: Shop, visitor: Visitor, beneath: Raw) -> None:
    _, codes = await with_authenticator(shop, visitor)
    plain = codes[0].replace("-", "")
    assert not beneath.rows(f"SELECT 1 FROM recovery_codes WHERE code_hash LIKE '%{plain}%'")

    first = await visitor.submit("/login", await visitor.sign_in(), code=codes[0])
    visitor.http.cookies.clear()
    second = await visitor.submit("/login", await visitor.sign_in(), code=codes[0])

    assert (first.status_code, second.status_code) == (303, 401)
    user_id = str(beneath.value("SELECT id FROM users"))
    assert await shop.container.doors.factors.codes_left(user_id) == 9


async def test_dangerous_acts_ask_for_the_password_again(
    shop: Shop, visitor: Visitor, clock: HandClock
) -> None:
    from models.errors import Forbidden, Unauthenticated

    doors = shop.container.doors
    await visitor.sign_in()
    clock.advance(minutes=11)
    found = await doors.sessions.find(visitor.token or "")
    assert found is not None
    actor = Actor(ActorKind.PERSON, found.session.user_id)
    with pytest.raises(Forbidden):
        await doors.factors.enrol(found.session)
    with pytest.raises(Unauthenticated):
        await doors.sign_in.confirm(found.session, "not the password", "", actor)

    await doors.sign_in.confirm(found.session, PASSWORD, "", actor)

    again = await doors.sessions.read(found.session.id)
    assert again is not None
    assert (await doors.factors.enrol(again.session)).secret


async def test_every_sign_in_and_failure_is_written_down(
    shop: Shop, visitor: Visitor, beneath: Raw
) -> None:
    await visitor.sign_in(password="not the password")
    await visitor.sign_in()
    await visitor.submit("/logout")

    rows = beneath.rows(
        "SELECT action, actor_kind, address, after FROM audit WHERE action != 'store.created'"
        " ORDER BY number"
    )
    assert [row[0] for row in rows] == ["sign_in.refused", "sign_in.ok", "session.ended"]
    assert {row[1] for row in rows} == {"person"}
    assert {row[2] for row in rows} == {"203.0.113.7"}
    assert json.loads(str(rows[0][3])) == {"wrong": "password"}
    assert not any("not the password" in str(row) for row in rows)
