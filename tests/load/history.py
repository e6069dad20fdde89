"""A past of any size, in bulk: payouts and their rollups, all that lists and figures read.

Written by plain SQL while no server runs. The demo's own past is richer and several times slower
to make; what is read here costs the same in both.
"""

from __future__ import annotations

import random
import sqlite3
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import psycopg

from models.ids import make_id
from models.instants import to_us
from models.payout import Payout
from models.rollup import Grain, bucket_of
from models.tables.base import table_of
from models.tables.payout import PayoutRow
from services.database import sqlite_path
from services.vault import Sealer, Vault, load_master_key
from tests.load.shop import Shop

SPAN_US = 90 * 86_400 * 1_000_000
BATCH = 10_000
_ROLLUPS = "store_id, grain, bucket, status, kind, shard, count, amount_sats, value_cents"
_CARD_ROLLUPS = "store_id, card_id, grain, bucket, status, shard, count, amount_sats, value_cents"
_SUMS = ("count", "amount_sats", "value_cents")
_COLUMNS = [column.name for column in table_of(PayoutRow).columns]
# What people pay out ends well, mostly: (state, status, evidence) and its share in percent.
_ENDS = (
    (("completed", "completed", "flash_success"), 93),
    (("failed", "failed", None), 5),
    (("cancelled", "cancelled", None), 2),
)
assert set(_COLUMNS) == set(Payout.__dataclass_fields__)


class History:
    """Fills one store; each call adds what is missing to a size."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._random = random.Random(7)
        self._made = 0
        self._cards = self._all("SELECT id, pull_payment_id FROM cards ORDER BY id")
        self._sealer = self._open_vault()

    def up_to(self, size: int) -> float:
        """Add payouts until there are so many, oldest first, and return how long that took."""
        started = time.perf_counter()
        rollups: dict[tuple[Any, ...], list[int]] = defaultdict(lambda: [0, 0, 0])
        by_card: dict[tuple[Any, ...], list[int]] = defaultdict(lambda: [0, 0, 0])
        self._write(self._payouts(size, rollups, by_card), rollups, by_card)
        self._made = size
        return time.perf_counter() - started

    def _payouts(self, size: int, rollups: Any, by_card: Any) -> Iterator[tuple[Any, ...]]:
        now_us = to_us(datetime.now(UTC)) - 1_000_000
        missing = size - self._made
        for number in range(missing):
            at_us = now_us - SPAN_US + (number + 1) * SPAN_US // missing
            row = self._payout(at_us)
            self._count(row, rollups, by_card)
            yield tuple(row[name] for name in _COLUMNS)

    def _payout(self, at_us: int) -> dict[str, Any]:
        chance = self._random
        ends, shares = zip(*_ENDS, strict=True)
        state, status, evidence = chance.choices(ends, shares)[0]
        card_id, pull_payment_id = chance.choice(self._cards)
        payout_id = make_id("po", at_us // 1000, chance.getrandbits(80))
        payment_hash = chance.randbytes(32).hex()
        sats = chance.randint(100, 50_000)
        text = f"lnbc{sats * 10}n1p" + chance.randbytes(130).hex()
        place = f"payouts/{payout_id}/destination"
        row: dict[str, Any] = dict.fromkeys(_COLUMNS)
        row |= {"id": payout_id, "store_id": self._shop.store_id, "kind": "tap", "state": state}
        row |= {"status": status, "revision": 4, "pull_payment_id": pull_payment_id}
        row |= {"card_id": card_id, "card_verified": True, "original_amount": sats}
        row |= {"currency": "SATS", "amount_msat": sats * 1000, "amount_sats": sats}
        row |= {"value_cents": sats // 10, "destination_kind": "bolt11"}
        row |= {"destination_start": text[:64], "payment_hash": payment_hash, "attempts": 1}
        row |= {"destination_sealed": self._sealer.seal_text(text, place), "evidence": evidence}
        row |= {"metadata_json": "{}", "memo": "coffee", "fence": 1, "created_at": at_us}
        row |= {"approved_at": at_us, "submitted_at": at_us + 20_000}
        row |= {"completed_at" if evidence else "closed_at": at_us + 300_000}
        row |= {"claim_key": chance.randbytes(32).hex()}
        return row

    def _count(self, row: dict[str, Any], rollups: Any, by_card: Any) -> None:
        at = datetime.fromtimestamp(row["created_at"] // 1_000_000, UTC)
        for grain in Grain:
            bucket = to_us(bucket_of(grain, at))
            common = (str(grain), bucket, row["status"])
            for sums in (
                rollups[(row["store_id"], *common, row["kind"], 0)],
                by_card[(row["store_id"], row["card_id"], *common, 0)],
            ):
                sums[0] += 1
                sums[1] += row["amount_sats"]
                sums[2] += row["value_cents"]

    def _write(self, payouts: Iterable[tuple[Any, ...]], rollups: Any, by_card: Any) -> None:
        sums = {"rollups": (_ROLLUPS, rollups), "card_rollups": (_CARD_ROLLUPS, by_card)}
        with closing(self._connect()) as connection:
            # Made again at the end, from sorted rows: a tree filled in any order is slow.
            indexes = _drop_indexes(connection) if not self._made else []
            for batch in _batches(payouts):
                _insert(connection, "payouts", _COLUMNS, batch)
            for text in indexes:
                connection.execute(text)
            for table, (names, found) in sums.items():
                rows = [(*key, *values) for key, values in found.items()]
                _insert(connection, table, names.split(", "), rows)
            connection.commit()
            connection.execute("ANALYZE")
            connection.commit()

    def _connect(self) -> Any:
        if self._shop.database == "postgresql":
            return psycopg.connect(self._shop.url)
        connection = sqlite3.connect(sqlite_path(self._shop.url))
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("PRAGMA cache_size=-1000000")
        return connection

    def _all(self, query: str) -> list[Any]:
        with closing(self._connect()) as connection:
            return list(connection.execute(query).fetchall())

    def _open_vault(self) -> Sealer:
        vault = Vault(load_master_key(self._shop.folder / "master.key", may_create=False))
        for store_id, version, sealed in self._all(
            "SELECT store_id, version, sealed_key FROM data_keys"
        ):
            vault.add_data_key(store_id, version, bytes(sealed))
        return vault.of(self._shop.store_id)


def _drop_indexes(connection: Any) -> list[str]:
    """Drop the indexes of payouts that no constraint stands on; return how they were made."""
    if isinstance(connection, sqlite3.Connection):
        named = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
        named += " AND tbl_name = 'payouts'"
    else:
        named = "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'payouts'"
        named += " AND indexname LIKE 'ix_%'"
    found = connection.execute(named).fetchall()
    for name, _ in found:
        connection.execute(f"DROP INDEX {name}")
    return [text for _, text in found]


def _batches(rows: Iterable[tuple[Any, ...]]) -> Iterator[list[tuple[Any, ...]]]:
    batch: list[tuple[Any, ...]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == BATCH:
            yield batch
            batch = []
    yield batch


def _insert(
    connection: Any, table: str, names: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> None:
    listed = ", ".join(names)
    if isinstance(connection, sqlite3.Connection):
        marks = ", ".join("?" * len(names))
        text = f"INSERT INTO {table} ({listed}) VALUES ({marks})"
        if table != "payouts":
            text += " ON CONFLICT DO UPDATE SET " + _added(table)
        connection.executemany(text, rows)
        return
    into = table if table == "payouts" else f"more_{table}"
    with connection.cursor() as cursor:
        if into != table:
            cursor.execute(f"CREATE TEMP TABLE {into} (LIKE {table}) ON COMMIT DROP")
        with cursor.copy(f"COPY {into} ({listed}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        if into != table:
            key = ", ".join(name for name in names if name not in _SUMS and name != "store_id")
            key = f"store_id, {key}" if table == "rollups" else key
            cursor.execute(
                f"INSERT INTO {table} ({listed}) SELECT {listed} FROM {into} "
                f"ON CONFLICT ({key}) DO UPDATE SET {_added(table)}"
            )


def _added(table: str) -> str:
    return ", ".join(f"{name} = {table}.{name} + excluded.{name}" for name in _SUMS)
