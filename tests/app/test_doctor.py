"""`doctor` finds what is wrong, says what to do, and changes nothing."""

from __future__ import annotations

import asyncio
import json
import stat
from pathlib import Path
from typing import Any

import pytest

from app.container import build
from models.flash import CredentialKind
from models.store import DatabaseKind
from tests.support.program import Program
from tests.support.sandbox import FlashAccount, Hand, SandboxProcess
from tests.support.shop import ALICE, settings_for


@pytest.fixture
def sandbox(punctual_sandbox: SandboxProcess) -> SandboxProcess:
    """Keep the machine's time, as the programs here do."""
    return punctual_sandbox


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path, {"PORT": "1", "LOG_FORMAT": "json"})


def findings(program: Program, **settings: str) -> tuple[int, dict[str, Any]]:
    ended = program.run("doctor", "--json", **settings)
    said = json.loads(ended.out)
    assert said["ok"] is (ended.status == 0), ended
    return ended.status, {each["name"]: each for each in said["findings"]}


def through(hand: Hand, account: FlashAccount) -> dict[str, str]:
    return {
        "FLASH_API_URL": hand.sandbox.api_url,
        "FLASH_WS_URL": hand.sandbox.ws_url,
        "FLASH_TOKEN": account.token,
    }


def test_a_place_where_nothing_is_yet_is_no_failure_and_stays_empty(program: Program) -> None:
    status, found = findings(program)

    assert status == 0
    assert {found[name]["verdict"] for name in ("master key", "database", "flash")} == {"warn"}
    assert found["settings"]["verdict"] == "ok"
    assert not (program.folder / "data").exists()


async def test_a_connected_installation_is_well(
    program: Program, hand: Hand, account: FlashAccount
) -> None:
    assert program.run("init", "--store", "A", "--owner", "a@example.com").status == 0

    _, found = findings(program, **through(hand, account))

    well = ("master key", "database", "secrets", "flash", "wallet", "statement", "socket", "epoch")
    assert {name: found[name]["verdict"] for name in well} == dict.fromkeys(well, "ok"), found
    assert account.token not in json.dumps(found)
    assert "cents" in found["wallet"]["says"]


async def test_what_a_store_keeps_is_looked_at_too_and_so_are_gate_and_backup(
    program: Program, hand: Hand, account: FlashAccount
) -> None:
    made = program.run("init", "--store", "A", "--owner", "a@example.com")
    store_id = json.loads(made.out)["store_id"]
    addresses = through(hand, account) | {"FLASH_TOKEN": ""}
    _, before = findings(program, **addresses)
    assert (before["flash"]["verdict"], before["backup"]["verdict"]) == ("warn", "warn")
    url = f"sqlite:///{program.folder}/data/payouts.db"
    urls = {"flash_api_url": hand.sandbox.api_url, "flash_ws_url": hand.sandbox.ws_url}
    settings = settings_for(url, program.folder / "data", **urls)
    container = build(settings, DatabaseKind.REAL)
    await container.stores.load_keys()
    connections = container.connections
    wanted = connections.to(CredentialKind.TOKEN, account.token)
    found = await connections.test(wanted, "USD")
    await connections.keep(store_id, CredentialKind.TOKEN, wanted, found, ALICE)
    await container.wallets.stop(store_id, ALICE)
    await asyncio.to_thread(container.database.close)
    assert program.run("backup", str(program.folder / "a.backup")).status == 0

    _, after = findings(program, **addresses)

    well = (f"wallet of {store_id}", f"socket of {store_id}", "backup")
    assert {name: after[name]["verdict"] for name in well} == dict.fromkeys(well, "ok"), after
    assert (after["sending"]["verdict"], "flash" in after) == ("warn", False)
    assert store_id in after["sending"]["says"]


def test_others_on_this_machine_cannot_read_a_database(program: Program) -> None:
    assert program.run("init", "--store", "A", "--owner", "a@example.com").status == 0
    database = program.folder / "data" / "payouts.db"
    assert {stat.S_IMODE(path.stat().st_mode) for path in database.parent.glob("payouts.db*")} == {
        0o600
    }
    _, well = findings(program)
    database.chmod(0o644)
    _, open_to_all = findings(program)

    assert "database file" not in well
    assert "chmod 600" in open_to_all["database file"]["advice"]


def test_what_is_broken_is_named_with_what_to_do(
    program: Program, hand: Hand, account: FlashAccount
) -> None:
    assert program.run("init", "--store", "A", "--owner", "a@example.com").status == 0
    key = program.folder / "data" / "master.key"
    key.chmod(0o644)

    status, found = findings(program, **through(hand, account) | {"FLASH_TOKEN": "wrong"})

    broken = ("master key", "secrets", "wallet")
    assert status == 1
    assert {name: found[name]["verdict"] for name in broken} == dict.fromkeys(broken, "fail")
    assert all(found[name]["advice"] for name in broken)
    ended = program.run("serve")
    (line,) = ended.err.strip().splitlines()
    assert (ended.status, "0600" in line) == (2, True)
    assert "fail" in program.run("doctor").out


def test_a_bad_setting_is_a_finding(program: Program) -> None:
    status, found = findings(program, PORT="http")

    assert status == 1
    assert "FLASH_PAYOUTS_PORT" in found["settings"]["says"]


def test_a_proxy_that_is_not_named_is_a_warning(program: Program) -> None:
    public = {"PUBLIC_URL": "https://pay.example.com"}
    _, unnamed = findings(program, **public)
    _, named = findings(program, **public, TRUSTED_PROXIES="127.0.0.1")

    assert (unnamed["public url"]["verdict"], named["public url"]["verdict"]) == ("warn", "ok")
    assert "TRUSTED_PROXIES" in unnamed["public url"]["advice"]
