"""Who may do what: anonymous callers, sessions, API keys and their scopes, and the limiters."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from graphql import build_client_schema, get_introspection_query

from app.sandbox.server import Sandbox, open_sandbox
from app.sandbox.settings import SandboxSettings
from tests.app.sandbox.actors import CAPABLE, PRICE, SEND, SESSION, Hand, Merchant, foreign

ME = "{ me { username defaultAccount { defaultWalletId wallets { id walletCurrency balance } } } }"


@pytest.fixture
async def paced(tmp_path: Path, settings: SandboxSettings) -> AsyncIterator[Sandbox]:
    """A sandbox with all limits on."""
    limited = replace(settings, ledger=tmp_path / "paced.db", pace=True, http_burst=5)
    async with open_sandbox(limited) as opened:
        yield opened


async def test_anonymous_callers_are_let_in_and_get_field_errors(merchant: Merchant) -> None:
    answer = await merchant.raw(ME, headers={})

    assert answer.status_code == 200
    assert answer.json()["data"] == {"me": None}
    assert answer.json()["errors"][0]["message"] == "Not authorized"
    assert answer.json()["errors"][0]["code"] == "NOT_AUTHORIZED"


async def test_a_bad_token_is_an_http_401(merchant: Merchant) -> None:
    answer = await merchant.raw(PRICE, headers={"Authorization": "Bearer nobody"})

    assert answer.status_code == 401
    assert "html" in answer.headers["content-type"]


async def test_a_revoked_token_is_an_http_401(merchant: Merchant, hand: Hand) -> None:
    assert await hand.post("tokens/revoke", token="merchant-token") == {"revoked": True}

    assert (await merchant.raw(ME)).status_code == 401


async def test_a_token_expires(merchant: Merchant, hand: Hand) -> None:
    await hand.post("clock", advance_s=721 * 3600)

    assert (await merchant.raw(ME)).status_code == 401


async def test_a_bad_key_is_an_http_401_in_json(merchant: Merchant) -> None:
    answer = await merchant.raw(PRICE, headers={"X-API-KEY": "fk_00000000_" + "a" * 64})

    assert (answer.status_code, answer.json()) == (401, {"error": "invalid_api_key"})


async def test_the_capability_shows_the_usdt_wallet_and_without_it_the_legacy_one(
    merchant: Merchant,
) -> None:
    token = {"Authorization": SESSION["Authorization"]}

    capable = (await merchant.data(ME))["me"]["defaultAccount"]
    legacy = (await merchant.data(ME, headers=token))["me"]["defaultAccount"]

    assert [w["walletCurrency"] for w in capable["wallets"]] == ["USDT"]
    assert [w["walletCurrency"] for w in legacy["wallets"]] == ["USD"]
    assert capable["defaultWalletId"] != legacy["defaultWalletId"]
    assert capable["wallets"][0]["balance"] == legacy["wallets"][0]["balance"] == 1_000_000


async def key_headers(hand: Hand, scopes: str) -> dict[str, str]:
    key = await hand.post("keys", scopes=scopes)
    return {"X-API-KEY": key["api_key"], **CAPABLE}


async def test_a_payout_key_reads_and_sends(merchant: Merchant, hand: Hand) -> None:
    headers = await key_headers(hand, "read:user write:wallet read:transactions")
    sent = await merchant.data(SEND, merchant.input(foreign().pr), headers=headers)

    assert sent["lnInvoicePaymentSend"]["status"] == "SUCCESS"
    assert (await merchant.data(ME, headers=headers))["me"]["username"] == "merchant"


@pytest.mark.parametrize(
    ("scopes", "query", "missing"),
    [
        ("read:wallet", "{ me { id } }", "read:user"),
        ("read:user", ME, "read:wallet"),
        (
            "read:user",
            "{ me { defaultAccount { transactions { edges { cursor } } } } }",
            "read:transactions",
        ),
        ("read:user read:wallet", SEND, "write:wallet"),
    ],
)
async def test_a_key_without_the_scope_is_told_which_one(
    merchant: Merchant, hand: Hand, scopes: str, query: str, missing: str
) -> None:
    variables = merchant.input(foreign().pr) if query is SEND else None

    answer = await merchant.ask(query, variables, await key_headers(hand, scopes))

    assert answer["errors"][0]["message"] == f"API key missing required scope: {missing}"


async def test_a_key_never_manages_keys_and_public_fields_need_no_scope(
    merchant: Merchant, hand: Hand
) -> None:
    headers = await key_headers(hand, "admin")

    denied = await merchant.ask("{ apiKeys { id } }", headers=headers)
    await merchant.data(PRICE, headers=await key_headers(hand, "read:transactions"))

    assert denied["errors"][0]["message"].startswith("API keys cannot access")


async def test_keys_are_made_rotated_and_revoked_by_a_session(merchant: Merchant) -> None:
    fields = "errors { message } apiKey { id apiKey keyId scopes warning rateLimitPerMinute }"
    made = await merchant.mutate(
        "apiKeyCreate",
        "ApiKeyCreateInput",
        fields,
        name="payouts",
        scopes=["read_user", "write_wallet"],
        rateLimitPerMinute=500,
    )
    first = made["apiKey"]
    turned = await merchant.mutate("apiKeyRotate", "ApiKeyRotateInput", fields, id=first["id"])
    second = turned["apiKey"]

    assert first["apiKey"].startswith(f"fk_{first['keyId']}_")
    assert (second["scopes"], second["rateLimitPerMinute"]) == (["read_user", "write_wallet"], 500)
    assert (await merchant.raw(ME, headers={"X-API-KEY": first["apiKey"]})).status_code == 401
    assert (await merchant.raw(ME, headers={"X-API-KEY": second["apiKey"]})).status_code == 200

    await merchant.mutate("apiKeyRevoke", "ApiKeyRevokeInput", "errors { code }", id=second["id"])
    listed = (await merchant.data("{ apiKeys { keyId status } }"))["apiKeys"]
    assert [key["status"] for key in listed] == ["REVOKED", "REVOKED"]


@pytest.mark.parametrize("name", ["ab", "x" * 51, "no/slash"])
async def test_a_key_needs_a_proper_name(merchant: Merchant, name: str) -> None:
    made = await merchant.mutate(
        "apiKeyCreate", "ApiKeyCreateInput", "errors { code } apiKey { id }", name=name
    )

    assert made == {"errors": [{"code": "INVALID_INPUT"}], "apiKey": None}


async def test_an_account_has_at_most_ten_active_keys(merchant: Merchant, hand: Hand) -> None:
    for _ in range(10):
        await hand.post("keys")

    made = await merchant.mutate(
        "apiKeyCreate", "ApiKeyCreateInput", "errors { code } apiKey { id }", name="eleven"
    )

    assert made["apiKey"] is None


async def test_a_key_over_its_limit_gets_http_200_and_nothing_is_executed(
    paced: Sandbox, http: httpx.AsyncClient
) -> None:
    merchant, hand = Merchant(http, paced), Hand(http, paced.control_url)
    key = await hand.post("keys", scopes="admin", per_minute=2)
    headers = {"X-API-KEY": key["api_key"], **CAPABLE}
    invoice = foreign()
    for _ in range(2):
        await merchant.data(PRICE, headers=headers)

    limited = await merchant.raw(SEND, merchant.input(invoice.pr), headers=headers)

    assert limited.status_code == 200
    assert limited.json()["data"] is None
    (error,) = limited.json()["errors"]
    assert error["extensions"]["code"] == "TOO_MANY_REQUESTS"
    assert 0 < error["extensions"]["retryAfterSeconds"] <= 60
    assert await hand.ledger(invoice.hash) == []


async def test_the_ingress_turns_an_address_away_after_its_burst(
    paced: Sandbox, http: httpx.AsyncClient
) -> None:
    merchant, hand = Merchant(http, paced), Hand(http, paced.control_url)

    codes = [(await merchant.raw(PRICE)).status_code for _ in range(7)]
    await hand.post("clock", advance_s=1)
    later = (await merchant.raw(PRICE)).status_code

    assert codes == [200] * 6 + [503]
    assert later == 200


async def test_without_pace_nobody_is_turned_away(merchant: Merchant) -> None:
    codes = {(await merchant.raw(PRICE)).status_code for _ in range(100)}

    assert codes == {200}


async def test_every_answer_says_that_it_is_a_sandbox(
    sandbox: Sandbox, http: httpx.AsyncClient
) -> None:
    origin = sandbox.world.origin
    answers = [
        await http.get(f"{origin}/healthz"),
        await http.get(f"{origin}/nowhere"),
        await http.get(sandbox.api_url),
        await http.head(sandbox.api_url),
        await http.post(sandbox.api_url, content=b"{"),
        await http.get(f"{sandbox.control_url}/state"),
        await http.post(f"{sandbox.control_url}/fund", json={"cents": "many"}),
    ]

    assert [a.status_code for a in answers] == [200, 404, 400, 500, 400, 200, 422]
    assert {a.headers["Flash-Sandbox"] for a in answers} == {"1"}


async def test_the_control_api_answers_this_machine_only(
    sandbox: Sandbox, http: httpx.AsyncClient
) -> None:
    answer = await http.get(f"{sandbox.control_url}/state", headers={"Host": "sandbox.example"})

    assert answer.status_code == 403


async def test_a_body_that_is_too_large_is_refused(merchant: Merchant) -> None:
    answer = await merchant.raw(PRICE, {"x": "x" * 300_000})

    assert answer.status_code == 413


async def test_the_schema_can_be_asked_for(merchant: Merchant) -> None:
    schema = build_client_schema(await merchant.data(get_introspection_query(), headers={}))

    assert schema.query_type is not None
    assert len(schema.query_type.fields) == 33


@pytest.mark.parametrize(
    "query", ["{ me { ", "{ nothing }", "query A { me { id } } query B { me { id } }"]
)
async def test_a_document_that_cannot_be_run_is_an_http_400(merchant: Merchant, query: str) -> None:
    answer = await merchant.raw(query)

    assert answer.status_code == 400
    assert "data" not in answer.json()


async def test_a_field_that_the_sandbox_has_not_says_so(merchant: Merchant) -> None:
    answer = await merchant.ask("{ supportedBanks { name } }")

    assert answer["errors"][0]["message"] == "supportedBanks is not implemented in the sandbox"


@pytest.mark.parametrize(("header", "code"), [("not-a-uuid", 400), (None, 200)])
async def test_the_idempotency_header_is_only_looked_at_for_its_form(
    merchant: Merchant, header: str | None, code: int
) -> None:
    header = header or "6d1d2f2e-5a0b-4b57-9f5c-1f0a5a7d0c11"

    answers = [await merchant.raw(PRICE, headers={"X-Idempotency-Key": header}) for _ in range(2)]

    assert [a.status_code for a in answers] == [code, code]
