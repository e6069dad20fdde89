"""A program that only knows the documents gets a payout paid, and no secret is left behind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from models.payout import SightingSource
from models.states import PayoutState
from tests.support.cards import VirtualCard
from tests.support.clock import HandClock
from tests.support.customer import Customer, Installation, install
from tests.support.patience import PATIENCE_S
from tests.support.program import Program
from tests.support.sandbox import FlashAccount, Hand, Minted
from tests.support.shop import open_shop, settings_for, through

TIPS = {"name": "Tips", "currency": "SATS", "amount": 100_000, "auto_approve": True}


@pytest.fixture
def installation(database_url: str, tmp_path: Path) -> Installation:
    return install(Program(tmp_path, {"DATABASE_URL": database_url}))


async def with_a_card(customer: Customer) -> VirtualCard:
    """Make a pull payment and give out a card."""
    pull = await customer.api("POST", "pull-payments", TIPS)
    card = VirtualCard()
    body = {"alias": "Alice", "pull_payment_id": pull["id"], "uid": card.uid.hex()}
    body |= {"k1": card.k1.hex(), "k2": card.k2.hex()}
    await customer.api("POST", "boltcards", body)
    return card


async def test_from_an_empty_database_to_a_payout_that_is_paid(
    installation: Installation, hand: Hand, account: FlashAccount
) -> None:
    minted = await hand.home_invoice(2_100)
    with installation.serving(hand, account) as (_, address):
        async with httpx.AsyncClient(timeout=PATIENCE_S) as http:
            customer = Customer(http, address, installation.key)
            card = await with_a_card(customer)
            await customer.is_connected()
            _, offer = await customer.tap(card)
            params = {"k1": offer["k1"], "pr": minted.pr}
            answer = (await http.get(offer["callback"], params=params)).json()

            payout = await customer.payout_of(minted.hash, "completed")
            stats = await customer.api("GET", "stats")

    assert answer == {"status": "OK"}
    assert payout["evidence"] in {"flash_success", "flash_invoice"}
    assert (payout["amount_sats"], payout["value_cents"]) == (2_100, 210)
    assert (payout["boltcard_alias"], payout["card_verified"]) == ("Alice", True)
    assert stats["completed"] == {"count": 1, "amount_sats": 2_100}
    assert await hand.times_paid(minted.hash) == 1


class Leaks:
    """Secrets that must stand nowhere."""

    def __init__(self, **secrets: str) -> None:
        self._secrets = secrets

    def add(self, **secrets: str) -> None:
        self._secrets |= secrets

    def found_in(self, text: bytes) -> set[str]:
        """Return the names of the secrets that stand in a text, in either case."""
        lower = text.lower()
        return {
            name
            for name, secret in self._secrets.items()
            if secret.encode().lower() in lower or _as_bytes(secret) in text
        }


def _as_bytes(secret: str) -> bytes:
    """Return a hexadecimal secret as the bytes it stands for, else the text itself."""
    try:
        return bytes.fromhex(secret)
    except ValueError:
        return secret.encode()


def files_of(folder: Path) -> bytes:
    """Return what lies in the database's files, the write-ahead log included."""
    found = sorted(folder.glob("payouts.db*"))
    assert any(path.name.endswith("-wal") for path in found), found
    return b"".join(path.read_bytes() for path in found)


async def spoilt(customer: Customer, offer: Any, minted: Minted, key: str) -> list[str]:
    """Provoke errors with real secrets in the requests; returns the answers."""
    http, address = customer.http, customer.address
    wrong = {"Authorization": f"Bearer {key}x"}
    body = {"alias": "A", "pull_payment_id": "pp_x", "k1": "ab" * 16, "k2": "cd" * 15}
    requests = [
        http.get(offer["callback"], params={"k1": offer["k1"] + "00", "pr": minted.pr}),
        http.get(offer["callback"], params={"k1": offer["k1"], "pr": minted.pr[:-1] + "q"}),
        http.get(f"{address}/boltcard", params={"p": "0" * 32, "c": "0" * 16}),
        http.get(f"{address}/v1/stats", headers=wrong),
        http.get(f"{address}/v1/payouts", headers=wrong, params={"q": minted.pr}),
        http.post(f"{address}/v1/boltcards", headers=customer._headers, json=body),
        http.get(f"{address}/v1/payouts", headers=customer._headers, params={"cursor": minted.pr}),
    ]
    return [(await request).text for request in requests]


async def test_no_secret_is_logged_kept_in_clear_or_told_in_an_error(
    sqlite_url: str, tmp_path: Path, hand: Hand, account: FlashAccount
) -> None:
    installation = install(Program(tmp_path, {"DATABASE_URL": sqlite_url}))
    minted = await hand.home_invoice(2_100)
    leaks = Leaks(token=account.token, preimage=minted.preimage, api_key=installation.key[33:])
    # The first 64 characters of an invoice are what a search may start with.
    leaks.add(pr=minted.pr[64:], master=(tmp_path / "data" / "master.key").read_text().strip())
    with installation.serving(hand, account) as (server, address):
        async with httpx.AsyncClient(timeout=PATIENCE_S) as http:
            customer = Customer(http, address, installation.key)
            card = await with_a_card(customer)
            await customer.is_connected()
            sent, offer = await customer.tap(card)
            leaks.add(**sent, k1=offer["k1"], card_k1=card.k1.hex(), card_k2=card.k2.hex())
            (pull,) = (await customer.api("GET", "pull-payments"))["items"]
            leaks.add(claim=pull["claim_url"].rpartition("/")[2], uid=card.uid.hex())
            told = await spoilt(customer, offer, minted, installation.key)
            await http.get(offer["callback"], params={"k1": offer["k1"], "pr": minted.pr})
            await customer.payout_of(minted.hash, "completed")
            kept = files_of(tmp_path)
    logged = server.log.read_bytes()

    assert b"payout.answered" in logged
    assert all(json.loads(line) for line in logged.splitlines() if line.startswith(b"{"))
    assert minted.pr[:64].encode() in kept, "these are not the database's bytes"
    assert leaks.found_in(logged) == set()
    assert leaks.found_in(kept) == set()
    assert [leaks.found_in(text.encode()) for text in told] == [set()] * len(told)


async def test_a_preimage_is_kept_only_sealed(
    sqlite_url: str, tmp_path: Path, hand: Hand, account: FlashAccount
) -> None:
    settings = settings_for(sqlite_url, tmp_path, **through(hand, account))
    minted = await hand.home_invoice()
    async with open_shop(settings, HandClock(await hand.now())) as shop:
        payout = await shop.claim(await shop.pull_payment(), minted.pr)
        assert payout.state is PayoutState.COMPLETED
        take = shop.container.tracking.take_preimage
        await take(minted.hash, minted.preimage, SightingSource.VERIFY)
        view = await shop.container.payouts.read(shop.store.id, payout.id, shows_all=True)
        kept = files_of(tmp_path)

    assert view.preimage == minted.preimage
    assert Leaks(preimage=minted.preimage, pr=minted.pr[64:]).found_in(kept) == set()
