"""The command line: what it prints, how it ends, and that a mistake costs one line."""

from __future__ import annotations

import asyncio
import json
import re
import stat
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
import typer

from app.cli import cli
from models.migrations import run as migrations
from tests.support import caller
from tests.support.databases import Raw, raw
from tests.support.patience import PATIENCE_S
from tests.support.program import Program
from tests.support.sandbox import FlashAccount, Hand, SandboxProcess

STORE = ("init", "--store", "Corner Café", "--owner", "owner@example.com")


@pytest.fixture
def sandbox(punctual_sandbox: SandboxProcess) -> SandboxProcess:
    """Keep the machine's time, as the programs here do."""
    return punctual_sandbox


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """A fresh installation: nothing is there yet."""
    return Program(tmp_path, {})


@pytest.fixture
def installed(database_url: str, tmp_path: Path) -> Program:
    """An installation on either database, migrated and empty."""
    return Program(tmp_path, {"DATABASE_URL": database_url})


def init(program: Program, *more: str, **options: Any) -> Any:
    ended = program.run(*STORE, *more, **options)
    assert ended.status == 0, ended.err
    return json.loads(ended.out)


def test_a_fresh_installation_needs_one_command(program: Program) -> None:
    made = init(program)

    assert set(made) == {"store_id", "user_id"}
    assert made["store_id"].startswith("st_")
    key_file = program.folder / "data" / "master.key"
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    database = f"sqlite:///{program.folder / 'data' / 'payouts.db'}"
    assert migrations.current(database) == migrations.head()


def test_init_is_repeatable(installed: Program, beneath: Raw) -> None:
    first = init(installed, "--currency", "EUR", "--time-zone", "Europe/Berlin")
    again = init(installed)

    assert again == first
    assert beneath.rows("SELECT name, currency, time_zone FROM stores") == [
        ("Corner Café", "EUR", "Europe/Berlin")
    ]


def test_a_password_comes_from_stdin_and_is_not_shown(installed: Program, beneath: Raw) -> None:
    ended = installed.run(*STORE, "--password-stdin", stdin="correct horse battery\n")

    assert ended.status == 0, ended.err
    assert "horse" not in ended.out + ended.err
    assert beneath.value("SELECT password_hash FROM users").startswith("$argon2id$")


def test_api_key_create_prints_the_key_and_nothing_else(installed: Program) -> None:
    store = init(installed)["store_id"]
    words = ("api-key", "create", "--store", store, "--name", "till", "--role", "manager")

    plain, as_json = installed.run(*words), installed.run(*words, "--days", "90", "--json")

    assert re.fullmatch(r"fp_ak_[0-9a-z]{26}_[A-Za-z0-9_-]{43}\n", plain.out)
    assert plain.err == ""
    assert set(json.loads(as_json.out)) == {"key"}


@pytest.mark.parametrize(
    ("words", "field"),
    [
        (("init", "--store", " ", "--owner", "o@example.com"), "store"),
        (("init", "--store", "A", "--owner", "nobody"), "owner"),
        ((*STORE, "--currency", "euro!"), "currency"),
        ((*STORE, "--time-zone", "Nowhere"), "time_zone"),
        (("api-key", "create", "--store", "st_x", "--name", "n", "--role", "owner"), "store"),
        (("api-key", "create", "--store", "st_x", "--name", "n", "--role", "king"), "role"),
    ],
    ids=str,
)
def test_a_bad_word_is_one_line_that_names_it(
    program: Program, words: tuple[str, ...], field: str
) -> None:
    ended = program.run(*words)

    assert (ended.status, ended.out) == (2, "")
    (line,) = ended.err.strip().splitlines()
    assert line.startswith(f"flash-payouts: {field}: ")


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"PORT": "http"}, "FLASH_PAYOUTS_PORT"),
        ({"PORT": "70000"}, "FLASH_PAYOUTS_PORT"),
        ({"DATABASE_URL": "mysql://x"}, "FLASH_PAYOUTS_DATABASE_URL"),
        ({"PUBLIC_URL": "pay.example.com"}, "FLASH_PAYOUTS_PUBLIC_URL"),
        ({"TRUSTED_PROXIES": "*"}, "FLASH_PAYOUTS_TRUSTED_PROXIES"),
        ({"TRUSTED_PROXIES": "10.0.0.0/8, caddy"}, "FLASH_PAYOUTS_TRUSTED_PROXIES"),
        ({"HOST": "0.0.0.0"}, "FLASH_PAYOUTS_PUBLIC_URL"),
        ({"HOST": "0.0.0.0", "PUBLIC_URL": "http://x.example"}, "FLASH_PAYOUTS_PUBLIC_URL"),
        ({"FLASH_API_URL": "ftp://x"}, "FLASH_PAYOUTS_FLASH_API_URL"),
        ({"FLASH_REQUESTS_PER_MINUTE": "0"}, "FLASH_PAYOUTS_FLASH_REQUESTS_PER_MINUTE"),
        ({"LOG_FORMAT": "xml"}, "FLASH_PAYOUTS_LOG_FORMAT"),
        ({"METRICS": "perhaps"}, "FLASH_PAYOUTS_METRICS"),
        ({"AUTO_RELEASE": "later"}, "FLASH_PAYOUTS_AUTO_RELEASE"),
    ],
    ids=str,
)
def test_a_bad_setting_stops_every_start_with_one_line(
    program: Program, settings: dict[str, str], named: str
) -> None:
    for words in (("serve",), ("migrate",)):
        ended = program.run(*words, **settings)

        assert (ended.status, ended.out) == (2, "")
        (line,) = ended.err.strip().splitlines()
        assert named in line


def test_a_secret_that_is_set_is_not_repeated_by_an_error(program: Program) -> None:
    ended = program.run("serve", FLASH_TOKEN="my-token", PORT="my-token")

    assert ended.status == 2
    assert "my-token" not in ended.err


def test_settings_may_stand_in_a_file(program: Program) -> None:
    (program.folder / ".env").write_text("FLASH_PAYOUTS_DATA_DIR=elsewhere\n")

    init(program)

    assert (program.folder / "elsewhere" / "payouts.db").exists()


@pytest.mark.parametrize("words", [(), ("nonsense",), ("init",), ("serve", "--fast")], ids=str)
def test_bad_usage_ends_with_two(program: Program, words: tuple[str, ...]) -> None:
    assert program.run(*words).status == 2


def commands(group: Any, *words: str) -> list[tuple[tuple[str, ...], Any]]:
    found = []
    for name, command in group.commands.items():
        inner = (*words, name)
        found += commands(command, *inner) if hasattr(command, "commands") else [(inner, command)]
    return found


COMMANDS = commands(typer.main.get_command(cli))


def test_the_commands_that_others_rely_on_are_there() -> None:
    names = {" ".join(words) for words, _ in COMMANDS}

    assert {"init", "api-key create", "serve", "migrate", "stop", "resume", "sandbox"} <= names


@pytest.mark.parametrize(("words", "command"), COMMANDS, ids=lambda value: str(value)[:30])
def test_every_commands_help_says_what_it_does_with_an_example(
    words: tuple[str, ...], command: Any
) -> None:
    assert command.help
    assert re.match(r"Example: .*flash-payouts " + " ".join(words), command.epilog or "")


def test_migrate_says_the_schema_and_may_be_said_again(installed: Program) -> None:
    plain, as_json = installed.run("migrate"), installed.run("migrate", "--json")

    assert plain.out == f"schema {migrations.head()}\n"
    assert json.loads(as_json.out) == {"revision": migrations.head()}


def test_a_database_of_a_newer_version_is_left_alone(installed: Program, beneath: Raw) -> None:
    beneath.run("UPDATE alembic_version SET version_num = '9999'")

    for words in (("migrate",), ("stop",)):
        ended = installed.run(*words)
        assert (ended.status, ended.out) == (1, "")
        assert len(ended.err.strip().splitlines()) == 1


def test_stop_and_resume_speak_to_every_store_or_to_one(installed: Program, beneath: Raw) -> None:
    first = init(installed)["store_id"]
    second = json.loads(installed.run("init", "--store", "B", "--owner", "b@example.com").out)

    stopped = installed.run("stop", "--json")
    resumed = installed.run("resume", "--store", second["store_id"])
    unknown = installed.run("stop", "--store", "st_nobody")

    assert set(json.loads(stopped.out)["stopped"]) == {first, second["store_id"]}
    assert (resumed.status, resumed.out) == (0, "resumed 1 store(s)\n")
    assert unknown.status == 1
    held = beneath.rows("SELECT store_id FROM wallets WHERE stopped_at IS NOT NULL")
    assert held == [(first,)]


def test_serve_says_ready_when_it_is_and_ends_on_a_signal(program: Program) -> None:
    init(program)
    with program.serving() as server:
        address = server.ready()

        assert caller.get(f"{address}/readyz").status_code == 200
        problem = caller.get(f"{address}/v1/nothing")
        assert (problem.status_code, problem.json()["code"]) == (404, "not_found")
        assert problem.headers["content-type"] == "application/problem+json"
        assert caller.post(f"{address}/v1/stats").status_code == 405
        taken = program.run("serve", PORT=address.rpartition(":")[2])
        assert taken.status == 2
        assert "FLASH_PAYOUTS_PORT" in taken.err
        server.process.terminate()
        assert server.ends() == 0


async def test_a_signal_lets_what_is_on_the_wire_be_answered(
    program: Program, hand: Hand, account: FlashAccount
) -> None:
    store_id = init(program)["store_id"]
    made = program.run("api-key", "create", "--store", store_id, "--name", "a", "--role", "owner")
    flash = {"FLASH_API_URL": hand.sandbox.api_url, "FLASH_WS_URL": hand.sandbox.ws_url}
    minted = await hand.foreign_invoice()
    await hand.fault("slow_settle", match={"payment_hash": minted.hash}, times=1, delay_ms=1_500)
    headers = {"Authorization": f"Bearer {made.out.strip()}", "Idempotency-Key": "one"}
    with program.serving(FLASH_TOKEN=account.token, **flash) as server:
        address = await asyncio.to_thread(server.ready)
        async with httpx.AsyncClient(
            base_url=f"{address}/v1", headers=headers, timeout=PATIENCE_S
        ) as api:
            async with asyncio.timeout(PATIENCE_S):
                while not (await api.get("/wallet")).json()["connected"]:
                    await asyncio.sleep(0.05)
            taken = await api.post("/payouts", json={"destination": minted.pr})
            while taken.status_code == 503:  # the first price is on its way
                await asyncio.sleep(0.05)
                taken = await api.post("/payouts", json={"destination": minted.pr})
            assert taken.status_code == 201, taken.text
            asked = taken.json()
            approve = {"revision": asked["revision"]}
            approved = await api.post(f"/payouts/{asked['id']}/approve", json=approve)
            assert approved.status_code == 200, approved.text
            await hand.has_struck()
            started = time.monotonic()
            server.process.terminate()  # with a connection open, too
            assert await asyncio.to_thread(server.ends) == 0

    assert time.monotonic() - started < 30
    with raw(f"sqlite:///{program.folder}/data/payouts.db") as beneath:
        assert beneath.rows("SELECT state, fence FROM payouts") == [("completed", 1)]
        assert beneath.value("SELECT lease_owner FROM wallets") is None
    assert await hand.times_paid(minted.hash) == 1


def test_without_its_key_a_database_with_secrets_is_not_served(program: Program) -> None:
    init(program)
    (program.folder / "data" / "master.key").unlink()

    ended = program.run("serve", PORT="0")

    assert ended.status == 2
    assert "MASTER_KEY_FILE" in ended.err
    assert not (program.folder / "data" / "master.key").exists()


@pytest.mark.postgresql
def test_an_old_postgresql_schema_is_refused_until_it_is_migrated(
    postgres: Any, tmp_path: Path
) -> None:
    url = postgres.create_database("unmigrated")
    program = Program(tmp_path, {"DATABASE_URL": url, "PORT": "0"})

    refused = program.run("serve")
    migrated = program.run("migrate")

    assert refused.status == 1
    assert "flash-payouts migrate" in refused.err
    assert migrated.status == 0
    assert migrations.current(url) == migrations.head()
    postgres.drop_database("unmigrated")
