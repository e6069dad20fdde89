"""The tree keeps the rules of the house, and every rule is seen to find what it forbids."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.rules import (
    RULES,
    Rule,
    Source,
    calls,
    imports,
    numbers,
    read_sources,
    rights,
    shape,
)
from tests.support.rules.source import LAYERS

ROOT = Path(__file__).resolve().parents[1]


def name_of(value: object) -> str:
    return str(getattr(value, "__name__", value))


@pytest.fixture(scope="module")
def sources() -> list[Source]:
    """Every file, read and parsed once for all rules."""
    return list(read_sources(ROOT))


@pytest.mark.parametrize("rule", RULES, ids=name_of)
def test_the_tree_keeps_the_rule(rule: Rule, sources: list[Source]) -> None:
    findings = [finding for source in sources for finding in rule(source)]

    assert not findings, "\n" + "\n".join(map(str, findings))


@pytest.mark.parametrize("layer", LAYERS)
def test_the_package_that_is_imported_is_ours(layer: str) -> None:
    assert Path(str(importlib.import_module(layer).__file__)).parent == ROOT / layer


def test_the_rules_read_every_layer(sources: list[Source]) -> None:
    assert {source.layer for source in sources} == set(LAYERS)


@pytest.mark.parametrize("path", [*numbers.PATH_FILES, *numbers.SECONDS_FILES])
def test_a_file_that_is_excused_exists(path: str) -> None:
    assert (ROOT / path).exists()


class Case(NamedTuple):
    """A text that a rule has to judge, as if it stood at `path`."""

    rule: Rule
    path: str
    text: str


def label(case: Case) -> str:
    return f"{name_of(case.rule)}, {case.path}: {case.text[:40]!r}"


WRONG = [
    Case(imports.imports_follow_the_layers, "models/payout.py", "import services.hub"),
    Case(imports.imports_follow_the_layers, "models/payout.py", "from components import card"),
    Case(imports.imports_follow_the_layers, "services/payout.py", "from app import settings"),
    Case(imports.imports_follow_the_layers, "services/payout.py", "from components.card import x"),
    Case(imports.imports_follow_the_layers, "services/flash/a.py", "from ...app import settings"),
    Case(imports.imports_follow_the_layers, "components/card.py", "from services.hub import Hub"),
    Case(imports.imports_follow_the_layers, "app/cli.py", "from tests.support import rules"),
    Case(imports.libraries_stay_where_they_belong, "services/a.py", "from nicegui import ui"),
    Case(imports.libraries_stay_where_they_belong, "components/a.py", "import fastapi"),
    Case(imports.libraries_stay_where_they_belong, "services/a.py", "import starlette.routing"),
    Case(imports.libraries_stay_where_they_belong, "components/a.py", "import uvicorn"),
    Case(imports.libraries_stay_where_they_belong, "services/a.py", "from gql import Client"),
    Case(imports.libraries_stay_where_they_belong, "services/flash/a.py", "import graphql"),
    Case(imports.libraries_stay_where_they_belong, "app/a.py", "from sqlalchemy import text"),
    Case(imports.libraries_stay_where_they_belong, "models/payout.py", "import sqlmodel"),
    Case(imports.libraries_stay_where_they_belong, "app/cli.py", "import psycopg"),
    Case(imports.libraries_stay_where_they_belong, "services/a.py", "def f():\n import sqlite3"),
    Case(imports.sql_stays_in_storage, "services/payout.py", "q = 'SELECT id FROM payouts'"),
    Case(imports.sql_stays_in_storage, "app/cli.py", "q = f'UPDATE payouts SET a = {b}'"),
    Case(imports.sql_stays_in_storage, "app/cli.py", "q = '''\n  INSERT INTO a VALUES (1)'''"),
    Case(imports.sql_stays_in_storage, "components/a.py", "q = 'DELETE FROM payouts'"),
    Case(imports.sql_stays_in_storage, "services/a.py", "q = 'PRAGMA journal_mode'"),
    Case(imports.sql_stays_in_storage, "services/a.py", "q = 'BEGIN IMMEDIATE'"),
    Case(imports.pure_modules_know_no_world, "services/bolt11.py", "import time"),
    Case(imports.pure_modules_know_no_world, "services/lnurl_pay.py", "from asyncio import sleep"),
    Case(imports.pure_modules_know_no_world, "services/send_policy.py", "import random"),
    Case(imports.pure_modules_know_no_world, "services/lnurl.py", "import httpx"),
    Case(imports.pure_modules_know_no_world, "services/bech32.py", "from services import hub"),
    Case(imports.pure_modules_know_no_world, "services/statistics.py", "from .storage import a"),
    Case(imports.adapters_store_nothing, "services/flash/a.py", "from services.storage import a"),
    Case(imports.adapters_store_nothing, "services/stripe/a.py", "from services import database"),
    Case(calls.only_the_supervisor_starts_tasks, "services/a.py", "asyncio.create_task(f())"),
    Case(calls.only_the_supervisor_starts_tasks, "app/pages.py", "ensure_future(f())"),
    Case(calls.only_the_supervisor_starts_tasks, "app/a.py", "get_running_loop().create_task(f())"),
    Case(calls.only_the_clock_reads_the_time, "services/a.py", "at = datetime.now(UTC)"),
    Case(calls.only_the_clock_reads_the_time, "models/a.py", "at = Field(factory=datetime.utcnow)"),
    Case(calls.only_the_clock_reads_the_time, "app/a.py", "at = datetime.datetime.now()"),
    Case(calls.only_the_clock_reads_the_time, "app/a.py", "at = time.time()"),
    Case(calls.only_the_clock_reads_the_time, "app/a.py", "from time import time"),
    Case(calls.only_the_clock_reads_the_time, "components/a.py", "today = date.today()"),
    Case(calls.logs_take_fields_and_no_formatted_text, "app/a.py", "log.info(f'sent {a}')"),
    Case(calls.logs_take_fields_and_no_formatted_text, "app/a.py", "self._log.info('a', b=f'{c}')"),
    Case(calls.logs_take_fields_and_no_formatted_text, "app/a.py", "logger.error('{}'.format(a))"),
    Case(calls.logs_take_fields_and_no_formatted_text, "app/a.py", "log.bind(a=1).info(f'{a}')"),
    Case(numbers.nothing_is_divided_with_a_slash, "models/money.py", "sats = msat / 1000"),
    Case(numbers.nothing_is_divided_with_a_slash, "services/fees.py", "amount /= 2"),
    Case(numbers.money_is_never_a_float, "models/money.py", "rate = float(text)"),
    Case(numbers.money_is_never_a_float, "app/api.py", "def f(amount_msat: float) -> int: ..."),
    Case(numbers.money_is_never_a_float, "app/api.py", "fee: float | None = None"),
    Case(numbers.money_is_never_a_float, "components/a.py", "def total_cents() -> float: ..."),
    Case(shape.files_are_named_after_one_noun, "services/utils.py", ""),
    Case(shape.files_are_named_after_one_noun, "app/payout_helpers.py", ""),
    Case(shape.files_are_named_after_one_noun, "app/common/a.py", ""),
    Case(shape.files_are_named_after_one_noun, "models/misc.py", ""),
    Case(shape.files_are_named_after_one_noun, "services/manager.py", ""),
    Case(shape.files_are_short, "app/a.py", "a = 1\n" * 401),
    Case(shape.functions_are_short, "app/a.py", "def f():\n" + " a = 1\n" * 60),
    Case(shape.functions_are_short, "app/a.py", "class A:\n async def f():\n" + "  a = 1\n" * 60),
    Case(shape.public_names_have_docstrings, "models/a.py", "a = 1"),
    Case(shape.public_names_have_docstrings, "models/a.py", "'''A.'''\nclass A: ..."),
    Case(shape.public_names_have_docstrings, "services/a.py", "'''A.'''\nasync def f(): ..."),
    Case(
        shape.public_names_have_docstrings,
        "services/a.py",
        "'''A.'''\nclass A:\n  '''A.'''\n  def f(): ...",
    ),
    Case(
        shape.error_codes_are_unique,
        "models/errors.py",
        "class A:\n code: ClassVar[str] = 'a'\nclass B:\n code = 'a'",
    ),
    Case(
        rights.pages_act_as_whoever_may_now,
        "app/pages/a.py",
        "async def f(visit):\n await stop(visit.caller.actor)",
    ),
    Case(
        rights.pages_act_as_whoever_may_now,
        "app/pages/a.py",
        "async def f(visit):\n caller = visit.caller\n await stop(caller.actor)",
    ),
    Case(
        rights.pages_act_as_whoever_may_now,
        "app/pages/a.py",
        "async def f(visit):\n await stop(Actor(ActorKind.PERSON, 'us_1'))",
    ),
]

RIGHT = [
    Case(imports.imports_follow_the_layers, "services/flash/a.py", "from ..hub import Hub"),
    Case(imports.imports_follow_the_layers, "services/a.py", "import models_of_cars"),
    Case(imports.imports_follow_the_layers, "app/a.py", "from components import card"),
    Case(imports.libraries_stay_where_they_belong, "services/flash/client.py", "import gql"),
    Case(imports.libraries_stay_where_they_belong, "app/sandbox/schema.py", "import graphql"),
    Case(imports.libraries_stay_where_they_belong, "services/database.py", "import sqlalchemy"),
    Case(imports.sql_stays_in_storage, "services/storage/a.py", "q = 'SELECT 1'"),
    Case(imports.sql_stays_in_storage, "app/api.py", "methods = ['DELETE', 'DELETE /v1/payouts']"),
    Case(imports.sql_stays_in_storage, "app/api.py", "def f():\n 'BEGIN comes first.'"),
    Case(
        imports.pure_modules_know_no_world, "services/lnurl_pay.py", "from services import bech32"
    ),
    Case(imports.pure_modules_know_no_world, "services/hub.py", "import asyncio"),
    Case(imports.adapters_store_nothing, "services/payout.py", "from services.storage import a"),
    Case(calls.only_the_supervisor_starts_tasks, "services/supervisor.py", "a.create_task(f())"),
    Case(
        calls.only_the_supervisor_starts_tasks,
        "services/a.py",
        "async def f():\n async with asyncio.TaskGroup() as group:\n  group.create_task(g())",
    ),
    Case(calls.only_the_clock_reads_the_time, "services/clock.py", "at = datetime.now(UTC)"),
    Case(calls.only_the_clock_reads_the_time, "app/a.py", "at = clock.now() + time.monotonic()"),
    Case(calls.logs_take_fields_and_no_formatted_text, "app/a.py", "log.info('a', b=c)"),
    Case(calls.logs_take_fields_and_no_formatted_text, "app/a.py", "dialog.info(f'{a}')"),
    Case(numbers.nothing_is_divided_with_a_slash, "services/a.py", "a = b / 'c.db'; d = 7 // 2"),
    Case(numbers.nothing_is_divided_with_a_slash, "services/a.py", "a = b / 'c' / d"),
    Case(numbers.nothing_is_divided_with_a_slash, "app/a.py", "share = a / b"),
    Case(numbers.money_is_never_a_float, "services/a.py", "def f(timeout_s: float): ..."),
    Case(shape.files_are_named_after_one_noun, "services/payout.py", ""),
    Case(shape.files_are_short, "app/a.py", "a = 1\n" * 400),
    Case(shape.functions_are_short, "app/a.py", "def f():\n" + " a = 1\n" * 59),
    Case(shape.public_names_have_docstrings, "models/a.py", "'''A.'''\ndef _f(): ..."),
    Case(
        shape.error_codes_are_unique,
        "models/errors.py",
        "class A:\n code = 'a'\nclass B(A): ...\nclass C:\n code = 'c'",
    ),
    Case(
        rights.pages_act_as_whoever_may_now,
        "app/pages/a.py",
        "async def f(visit):\n caller = await visit.need(P)\n await stop(caller.actor)",
    ),
]


@pytest.mark.parametrize("case", WRONG, ids=label)
def test_what_is_forbidden_is_found(case: Case) -> None:
    assert len(case.rule(Source(case.path, case.text))) == 1


@pytest.mark.parametrize("case", RIGHT, ids=label)
def test_what_is_allowed_is_left_alone(case: Case) -> None:
    assert case.rule(Source(case.path, case.text)) == []


def test_every_rule_has_been_seen_to_find_something() -> None:
    assert {case.rule for case in WRONG} == set(RULES)
