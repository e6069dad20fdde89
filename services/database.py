"""Transactions on SQLite or PostgreSQL, each with one thread hop.

SQLite has one writer thread that commits together whatever is waiting (each piece of work in its
own savepoint) and readers that cannot write. PostgreSQL has several writers. Work is a synchronous
function of a `Transaction`; what it says it changed is told to the listener after the commit.
"""

from __future__ import annotations

import asyncio
import select
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar
from urllib.parse import unquote

import psycopg
import structlog
from psycopg import errors as pg_errors

from models.errors import (
    DuplicateRow,
    OutcomeUnknownError,
    ServiceError,
    SettingError,
    UnavailableError,
)
from models.events import Change
from services.lanes import Lane, Outcome, Ticket, Work
from services.points import Watch, commit_of, unwatched
from services.storage.statement import Transaction

P = ParamSpec("P")
T = TypeVar("T")

_log = structlog.get_logger(__name__)

BATCH_LIMIT = 64  # pieces of work that share one commit on SQLite
POSTGRES_WRITERS = 8
READERS = 3
PG_RETRIES = 4  # deadlocks and serialization failures: nothing was committed, so run again
BUSY_TIMEOUT_MS = 5_000
CHECKPOINT_PAGES = 4_000


class Listener(Protocol):
    """Who is told, in the event loop, what a commit changed."""

    def __call__(self, changes: list[Change]) -> None:
        """Take the changes of one commit."""
        ...


class Database:
    """Runs functions inside transactions."""

    def __init__(self, url: str, watch: Watch = unwatched, lane: type[Lane] = Lane) -> None:
        self.url = url
        self._watch = watch
        self.dialect = "sqlite" if url.startswith("sqlite:") else "postgresql"
        self._listener: Listener | None = None
        if self.dialect == "sqlite":
            self._path = sqlite_path(url)
            # Going over to WAL waits for nobody, so it is done before the threads could meet.
            open_sqlite(self._path).close()
            self._writers = lane("writer", 1, self._serve_sqlite_writes, self._tell)
            self._readers = lane("reader", READERS, self._serve_sqlite_reads, self._tell)
        else:
            self._writers = lane("writer", POSTGRES_WRITERS, self._serve_pg_writes, self._tell)
            self._readers = lane("reader", READERS, self._serve_pg_reads, self._tell)

    def listen(self, listener: Listener) -> None:
        """Have the changes of every commit told to a listener, in the event loop."""
        self._listener = listener

    async def write(
        self,
        function: Callable[Concatenate[Transaction, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Run a function in a write transaction and commit it; an exception undoes all it did.

        Raises:
            UnavailableError: Too much work is waiting, or the database cannot be used.
        """
        point = commit_of(function)
        result = await self._writers.submit(
            self._watched(point, lambda tx: function(tx, *args, **kwargs))
        )
        self._watch(f"{point}:after")
        return result

    async def write_within(
        self,
        seconds: float,
        function: Callable[Concatenate[Transaction, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Do the same, unless it cannot begin in time: then it never begins.

        Raises:
            UnavailableError: It did not begin in time; nothing was done, and nothing will be.
        """
        ticket, point = Ticket(), commit_of(function)

        def begin(tx: Transaction) -> T:
            ticket.begin()
            return function(tx, *args, **kwargs)

        running = self._writers.submit(self._watched(point, begin))
        try:
            result = await asyncio.wait_for(asyncio.shield(running), seconds)
        except TimeoutError:
            if ticket.tear_up():
                raise UnavailableError("This takes too long; nothing was done.") from None
            result = await running
        self._watch(f"{point}:after")
        return result

    async def read(
        self,
        function: Callable[Concatenate[Transaction, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Run a function on a connection that cannot write."""
        return await self._readers.submit(lambda tx: function(tx, *args, **kwargs))

    @property
    def waiting(self) -> dict[str, int]:
        """Return how much work waits for a thread of each kind."""
        return {"write": self._writers.waiting, "read": self._readers.waiting}

    def close(self) -> None:
        """End all threads after the work that is queued."""
        self._writers.close()
        self._readers.close()

    def _watched(self, point: str, work: Callable[[Transaction], T]) -> Callable[[Transaction], T]:
        """Return a piece of work that is done but for its commit when its point is passed."""

        def run(tx: Transaction) -> T:
            result = work(tx)
            self._watch(f"{point}:before")
            return result

        return run

    def _tell(self, outcomes: list[Outcome]) -> None:
        changes: list[Change] = []
        for outcome in outcomes:
            changes += outcome.changes
            if outcome.work.future.done():  # the one who asked has gone
                continue
            if outcome.error is None:
                outcome.work.future.set_result(outcome.result)
            else:
                outcome.work.future.set_exception(outcome.error)
        if changes and self._listener is not None:
            self._listener(changes)

    def _serve_sqlite_writes(self, lane: Lane, number: int) -> None:
        del number
        self._serve_sqlite(lane, BATCH_LIMIT, _commit_together)

    def _serve_sqlite_reads(self, lane: Lane, number: int) -> None:
        del number
        self._serve_sqlite(lane, 1, _run_sqlite_read, read_only=True)

    def _serve_sqlite(
        self,
        lane: Lane,
        limit: int,
        run: Callable[[sqlite3.Cursor, list[Work]], list[Outcome]],
        *,
        read_only: bool = False,
    ) -> None:
        connection: sqlite3.Connection | None = None
        while batch := lane.take(limit):
            try:
                if connection is None:
                    connection = open_sqlite(self._path, read_only=read_only)
            except sqlite3.Error as error:
                lane.deliver([Outcome(work, None, _unavailable(error), []) for work in batch])
                continue
            lane.deliver(run(connection.cursor(), batch))
        if connection is not None:
            connection.close()

    def _serve_pg_writes(self, lane: Lane, number: int) -> None:
        self._serve_pg(lane, number, read_only=False)

    def _serve_pg_reads(self, lane: Lane, number: int) -> None:
        self._serve_pg(lane, number, read_only=True)

    def _serve_pg(self, lane: Lane, number: int, *, read_only: bool) -> None:
        connection: psycopg.Connection[Any] | None = None
        while batch := lane.take(1):
            try:
                if connection is None or _is_cut(connection):
                    connection = open_postgres(self.url, read_only=read_only)
            except psycopg.Error as error:
                lane.deliver([Outcome(batch[0], None, _unavailable(error), [])])
                continue
            lane.deliver([_run_pg(connection, batch[0], number)])
        if connection is not None:
            connection.close()


def sqlite_path(url: str) -> str:
    """Return the file of a `sqlite:///relative` or `sqlite:////absolute` URL."""
    prefix = "sqlite:///"
    if not url.startswith(prefix) or url == prefix:
        raise SettingError("DATABASE_URL", "write sqlite:///path or postgresql://…")
    return unquote(url.removeprefix(prefix))


def open_sqlite(path: str, *, read_only: bool = False) -> sqlite3.Connection:
    """Open a SQLite file with the settings that durability asks for; readers cannot write."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA cache_size=-32000")
    connection.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")
    if read_only:
        connection.execute("PRAGMA query_only=ON")
    else:
        # What a savepoint keeps to undo would else go to a file as soon as it has sixteen pages.
        connection.execute("PRAGMA temp_store=MEMORY")
    return connection


def open_postgres(url: str, *, read_only: bool = False) -> psycopg.Connection[Any]:
    """Open a PostgreSQL connection; readers see one moment and cannot write, plans suit an SSD."""
    connection = psycopg.connect(
        url,
        connect_timeout=5,
        options="-c timezone=UTC -c random_page_cost=1.1 -c lock_timeout=5000",
    )
    connection.prepare_threshold = 2
    connection.read_only = read_only
    if read_only:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    return connection


def _commit_together(cursor: sqlite3.Cursor, batch: list[Work]) -> list[Outcome]:
    try:
        cursor.execute("BEGIN IMMEDIATE")
        if len(batch) == 1:
            return [_run_alone(cursor, batch[0])]
        outcomes = [_run_in_savepoint(cursor, work) for work in batch]
        cursor.execute("COMMIT")
    except sqlite3.Error as error:
        with suppress(sqlite3.Error):  # what cannot be undone here is undone when it is reopened
            cursor.execute("ROLLBACK")
        return [Outcome(work, None, _unavailable(error), []) for work in batch]
    return outcomes


def _run_alone(cursor: sqlite3.Cursor, work: Work) -> Outcome:
    """Run the only work of a commit, which undoes all of it; a savepoint costs a tenth of a tap."""
    transaction = Transaction(cursor, "sqlite")
    try:
        result = work.function(transaction)
    except (sqlite3.OperationalError, sqlite3.InternalError):
        raise
    except BaseException as error:  # noqa: BLE001  # it belongs to whoever asked, as below
        cursor.execute("ROLLBACK")
        return Outcome(work, None, _named(error), [])
    cursor.execute("COMMIT")
    return Outcome(work, result, None, transaction.changes)


def _run_in_savepoint(cursor: sqlite3.Cursor, work: Work) -> Outcome:
    transaction = Transaction(cursor, "sqlite")
    cursor.execute("SAVEPOINT work")
    try:
        result = work.function(transaction)
    except (sqlite3.OperationalError, sqlite3.InternalError):
        raise  # the database itself: the whole commit fails
    except BaseException as error:  # noqa: BLE001  # it belongs to whoever asked, not to this thread
        cursor.execute("ROLLBACK TO work")
        cursor.execute("RELEASE work")
        return Outcome(work, None, _named(error), [])
    cursor.execute("RELEASE work")
    return Outcome(work, result, None, transaction.changes)


def _run_sqlite_read(cursor: sqlite3.Cursor, batch: list[Work]) -> list[Outcome]:
    (work,) = batch
    try:
        cursor.execute("BEGIN")
        try:
            result = work.function(Transaction(cursor, "sqlite"))
        finally:
            cursor.execute("ROLLBACK")
    except sqlite3.OperationalError as error:
        return [Outcome(work, None, _unavailable(error), [])]
    except BaseException as error:  # noqa: BLE001  # it belongs to whoever asked, not to this thread
        return [Outcome(work, None, error, [])]
    return [Outcome(work, result, None, [])]


def _is_cut(connection: psycopg.Connection[Any]) -> bool:
    """Tell whether the server has ended an idle connection, as all of them when it restarts.

    Nothing comes on an idle one but its end; found here, it costs no request its answer.
    """
    if not connection.closed:
        poll = select.poll()
        poll.register(connection.fileno(), select.POLLIN)
        if poll.poll(0):
            connection.close()
    return connection.closed


def _run_pg(connection: psycopg.Connection[Any], work: Work, shard: int) -> Outcome:
    for tries_left in range(PG_RETRIES, 0, -1):
        transaction = Transaction(connection.cursor(), "postgresql", shard)
        try:
            result = work.function(transaction)
            _commit(connection)
        except (pg_errors.DeadlockDetected, pg_errors.SerializationFailure) as error:
            _roll_back(connection)
            if tries_left == 1:
                return Outcome(work, None, _unavailable(error), [])
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            connection.close()
            return Outcome(work, None, _unavailable(error), [])
        except BaseException as error:  # noqa: BLE001  # it belongs to whoever asked
            _roll_back(connection)
            return Outcome(work, None, _named(error), [])
        else:
            return Outcome(work, result, None, transaction.changes)
    raise AssertionError  # the loop always returns


def _commit(connection: psycopg.Connection[Any]) -> None:
    """Commit; a lost answer to that leaves open whether it was kept."""
    try:
        connection.commit()
    except (psycopg.OperationalError, psycopg.InterfaceError) as error:
        if isinstance(error, pg_errors.DeadlockDetected | pg_errors.SerializationFailure):
            raise
        connection.close()
        raise OutcomeUnknownError from error


def _roll_back(connection: psycopg.Connection[Any]) -> None:
    """Undo; on a connection that is gone the server has undone it by itself."""
    try:
        connection.rollback()
    except psycopg.Error:
        connection.close()


def _named(error: BaseException) -> BaseException:
    """Give a broken unique constraint its name in our tree; anything else stays what it is."""
    if isinstance(error, pg_errors.UniqueViolation):
        return DuplicateRow(error.diag.constraint_name or "")
    if isinstance(error, sqlite3.IntegrityError) and "UNIQUE" in str(error):
        return DuplicateRow(str(error).rpartition(": ")[2])
    return error


def _unavailable(error: Exception) -> ServiceError:
    _log.error("database.failed", error=type(error).__name__, detail=str(error)[:200])
    return UnavailableError("The database cannot be used right now; nothing was done.")
