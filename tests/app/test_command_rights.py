"""Who may run commands is whoever may on the machine; one that is for a store keeps to it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import SQLModel

from tests.app.test_cli import COMMANDS
from tests.support.databases import Raw
from tests.support.program import Program

# Those that speak of the whole installation, as only its operator does.
FOR_ALL = {
    *("init", "reset", "serve", "migrate", "backup", "restore", "keys rotate", "doctor"),
    *("sandbox", "demo", "run-demo"),
}


@pytest.fixture
def dialect() -> str:
    return "sqlite"


def made(program: Program, *words: str) -> Any:
    ended = program.run(*words, "--json")
    assert ended.status == 0, ended.err
    return json.loads(ended.out)


def kept(beneath: Raw, store_id: str) -> dict[str, Any]:
    return {
        table.name: sorted(
            beneath.rows(f"SELECT * FROM {table.name} WHERE store_id = '{store_id}'"), key=str
        )
        for table in SQLModel.metadata.sorted_tables
        if "store_id" in table.columns
    }


def test_a_command_for_a_store_does_nothing_to_another(
    database_url: str, tmp_path: Path, beneath: Raw
) -> None:
    program = Program(tmp_path, {"DATABASE_URL": database_url})
    ours, other = (
        made(program, "init", "--store", name, "--owner", f"{name}@example.com")["store_id"]
        for name in ("ours", "other")
    )
    made(program, "api-key", "create", "--store", ours, "--name", "till", "--role", "owner")
    (key,) = made(program, "api-key", "list", "--store", ours)
    before = kept(beneath, ours)
    aimed = {
        "api-key create": ("--name", "shop", "--role", "owner", "--scope", "read"),
        "api-key list": (),
        "api-key rotate": (key["id"],),
        "api-key revoke": (key["id"],),
        "export": ("--format", "json", "-o", "-"),
        "reconcile": (),
        "stop": (),
        "resume": (),
        "open-gate": (),
    }
    assert {" ".join(words) for words, _ in COMMANDS} == set(aimed) | FOR_ALL

    for words, more in aimed.items():
        ended = program.run(*words.split(), *more, "--store", other)
        assert ended.status in {0, 1}, (words, ended.err)
        assert key["id"] not in ended.out
        assert kept(beneath, ours) == before, words
        assert program.run(*words.split(), *more, "--store", "st_nobody").status in {1, 2}, words
    assert len(made(program, "api-key", "list", "--store", other)) == 1


def test_a_key_is_looked_after_from_the_console(
    database_url: str, tmp_path: Path, beneath: Raw
) -> None:
    program = Program(tmp_path, {"DATABASE_URL": database_url})
    store = made(program, "init", "--store", "ours", "--owner", "a@example.com")["store_id"]
    of_store, scopes = ("--store", store), ("--scope", "read", "--scope", "create")
    words = ("api-key", "create", *of_store, "--name", "till", "--role")
    made(program, *words, "manager", *scopes)
    (old,) = made(program, "api-key", "list", *of_store)
    assert (old["scopes"], old["expires_at"]) == (["read", "create"], None)

    new = made(program, "api-key", "rotate", *of_store, old["id"], "--grace-hours", "2")["key"]
    made(program, "api-key", "revoke", *of_store, old["id"])

    listed = program.run("api-key", "list", *of_store).out.splitlines()
    assert [new[3:32] in line for line in listed] == [True, False]
    assert "manager: read create  revoked " in listed[1]
    assert program.run("api-key", "revoke", *of_store, old["id"]).status == 1
    assert program.run(*words, "viewer", "--scope", "create").status == 2
    link = made(program, "reset", "a@example.com", "--authenticator")["link"]
    assert "/reset/" in link
    assert program.run("reset", "nobody@example.com").status == 1
    assert beneath.value("SELECT count(*) FROM audit WHERE actor_id = 'console'") == 4
