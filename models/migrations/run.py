"""Bring a database to the newest schema, or say which one it has."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, text

from models.errors import UnavailableError

_FOLDER = Path(__file__).parent
# Any number will do, as long as everybody who migrates takes the same one.
_MIGRATION_LOCK = 7_242_011


def engine_of(url: str) -> Engine:
    """Return an engine for a `sqlite:` or `postgresql:` URL; only migrations use one."""
    return create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1))


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    config.attributes["connection"] = connection
    return config


@cache
def head() -> str:
    """Return the newest revision this program knows."""
    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    return ScriptDirectory.from_config(config).get_current_head() or ""


def knows(revision: str) -> bool:
    """Tell whether this program knows a revision."""
    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    script = ScriptDirectory.from_config(config)
    return revision in {known.revision for known in script.walk_revisions()}


def current(url: str) -> str | None:
    """Return the revision a database has, or nothing for an empty one."""
    engine = engine_of(url)
    try:
        with engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()
    finally:
        engine.dispose()


def upgrade(url: str, revision: str = "head") -> None:
    """Bring the database to the newest schema, or to one named; several at once wait.

    Raises:
        UnavailableError: The database has a revision that this program does not know.
    """
    engine = engine_of(url)
    try:
        if engine.dialect.name == "sqlite":
            _begin_at_once(engine)
        with engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(
                    text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK}
                )
            found = MigrationContext.configure(connection).get_current_revision()
            script = ScriptDirectory.from_config(_config(connection))
            known = {revision.revision for revision in script.walk_revisions()}
            if found is not None and found not in known:
                msg = f"This database was made by a newer version (schema {found})."
                raise UnavailableError(msg)
            command.upgrade(_config(connection), revision)
    finally:
        engine.dispose()


def _begin_at_once(engine: Engine) -> None:
    """Have SQLite put tables and version into one transaction that no other start gets between.

    Its driver would otherwise commit before each statement that makes a table.
    """

    @event.listens_for(engine, "connect")
    def _manual(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA busy_timeout=30000")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def is_without_stores(url: str) -> bool:
    """Tell whether a migrated database has no store yet."""
    engine = engine_of(url)
    try:
        with engine.connect() as connection:
            return connection.execute(text("SELECT 1 FROM stores LIMIT 1")).first() is None
    finally:
        engine.dispose()


def kind(url: str) -> str | None:
    """Return what a migrated database is for, or nothing while that is not said."""
    engine = engine_of(url)
    try:
        with engine.connect() as connection:
            found = connection.execute(text("SELECT kind FROM installation")).first()
            return None if found is None else str(found[0])
    finally:
        engine.dispose()
