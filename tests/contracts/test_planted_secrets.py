"""Secrets that are planted through the front door come out nowhere: files, logs, other roles."""

from __future__ import annotations

import io
import re
import sqlite3
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.contracts.test_whole_way import Leaks, files_of, with_a_card
from tests.support.cards import VirtualCard
from tests.support.customer import Customer, Installation, install
from tests.support.patience import PATIENCE_S
from tests.support.program import Program
from tests.support.sandbox import FlashAccount, Hand

PASSWORD = "seven plain yellow umbrellas"
OWNER = "owner@example.com"
SMALL = ("viewer", "approver")
LISTS = ("payouts", "boltcards", "pull-payments", "wallet", "wallet/standing", "rates", "stats")
FORMS = ("csv", "json", "xlsx")


@dataclass
class Planted:
    """What is secret to everybody, and what only those see who may."""

    never: dict[str, str] = field(default_factory=dict)
    some: dict[str, str] = field(default_factory=dict)
    passing: dict[str, str] = field(default_factory=dict)
    things: list[str] = field(default_factory=list)

    def leaks(self, *, to_some: bool = False) -> Leaks:
        return Leaks(**self.never, **self.passing, **({} if to_some else self.some))


async def sign_in(http: httpx.AsyncClient, address: str) -> dict[str, str]:
    """Come in as the owner: by the page, and for a script; returns what was handed out."""
    form = {"email": OWNER, "password": PASSWORD}
    assert (await http.post(f"{address}/login", data=form)).status_code == 303
    pair = (await http.post(f"{address}/v1/auth/token", json=form)).json()
    return {
        "password": PASSWORD,
        "session": http.cookies["fp_session"],
        "access": pair["access_token"].rpartition(".")[2],
        "refresh": pair["refresh_token"].rpartition(".")[2],
    }


async def plant(customer: Customer, card: VirtualCard, pr: str, http: Any) -> Planted:
    """Draw by a card and a link, and have a card's keys handed out."""
    planted = Planted()
    sent, offer = await customer.tap(card)
    params = {"k1": offer["k1"], "pr": pr}
    assert (await http.get(offer["callback"], params=params)).json() == {"status": "OK"}
    (pull,) = (await customer.api("GET", "pull-payments"))["items"]
    (kept,) = (await customer.api("GET", "boltcards"))["items"]
    link = await customer.api("POST", f"boltcards/{kept['id']}/links", {"action": "program"})
    wiped = await customer.api("POST", f"boltcards/{kept['id']}/wipe-keys")
    planted.never |= {name: wiped[name] for name in ("k1", "k2")}
    planted.never |= {"link": link["url"].rpartition("/")[2], "card k1": card.k1.hex()}
    planted.some |= {"claim": pull["claim_url"].rpartition("/")[2], "uid": card.uid.hex()}
    planted.passing |= {**sent, "lnurl k1": offer["k1"]}
    planted.things = [f"boltcards/{kept['id']}", f"boltcards/{kept['id']}/taps"]
    planted.things.append(f"pull-payments/{pull['id']}")
    return planted


def keys_of(installation: Installation) -> Iterator[tuple[str, str]]:
    """Return a key of each small role."""
    for role in SMALL:
        words = ("api-key", "create", "--store", installation.store_id, "--name", role)
        yield role, installation.program.run(*words, "--role", role).out.strip()


async def told_to(http: Any, address: str, key: str, things: list[str]) -> dict[str, bytes]:
    """Return everything that a key may read."""
    headers, told = {"Authorization": f"Bearer {key}"}, {}
    for path in (*LISTS, *things):
        answer = await http.get(f"{address}/v1/{path}", headers=headers)
        assert answer.status_code == 200, path
        told[path] = answer.content + str(answer.headers).encode()
    for form in FORMS:
        answer = await http.get(f"{address}/v1/payouts/export?format={form}", headers=headers)
        assert answer.status_code in {200, 403}
        told[form] = unpacked(answer.content)
    return told


def unpacked(content: bytes) -> bytes:
    """Return a file, or what is in it where it is a workbook."""
    if not content.startswith(b"PK"):
        return content
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        return b"".join(packed.read(name) for name in packed.namelist())


async def open_to_all(http: Any, address: str) -> dict[str, bytes]:
    """Return what anybody, and what the owner's browser, is told beside the API."""
    paths = ("metrics", "readyz", "healthz", "v1/openapi.json", "login", "nothing", "record.csv")
    paths += ("", "record", "payouts", "boltcards", "pull-payments", "people", "settings")
    return {path: (await http.get(f"{address}/{path}")).content for path in paths}


async def broken(
    http: Any, address: str, key: str, planted: Planted, file: Path
) -> dict[str, bytes]:
    """Take tables away beneath the service, and ask with every secret there is."""
    with sqlite3.connect(file) as beneath:
        for table in ("payouts", "cards", "pull_payments", "attempts"):
            beneath.execute("PRAGMA foreign_keys = OFF")
            beneath.execute(f"ALTER TABLE {table} RENAME TO gone_{table}")
    beneath.close()
    headers = {"Authorization": f"Bearer {key}", "X-More": planted.never["password"]}
    p, c, k1 = planted.passing["p"], planted.passing["c"], planted.passing["lnurl k1"]
    asked = [
        http.get(f"{address}/boltcard", params={"p": p, "c": c}),
        http.get(f"{address}/boltcard/claim", params={"k1": k1, "pr": "lnbc1"}),
        http.get(f"{address}/lnurlw/{planted.some['claim']}"),
        http.get(f"{address}/v1/payouts", headers=headers, params={"card": planted.some["uid"]}),
        http.get(f"{address}/v1/boltcards", headers=headers),
        http.post(f"{address}/v1/boltcards", headers=headers, json=_card(planted)),
        http.post(f"{address}/card-keys/{planted.never['link']}", json={"UID": "04" * 7}),
    ]
    answers = [await request for request in asked]
    assert {answer.status_code for answer in answers} <= {200, 422, 500, 503}
    return {str(answer.url.path): answer.content for answer in answers}


def _card(planted: Planted) -> dict[str, str]:
    return {"alias": "B", "pull_payment_id": "pp_x", "k1": planted.never["k1"], "k2": "cd" * 16}


async def test_what_is_planted_comes_out_nowhere(
    sqlite_url: str, tmp_path: Path, hand: Hand, account: FlashAccount
) -> None:
    program = Program(tmp_path, {"DATABASE_URL": sqlite_url})
    installation = install(program)
    set_password = ("init", "--store", "Corner Café", "--owner", OWNER, "--password-stdin")
    assert program.run(*set_password, stdin=PASSWORD).status == 0
    small = dict(keys_of(installation))
    minted = await hand.home_invoice(2_100)
    with installation.serving(hand, account) as (server, address):
        async with httpx.AsyncClient(timeout=PATIENCE_S) as http:
            customer = Customer(http, address, installation.key)
            card = await with_a_card(customer)
            await customer.is_connected()
            planted = await plant(customer, card, minted.pr, http)
            planted.passing["pr"] = minted.pr[64:]
            planted.never |= await sign_in(http, address)
            planted.never |= {f"key of {role}": key[33:] for role, key in small.items()}
            planted.never |= {"flash": account.token, "key": installation.key[33:]}
            planted.never["master"] = (tmp_path / "data" / "master.key").read_text().strip()
            await customer.payout_of(minted.hash, "completed")
            told = {"owner": await told_to(http, address, installation.key, planted.things)}
            for role, key in small.items():
                told[role] = await told_to(http, address, key, planted.things)
            told["page"] = await open_to_all(http, address)
            assert program.run("backup", "copy.backup").status == 0
            kept = files_of(tmp_path) + (tmp_path / "copy.backup").read_bytes()
            failed = await broken(http, address, installation.key, planted, _file(sqlite_url))
    logged = server.log.read_bytes()

    assert re.search(rb"lnurl.refused|no such table", logged)
    assert planted.leaks().found_in(logged) == set()
    assert planted.leaks().found_in(kept) == set()
    for place, body in failed.items():
        assert planted.leaks().found_in(body) == set(), place
    for who, bodies in told.items():
        leaks = planted.leaks(to_some=who in {"owner", "page"})
        for place, body in bodies.items():
            found = leaks.found_in(body) - ({"pr"} if b"lnbc" in body else set())
            assert found == set(), (who, place)


def _file(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))
