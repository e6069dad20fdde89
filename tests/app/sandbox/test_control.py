"""The strings behind the sandbox: money, time, prices, history, and what is refused."""

from __future__ import annotations

import json
import sqlite3
import time
from contextlib import closing
from hashlib import sha256

import httpx
import pytest

from app.sandbox.accounts import Accounts
from app.sandbox.server import Sandbox
from services import bolt11
from tests.app.sandbox.actors import TOKEN, Hand, Merchant, foreign

HASHES = [sha256(bytes([n])).hexdigest() for n in range(4)]


async def test_the_state_names_the_default_account(hand: Hand, merchant: Merchant) -> None:
    state = await hand.get("state")

    default = state["default_account"]
    assert (default["username"], default["token"]) == ("merchant", TOKEN)
    assert default["wallet"] == merchant.wallet
    assert [w["balance_nanousd"] for w in default["wallets"]] == [0, 10_000 * 10**9]
    assert state["accounts"] == [default]
    assert state["nanousd_per_btc"] == 100_000 * 10**9


def test_wallet_ids_follow_from_seed_and_name() -> None:
    first, again, other = [Accounts(seed).create("bob", "USD", 0)[0] for seed in (1, 1, 2)]

    assert first.wallets.keys() == again.wallets.keys()
    assert not first.wallets.keys() & other.wallets.keys()


async def test_an_account_has_its_own_token(hand: Hand, merchant: Merchant) -> None:
    bob = await hand.post("accounts", username="Bob")
    more = await hand.post("tokens", username="bob")

    for token in (bob["token"], more["token"]):
        me = await merchant.data(
            "{ me { username } }", headers={"Authorization": f"Bearer {token}"}
        )
        assert me["me"]["username"] == "bob"
    assert len((await hand.get("accounts"))["items"]) == 2


async def test_money_can_be_put_in(hand: Hand, merchant: Merchant) -> None:
    await hand.post("fund", cents=250)

    assert await merchant.cents() == 1_000_250
    assert (await merchant.rows())[0]["initiationVia"]["__typename"] == "InitiationViaOnChain"


async def test_a_foreign_invoice_can_be_had_for_the_asking(hand: Hand, merchant: Merchant) -> None:
    key = "11" * 32
    given = await hand.post(
        "foreign-invoices", amount_msat=4_000, memo="hat", expiry_s=90, payee_key=key
    )

    invoice = bolt11.decode(given["pr"])
    assert (invoice.amount_msat, invoice.expiry_s, invoice.description) == (4_000, 90, "hat")
    assert invoice.payee == given["payee"]
    assert sha256(bytes.fromhex(given["preimage"])).hexdigest() == given["hash"]
    assert (await merchant.send(given["pr"]))["status"] == "SUCCESS"


async def test_a_stranger_pays_a_home_invoice_once(
    sandbox: Sandbox, hand: Hand, http: httpx.AsyncClient
) -> None:
    invoice = await hand.post("invoices", payee="alice", amount_msat=4_000)

    assert (await hand.post("pay", pr=invoice["pr"]))["state"] == "settled"

    again = await http.post(f"{sandbox.control_url}/pay", json={"pr": invoice["pr"]})
    assert (again.status_code, again.json()) == (422, {"error": "already_prepared"})
    (row,) = await hand.ledger(invoice["hash"])
    assert (row["wallet_id"], row["operation"]) == (None, "stranger")


async def test_a_stranger_does_not_pay_foreign_invoices(
    sandbox: Sandbox, http: httpx.AsyncClient
) -> None:
    answer = await http.post(f"{sandbox.control_url}/pay", json={"pr": foreign().pr})

    assert answer.status_code == 422


async def test_time_goes_forward_only(
    sandbox: Sandbox, hand: Hand, http: httpx.AsyncClient
) -> None:
    before = (await hand.get("state"))["now_ms"]

    after = (await hand.post("clock", advance_s=90, advance_ms=500))["now_ms"]
    back = await http.post(f"{sandbox.control_url}/clock", json={"advance_s": -1})

    assert after >= before + 90_500
    assert back.status_code == 422


async def test_a_price_holds_until_it_may_walk(hand: Hand) -> None:
    await hand.post("price", usd_per_btc=60_000)
    await hand.post("clock", advance_s=3_600)
    held = (await hand.get("state"))["nanousd_per_btc"]

    await hand.post("price", usd_per_btc=60_000, hold=False)
    await hand.post("clock", advance_s=3_600)
    walked = (await hand.get("state"))["nanousd_per_btc"]

    assert held == 60_000 * 10**9
    assert walked != held


async def test_the_cutover_moves_the_money_and_leaves_a_trace(
    hand: Hand, merchant: Merchant
) -> None:
    await hand.post("cutover", state="IN_PROGRESS")
    await hand.post("cutover", state="ROLLED_BACK")
    legacy = (await hand.get("state"))["default_account"]["wallets"]
    assert await merchant.cents() == 1_000_000

    await hand.post("cutover", state="COMPLETE")
    moved = (await hand.get("state"))["default_account"]["wallets"]

    assert [w["book_nanousd"] for w in legacy] == [10_000 * 10**9, 0]
    assert [w["book_nanousd"] for w in moved] == [0, 10_000 * 10**9]
    assert (await merchant.data("{ cashWalletCutover { state } }")) == {
        "cashWalletCutover": {"state": "COMPLETE"}
    }
    assert (await hand.get("audit"))["is_clean"]


async def test_a_past_can_be_booked_in_bulk(
    sandbox: Sandbox, hand: Hand, merchant: Merchant
) -> None:
    at_ms = int(time.time() * 1000) - 86_400_000
    money = {"amount_msat": 1_000_000, "debit_nanousd": 10**9, "fee_nanousd": 10**6}
    items = [
        {"payment_hash": payment_hash, "at_ms": at_ms + n, **money}
        for n, payment_hash in enumerate(HASHES)
    ]
    items[3]["state"] = "failed"

    booked = await hand.post("history", items=items)

    assert booked["booked"] == 4
    assert booked["wallet"]["book_nanousd"] == 10_000 * 10**9 - 3 * 1_001_000_000
    assert len(await merchant.rows()) == 4
    with closing(sqlite3.connect(sandbox.world.settings.ledger)) as judge:
        states = [row[0] for row in judge.execute("SELECT state FROM ledger ORDER BY id")]
    assert states == ["settled"] * 3 + ["failed"]
    assert (await hand.get("audit"))["is_clean"]
    totals = (await hand.get("totals"))["items"]
    assert [(t["state"], t["count"]) for t in totals] == [("failed", 1), ("settled", 3)]


async def test_latency_can_be_changed_while_it_runs(hand: Hand, merchant: Merchant) -> None:
    await hand.post("latency", low_ms=20, high_ms=30)
    invoice, asked_ms = foreign(), (await hand.post("clock", advance_ms=0))["now_ms"]

    await merchant.send(invoice.pr)

    # When it is due is counted from when it was sent; it was written down a moment later.
    (row,) = await hand.ledger(invoice.hash)
    due_ms = json.loads(row["script"])["due_ms"]
    assert row["ended_ms"] >= due_ms >= asked_ms + 20


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("fund", {}),
        ("fund", {"cents": "5"}),
        ("fund", {"cents": 5, "colour": "red"}),
        ("fund", {"cents": 5, "wallet": "nowhere"}),
        ("accounts", {"username": "merchant"}),
        ("accounts", {"username": "no spaces"}),
        ("keys", {"username": "nobody"}),
        ("invoices", {"payee": "x"}),
        ("foreign-invoices", {"payee_key": "xyz"}),
        ("pay", {"pr": "lnbc1nothing"}),
        ("settle", {"hash": "00"}),
        ("price", {"usd_per_btc": 0}),
        ("cutover", {"state": "LATER"}),
        ("latency", {"low_ms": 5, "high_ms": 4}),
        ("history", {"items": [{"payment_hash": "x"}]}),
        ("history", {"items": ["x"]}),
        ("faults", []),
    ],
)
async def test_what_is_not_understood_is_refused_in_one_line(
    sandbox: Sandbox, http: httpx.AsyncClient, path: str, body: object
) -> None:
    answer = await http.post(f"{sandbox.control_url}/{path}", json=body)

    assert answer.status_code == 422
    assert "\n" not in answer.json()["error"]
