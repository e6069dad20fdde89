"""Every act of a person or key is in the record: who, from where, what, before and after."""

from __future__ import annotations

import json
from typing import Any

from models.payout_act import PayoutAct
from models.store import Role, Store
from tests.app.doors.page_acts import ACTS, Stage, remove_a_view, save_a_view
from tests.app.doors.test_every_act import staged, tried
from tests.app.doors.test_every_route import call, routes_under_the_base
from tests.app.test_api_access import filled
from tests.support.api import api_of
from tests.support.databases import Raw
from tests.support.invoices import invoice
from tests.support.shop import Shop

ADDRESS = "203.0.113.7"
# How somebody looks at their own lists is nobody's affair.
UNSAID = {save_a_view, remove_a_view}
# What begins has nothing before it, what is gone has nothing after it, a look changes nothing.
BEGINS = ("created", "requested", "invited", "joined", "link_made", "keys_shown", "exported")
ENDS = ("ended", "revoked", "taken_back", "dropped", "removed")
# What a password was, or is, is never said.
SECRET = ("password.changed", "session.confirmed")


def entries_after(beneath: Raw, number: int) -> list[dict[str, Any]]:
    names = ("number", "action", "actor_kind", "actor_id", "address", "request_id", "subject_id")
    names += ("before", "after")
    found = beneath.rows(
        f"SELECT {', '.join(names)} FROM audit WHERE number > {number} ORDER BY number"
    )
    return [dict(zip(names, row, strict=True)) for row in found]


def says_what_changed(entry: dict[str, Any]) -> bool:
    before, after = (entry[name] and json.loads(entry[name]) for name in ("before", "after"))
    action = str(entry["action"]).rpartition(".")[2]
    if action in BEGINS or entry["action"] in SECRET:
        return bool(after)
    return bool(before or after) if action in ENDS else bool(before and after)


async def test_every_act_of_every_page_is_in_the_record(shop: Shop, beneath: Raw) -> None:
    async with staged(shop) as stage:
        who = stage.visit.caller.actor.id
        for each in ACTS:
            beneath.run("UPDATE wallets SET gate = 'shut', gate_reason = 'look'")
            last = last_number(beneath, shop.store)
            await tried(each, stage)
            found = entries_after(beneath, last)

            assert bool(found) is (each.changes and each.do not in UNSAID), each
            for entry in found:
                assert (entry["actor_id"], entry["address"]) == (who, ADDRESS), entry
                assert says_what_changed(entry), entry


async def test_every_call_that_changes_something_is_in_the_record(shop: Shop, beneath: Raw) -> None:
    async with staged(shop) as stage, api_of(shop) as api:
        beneath.run("UPDATE wallets SET gate = 'shut', gate_reason = 'look'")
        key, done, refused = await api.key(Role.OWNER), [], []
        for method, path, body, _ in routes_under_the_base(shop):
            if method == "GET" or path.endswith("/preview"):
                continue
            last = last_number(beneath, shop.store)
            fitting = body if body is None else body | given(stage, path)
            answer = await call(api, method, filled(path, named(stage, path)), key, fitting)
            if answer.status_code >= 300:
                refused.append((path, answer.text))
                continue
            done.append(path)
            found = entries_after(beneath, last)
            assert found, path
            for entry in found:
                assert entry["actor_kind"] == "api_key"
                assert str(entry["actor_id"]) in key
                assert entry["address"] == "127.0.0.1"
                assert entry["request_id"] == answer.headers["x-request-id"]
                assert says_what_changed(entry), entry
        assert refused == []
        assert len(done) > 15


def last_number(beneath: Raw, store: Store) -> int:
    return int(str(beneath.value(f"SELECT max(number) FROM audit WHERE store_id = '{store.id}'")))


def named(stage: Stage, path: str) -> dict[str, str]:
    """Return the thing of each kind that an act is possible on."""
    word = path.rpartition("/")[2]
    act = PayoutAct(word) if word in set(PayoutAct) else PayoutAct.APPROVE
    things = stage.things
    return {
        "payout_id": things.payouts[act],
        "pull_payment_id": things.pull_id,
        "card_id": things.card_id,
    }


def given(stage: Stage, path: str) -> dict[str, Any]:
    """Return the fields without which an act is refused."""
    match path:
        case "/v1/pull-payments":
            return {"currency": "SATS", "auto_approve": False}
        case "/v1/boltcards":
            return {"pull_payment_id": stage.things.pull_id, "alias": "Carol"}
        case "/v1/payouts":
            return {"destination": invoice(stage.shop.clock)}
        case "/v1/payouts/batch":
            payout_id = stage.things.payouts[PayoutAct.CANCEL]
            items = [{"id": payout_id, "revision": 2}]
            return {"action": "hold", "reason": "Wait", "items": items}
        case _ if path.endswith("/resolve"):
            return {"outcome": "not_paid"}
        case _ if path.endswith(("/approve", "/reject")):
            return {"revision": 2}
        case _ if path.endswith("/pull-payments/{pull_payment_id}"):
            return {"name": "Another"}
        case _:
            return {}
