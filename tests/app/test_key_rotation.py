"""Keys are rotated whole, whatever cuts it off; nothing is served in between."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import LargeBinary

from models.errors import SettingError, UnavailableError
from models.payout_request import PayoutRequest
from models.tables import METADATA
from services.clock import SystemClock
from services.database import Database
from services.key_rotation import KeyRotation
from services.storage.backup import check_alone
from services.storage.envelope import ENVELOPES
from services.vault import Vault, load_master_key
from tests.support.cards import VirtualCard
from tests.support.clock import HandClock
from tests.support.databases import Raw, raw
from tests.support.invoices import invoice
from tests.support.program import ROOT
from tests.support.shop import ALICE, Shop, closed_shop, settings_for

KILLED_AFTER = """
import asyncio, os, signal, sys
from pathlib import Path
from services.clock import SystemClock
from services.database import Database
from services.key_rotation import KeyRotation
left = int(sys.argv[3])
def after_slice():
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
asyncio.run(KeyRotation(Database(sys.argv[1]), SystemClock(), Path(sys.argv[2]), after_slice).run())
"""


def killed_after(slices: int, url: str, key: Path) -> int:
    words = [sys.executable, "-c", KILLED_AFTER, url, str(key), str(slices)]
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(words, env=env, check=False, cwd=ROOT).returncode


def hashes_of(beneath: Raw) -> list[str]:
    """Return what the only card, and its keys, are found by."""
    return [
        str(beneath.value("SELECT uid_hash FROM cards")),
        str(beneath.value("SELECT k1_hash FROM key_sets WHERE is_current")),
    ]


async def rotate(url: str, key: Path) -> Any:
    database = Database(url)
    try:
        return await KeyRotation(database, SystemClock(), key).run()
    finally:
        database.close()


def test_every_column_of_bytes_is_known_to_the_rotation() -> None:
    found = {
        (table.name, column.name)
        for table in METADATA.sorted_tables
        for column in table.columns
        if isinstance(column.type, LargeBinary)
    }

    assert found == {(each.table, each.column) for each in ENVELOPES} | {
        ("data_keys", "sealed_key")
    }


async def test_a_rotation_that_is_killed_anywhere_is_gone_on_with(
    database_url: str, tmp_path: Path, clock: HandClock
) -> None:
    settings, key = settings_for(database_url, tmp_path), tmp_path / "master.key"
    virtual = VirtualCard()
    async with closed_shop(settings, clock) as shop:
        pull = await shop.pull_payment()
        await shop.card(virtual, pull)
        request = PayoutRequest(invoice(clock))
        asked = await shop.container.engine.requests.create(shop.store.id, request, ALICE)
        token = shop.container.pull_payments.claim_token(pull)
        shown = await shop.container.payouts.read(shop.store.id, asked.id)
    before = load_master_key(key, may_create=False)

    for slices in (1, 2, 5, 9):
        assert killed_after(slices, database_url, key) == -signal.SIGKILL
        with pytest.raises(SettingError, match="cut off"):
            load_master_key(key, may_create=False)
    done = await rotate(database_url, key)

    after = load_master_key(key, may_create=False)
    assert after.current != before.current
    # Nothing of the old one is left behind, nor anything that was derived from it.
    assert key.read_text() == f"{after.current.hex()}\n"
    assert (done.stores, done.unreadable) == (1, 0)
    assert key.stat().st_mode & 0o077 == 0
    kept = load_master_key(tmp_path / done.kept_key, may_create=False)
    assert kept.current == before.current
    with raw(database_url) as beneath:
        assert beneath.value("SELECT count(*) FROM data_keys") == 1
        assert beneath.value("SELECT version FROM data_keys") == 2
        assert hashes_of(beneath) == [
            Vault(after).find_hash("uid", virtual.uid),
            Vault(after).find_hash("k1", virtual.k1),
        ]
    async with closed_shop(settings, clock) as shop:
        await shop.container.stores.load_keys()
        await shop.container.boltcards.load_keys()
        again = await shop.container.pull_payments.read(shop.store.id, pull.id)
        assert shop.container.pull_payments.claim_token(again) == token
        assert await shop.container.payouts.read(shop.store.id, asked.id) == shown
        opened = await shop.tap(virtual)
        assert opened.k1
    repeated = await rotate(database_url, key)
    assert repeated.sealed_anew >= 4


async def test_keys_are_not_rotated_under_somebody(shop: Shop, database_url: str) -> None:
    await shop.container.stores.all()

    with pytest.raises(UnavailableError, match="use"):
        check_alone(database_url)
