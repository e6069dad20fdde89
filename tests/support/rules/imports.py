"""Who may import whom, and where SQL may stand."""

from __future__ import annotations

import ast
import re
from fnmatch import fnmatch

from tests.support.rules.source import LAYERS, Finding, Source, is_below

MAY_IMPORT = {
    "models": {"models"},
    "services": {"models", "services"},
    "components": {"models", "components"},
    "app": set(LAYERS),
}
SQL_PLACES = (
    "models/tables",
    "models/migrations",
    "services/storage",
    "services/database",
    "app/sandbox",
)
HOMES = {
    "nicegui": ("components", "app"),
    "fastapi": ("app",),
    "starlette": ("app",),
    "uvicorn": ("app",),
    "gql": ("services/flash",),
    "graphql": ("app/sandbox",),
    "sqlalchemy": SQL_PLACES,
    "sqlmodel": SQL_PLACES,
    "psycopg": SQL_PLACES,
    "sqlite3": SQL_PLACES,
}
# An HTTP method alone, or before a path, is no statement.
SQL_TEXT = re.compile(r"\s*(?:(?:SELECT|INSERT|UPDATE|DELETE|PRAGMA)\s+[^\s/]|BEGIN\b)")

PURE = (
    *("bech32", "bolt11", "bolt11_encode", "card_crypto", "lnurl*", "plain_text"),
    *("statistics", "success_action", "*_policy"),
)
WORLD = ("asyncio", "random", "time", "aiohttp", "httpx", "socket", "websockets")
ADAPTERS = ("services/flash", "services/stripe", "services/btcpay", "services/notifiers")


def imports_follow_the_layers(source: Source) -> list[Finding]:
    """Models know models; services and components know models too; nobody knows app or tests."""
    return [
        source.finding(node, f"{source.layer} imports {name}")
        for name, node in source.imports()
        if is_below(name, *LAYERS, "tests") and name.split(".")[0] not in MAY_IMPORT[source.layer]
    ]


def libraries_stay_where_they_belong(source: Source) -> list[Finding]:
    """A library with a home is imported nowhere else."""
    return [
        source.finding(node, f"{name} belongs to {', '.join(homes)}")
        for name, node in source.imports()
        if (homes := HOMES.get(name.split(".")[0])) and not source.is_in(*homes)
    ]


def sql_stays_in_storage(source: Source) -> list[Finding]:
    """No text outside storage opens like a statement."""
    if source.is_in(*SQL_PLACES):
        return []
    return [
        source.finding(node, f"SQL outside storage: {node.value.strip()[:30]!r}")
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and SQL_TEXT.match(node.value)
        and id(node) not in _docstrings(source.tree)
    ]


def _docstrings(tree: ast.Module) -> set[int]:
    return {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }


def _is_pure(module: str) -> bool:
    layer, _, rest = module.partition(".")
    name = rest.split(".")[0]
    return layer == "services" and any(fnmatch(name, pattern) for pattern in PURE)


def pure_modules_know_no_world(source: Source) -> list[Finding]:
    """A pure module of services knows pure siblings, and no clock, task, chance or network."""
    if not _is_pure(source.module):
        return []
    return [
        source.finding(node, f"a pure module imports {name}")
        for name, node in source.imports()
        if is_below(name, *WORLD) or (is_below(name, "services") and not _is_pure(name))
    ]


def adapters_store_nothing(source: Source) -> list[Finding]:
    """What speaks to another server leaves the database to whom it serves."""
    if not source.is_in(*ADAPTERS):
        return []
    return [
        source.finding(node, f"an adapter imports {name}")
        for name, node in source.imports()
        if is_below(name, "services.storage", "services.database")
    ]
