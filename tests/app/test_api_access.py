"""Who may call what: every route with no key, a wrong key, a small role, and a stranger's key."""

from __future__ import annotations

from typing import Any

import pytest

from app.server import build_api
from models.payout import AttemptState, EvidenceGrade
from models.permission import ALLOWED
from models.states import PayoutState, PayoutStatus
from models.store import Role
from models.success_action import SuccessAction
from services.kept_actions import KeptActions
from services.storage import attempt as attempts
from tests.support.api import Api, is_problem
from tests.support.builders import a_payout, an_attempt
from tests.support.cards import VirtualCard
from tests.support.databases import Raw
from tests.support.invoices import invoice
from tests.support.past import Past
from tests.vector_files import rows

ROLES = (Role.OWNER, Role.MANAGER, Role.APPROVER, Role.VIEWER)
SECRET = rows("lnurl.json", "lud10_aes")[0]


def routes_of(api: Api) -> list[tuple[str, str, dict[str, Any]]]:
    """Return every documented route: its method, its path, and a body that fits its schema."""
    schema = build_api(api.shop.container).openapi()
    found = []
    for path, methods in schema["paths"].items():
        if "/auth/" in path:  # these ask for a password or a refresh token, not for a role
            continue
        for method, route in methods.items():
            content = route.get("requestBody", {}).get("content", {})
            wanted = content.get("application/json", {}).get("schema")
            body = {} if wanted is None else fitting(wanted, schema["components"]["schemas"])
            found.append((method.upper(), path.removeprefix("/v1/"), body))
    assert len(found) > 15
    return found


def fitting(wanted: dict[str, Any], known: dict[str, Any]) -> Any:
    """Return some value that fits a JSON schema."""
    if "$ref" in wanted:
        return fitting(known[wanted["$ref"].rpartition("/")[2]], known)
    if "const" in wanted or "enum" in wanted:
        return wanted.get("const", wanted.get("enum", [None])[0])
    match wanted.get("type"):
        case "object":
            needed = wanted.get("required", ())
            return {name: fitting(wanted["properties"][name], known) for name in needed}
        case "array":
            return [fitting(wanted["items"], known)]
        case "integer":
            return int(wanted.get("minimum", 1))
        case "boolean":
            return True
        case _:
            return "x" * max(3, wanted.get("minLength", 1))


async def things_of(api: Api) -> dict[str, str]:
    """Make one thing of each kind, and return their ids by the names of path parameters."""
    pull = await api.shop.pull_payment(auto_approve=False)
    card = await api.shop.card(VirtualCard(), pull)
    payout = await api.shop.claim(pull, invoice(api.shop.clock))
    return {"payout_id": payout.id, "pull_payment_id": pull.id, "card_id": card.id}


def filled(path: str, things: dict[str, str]) -> str:
    for name, value in things.items():
        path = path.replace(f"{{{name}}}", value)
    assert "{" not in path, f"no test thing for {path}"
    return path


@pytest.mark.parametrize(
    "header",
    [None, "", "Bearer", "Bearer ", "Basic abc", "Bearer fp_ak_nobody_x", "Bearer \x7f", "fp_ak"],
)
async def test_no_route_answers_without_a_good_key(api: Api, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    for method, path, body in routes_of(api):
        answer = await api.http.request(method, f"/v1/{path}", json=body, headers=headers)

        is_problem(answer, 401, "unauthenticated")
        assert answer.headers["www-authenticate"] == "Bearer"


async def test_a_strangers_key_finds_nothing_of_ours(api: Api, beneath: Raw) -> None:
    things, stranger = await things_of(api), await api.neighbour()
    tables = ("payouts", "cards", "pull_payments", "payout_events")
    before = {table: sorted(beneath.rows(f"SELECT * FROM {table}"), key=str) for table in tables}

    for method, path, body in routes_of(api):
        if "{" not in path:
            continue
        answer = await api.call(
            method, filled(path, things), store=stranger, json=body, once=f"{method} {path}"
        )
        is_problem(answer, 404, "not_found")

    after = {table: sorted(beneath.rows(f"SELECT * FROM {table}"), key=str) for table in tables}
    assert after == before


async def test_a_strangers_lists_and_figures_show_nothing_of_ours(api: Api) -> None:
    things, stranger = await things_of(api), await api.neighbour()

    for method, path, _ in routes_of(api):
        if method != "GET" or "{" in path:
            continue
        params = {"format": "json"} if "export" in path else {}
        answer = await api.call("GET", path, store=stranger, params=params)
        assert answer.status_code == 200, path
        assert not any(thing in answer.text for thing in things.values())
        assert api.shop.store.id not in answer.text


async def test_a_viewer_changes_nothing(api: Api, beneath: Raw) -> None:
    things = await things_of(api)
    changing = [route for route in routes_of(api) if route[0] not in {"GET", "HEAD"}]
    assert len(changing) >= 8

    for method, path, body in changing:
        answer = await api.call(method, filled(path, things), role=Role.VIEWER, json=body)
        is_problem(answer, 403, "forbidden")

    assert beneath.value("SELECT count(*) FROM payouts WHERE state = 'awaiting_approval'") == 1
    assert beneath.value("SELECT stopped_at FROM wallets") is None


async def test_every_role_may_read_everything(api: Api) -> None:
    things = await things_of(api)
    for role in ROLES:
        for method, path, _ in routes_of(api):
            if method == "GET":
                params = {"format": "csv"} if "export" in path else {}
                answer = await api.call("GET", filled(path, things), role=role, params=params)
                assert answer.status_code == 200, (role, path)


NEW_PULL = {"name": "Tips", "currency": "SATS", "amount": 10, "auto_approve": True}
NEEDS = [
    ("POST", "pull-payments", NEW_PULL, 201, {Role.OWNER, Role.MANAGER}),
    ("PATCH", "pull-payments/{pull_payment_id}", {}, 200, {Role.OWNER, Role.MANAGER}),
    ("PATCH", "boltcards/{card_id}", {}, 200, {Role.OWNER, Role.MANAGER}),
    ("POST", "payouts/{payout_id}/cancel", {}, 200, {Role.OWNER, Role.MANAGER}),
    (
        "POST",
        "payouts/{payout_id}/approve",
        {"revision": 2},
        200,
        {Role.OWNER, Role.MANAGER, Role.APPROVER},
    ),
    ("POST", "wallet/stop", None, 200, {Role.OWNER, Role.MANAGER, Role.APPROVER}),
    ("POST", "wallet/resume", None, 200, {Role.OWNER}),
]


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(("method", "path", "body", "status", "allowed"), NEEDS)
async def test_a_role_may_do_what_it_is_for(
    api: Api, role: Role, method: str, path: str, body: Any, status: int, allowed: set[Role]
) -> None:
    answer = await api.call(method, filled(path, await things_of(api)), role=role, json=body)

    if role in allowed:
        assert answer.status_code == status, answer.text
    else:
        is_problem(answer, 403, "forbidden")


async def test_only_managers_see_whole_card_numbers(api: Api) -> None:
    card, pull = VirtualCard(), await api.shop.pull_payment(auto_approve=False)
    await api.shop.card(card, pull)
    await api.shop.claim_tap(await api.shop.tap(card), invoice(api.shop.clock))
    uid = card.uid.hex()

    for role in ROLES:
        sees = role in {Role.OWNER, Role.MANAGER}
        for path in ("boltcards", "payouts"):
            answer = await api.call("GET", path, role=role)
            assert (uid in answer.text) is sees, (role, path)
            assert uid[-4:] in answer.text


async def test_only_managers_see_what_proves_a_payment_and_what_it_opens(
    api: Api,
) -> None:
    proven = {"state": PayoutState.COMPLETED, "status": PayoutStatus.COMPLETED}
    payout = a_payout(api.shop.store, evidence=EvidenceGrade.PREIMAGE, **proven)
    await Past(api.shop, [], [], []).add(payout, preimage=SECRET["preimage"])
    attempt, write = (
        an_attempt(payout, state=AttemptState.SETTLED),
        api.shop.container.database.write,
    )
    words, vector = SECRET["ciphertext_base64"], SECRET["iv_base64"]
    action = SuccessAction("aes", "Your code", ciphertext=words, iv=vector)
    kept = KeptActions(api.shop.container.database, api.shop.container.vault)
    await write(attempts.add_attempt, attempt)
    await write(kept.keep, payout.store_id, payout.id, attempt.id, action)

    for role in ROLES:
        sees = role in {Role.OWNER, Role.MANAGER}
        (listed,) = (await api.get("payouts", role=role))["items"]
        read = await api.get(f"payouts/{payout.id}", role=role)
        assert listed["preimage"] == read["preimage"] == (SECRET["preimage"] if sees else None)
        # What proves it is no secret, only the proof is.
        assert read["evidence"] == "preimage"
        said = await api.get(f"payouts/{payout.id}/success-action", role=role)
        assert (said["text"], said["secret"]) == (
            "Your code",
            SECRET["plaintext"] if sees else None,
        )


async def test_decisions_through_the_api_are_audited_with_their_key(api: Api, beneath: Raw) -> None:
    things = await things_of(api)
    answer = await api.post(
        f"payouts/{things['payout_id']}/approve", {"revision": 2}, role=Role.APPROVER
    )

    assert answer.json()["state"] == PayoutState.APPROVED
    kind, actor, request_id = beneath.rows(
        "SELECT actor_kind, actor_id, request_id FROM audit WHERE action = 'payout.approved'"
    )[0]
    key = await api.key(Role.APPROVER)
    assert (kind, actor) == ("api_key", key[3:32])
    assert request_id == answer.headers["x-request-id"]


def test_every_permission_is_somebodys() -> None:
    assert all(roles for roles in ALLOWED.values())
    assert all(Role.OWNER in roles for roles in ALLOWED.values())
