"""Secrets are planted everywhere, and then everything that leaves is searched for them."""

from __future__ import annotations

import base64
import logging
from typing import Any

import pytest

from models.flash import ConnectionTest, CredentialKind, WalletInfo
from models.instants import to_seconds
from models.store import Actor, ActorKind, Role
from services import totp_policy
from tests.app.doors.test_every_route import call, routes_under_the_base
from tests.app.test_api_access import filled
from tests.support.api import api_of
from tests.support.cards import VirtualCard
from tests.support.databases import Raw
from tests.support.invoices import invoice
from tests.support.shop import Shop
from tests.support.visitor import PASSWORD, Visitor

CREDENTIAL = "ory_st_bm90IGEgcmVhbCB0b2tlbiBidXQgc2VjcmV0"


async def connect(shop: Shop, actor: Actor) -> None:
    """Keep a credential of Flash, as the settings page does."""
    connections = shop.container.connections
    tested = ConnectionTest(
        WalletInfo("wallet-1", "USD", 0),
        is_sandbox=False,
        reads_statement=True,
        socket_answers=True,
        took_ms=1,
    )
    wanted = connections.to(CredentialKind.TOKEN, CREDENTIAL)
    await connections.keep(shop.store.id, CredentialKind.TOKEN, wanted, tested, actor)


async def plant(shop: Shop, visitor: Visitor) -> tuple[dict[str, str], dict[str, str], str]:
    """Make one of each secret; returns them by name, ids for the paths, and an owner's key."""
    doors, container = shop.container.doors, shop.container
    pull, card = await shop.pull_payment(auto_approve=False), VirtualCard()
    kept = await shop.card(card, pull)
    payout = await shop.claim_tap(await shop.tap(card), invoice(shop.clock))
    await visitor.sign_in()
    found = await doors.sessions.find(visitor.token or "")
    assert found is not None
    actor = Actor(ActorKind.PERSON, found.session.user_id)
    enrolment = await doors.factors.enrol(found.session)
    secret = base64.b32decode(enrolment.secret)
    code = totp_policy.code_at(secret, totp_policy.step_of(to_seconds(shop.clock.utc_now())))
    codes = await doors.factors.confirm(found.session, code, actor)
    key = await container.stores.create_api_key(shop.store.id, "till", Role.OWNER, None, actor)
    _, invitation = await doors.people.invite(shop.store.id, "b@example.com", Role.VIEWER, actor)
    pair = doors.tokens._pair(found.session, 0)
    await connect(shop, actor)
    planted = {
        "password": PASSWORD,
        "session": visitor.token or "",
        "authenticator": enrolment.secret,
        "authenticator, raw": secret.hex(),
        "recovery code": codes[0],
        "recovery code, plain": codes[0].replace("-", ""),
        "credential": CREDENTIAL,
        "key": key[-43:],
        "invitation": invitation,
        "access": pair.access.rpartition(".")[2],
        "refresh": pair.refresh.rpartition(".")[2],
        "k1": card.k1.hex(),
        "k2": card.k2.hex(),
        "token key": container.vault.token_key.hex(),
    }
    things = {"payout_id": payout.id, "pull_payment_id": pull.id, "card_id": kept.id}
    return planted, things, key


async def test_no_secret_leaves_in_an_answer_a_log_a_record_or_the_database(
    shop: Shop, visitor: Visitor, beneath: Raw, capsys: pytest.CaptureFixture[str], caplog: Any
) -> None:
    caplog.set_level(logging.DEBUG)
    planted, things, key = await plant(shop, visitor)
    left: list[str] = []
    async with api_of(shop) as api:
        for method, path, body, _ in routes_under_the_base(shop):
            if "{" in path and "card" in path and method != "GET":
                continue  # these exist to hand keys over, once
            answer = await call(api, method, filled(path, things), key, body)
            left += [answer.text, str(answer.headers)]
        for path in ("/metrics", "/readyz", "/v1/openapi.json", "/login", "/v1/nothing"):
            left.append((await api.http.get(path)).text)
        for form in ("csv", "json"):
            answer = await call(api, "GET", f"/v1/payouts/export?format={form}", key, None)
            left.append(answer.text)
    await visitor.sign_in(password=PASSWORD + "!")
    wrong = {"email": "alice@example.com", "password": PASSWORD, "totp": planted["recovery code"]}
    left.append((await visitor.http.post("/v1/auth/token", json=wrong | {"more": 1})).text)
    tables = [row[0] for row in beneath.rows("SELECT name FROM sqlite_master WHERE type = 'table'")]
    left += [str(beneath.rows(f"SELECT * FROM {table}")) for table in tables]
    said = capsys.readouterr()
    left += [said.out, said.err, caplog.text]

    assert sum(things["payout_id"] in text for text in left) > 5
    for name, secret in planted.items():
        assert len(secret) >= 16
        for text in left:
            assert secret.lower() not in text.lower(), (name, text[:300])
