"""The ledger file's tables, and every statement that writes them.

`payments` and `outcomes` only grow: a payment is one row when it reaches the core and one more
row when it ends, so a payment that ended twice would show as two outcomes. The view `ledger`
puts both together for whoever judges a run by reading the file.
"""

from __future__ import annotations

from typing import Final

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS accounts (
    id TEXT PRIMARY KEY, username TEXT NOT NULL UNIQUE, display_currency TEXT NOT NULL,
    usd_wallet_id TEXT NOT NULL UNIQUE, usdt_wallet_id TEXT NOT NULL UNIQUE,
    created_ms INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS books (
    wallet_id TEXT PRIMARY KEY, book_nanousd INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sessions (
    token TEXT PRIMARY KEY, account_id TEXT NOT NULL, created_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL, revoked_ms INTEGER) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS api_keys (
    id TEXT PRIMARY KEY, key_id TEXT NOT NULL UNIQUE, account_id TEXT NOT NULL,
    name TEXT NOT NULL, digest TEXT NOT NULL, scopes TEXT NOT NULL, per_minute INTEGER,
    created_ms INTEGER NOT NULL, expires_ms INTEGER, revoked_ms INTEGER) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS invoices (
    payment_hash TEXT PRIMARY KEY, request TEXT NOT NULL, wallet_id TEXT NOT NULL,
    preimage TEXT NOT NULL, secret TEXT NOT NULL, amount_msat INTEGER, memo TEXT NOT NULL,
    created_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL, via_address INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS payments (
    id INTEGER PRIMARY KEY, wallet_id TEXT, operation TEXT NOT NULL, payee_kind TEXT NOT NULL
        CHECK (payee_kind IN ('home', 'foreign')),
    payee_wallet_id TEXT, payment_hash TEXT NOT NULL, amount_msat INTEGER NOT NULL,
    debit_nanousd INTEGER NOT NULL, fee_nanousd INTEGER NOT NULL,
    nanousd_per_btc INTEGER NOT NULL, script TEXT NOT NULL, started_ms INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS payments_hash ON payments (payment_hash);
CREATE TABLE IF NOT EXISTS outcomes (
    seq INTEGER PRIMARY KEY, payment_id INTEGER NOT NULL, payment_hash TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('settled', 'failed')), reason TEXT NOT NULL,
    at_ms INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS outcomes_payment ON outcomes (payment_id);
CREATE INDEX IF NOT EXISTS outcomes_hash ON outcomes (payment_hash);
CREATE TABLE IF NOT EXISTS inflight (payment_id INTEGER PRIMARY KEY);
CREATE TABLE IF NOT EXISTS entries (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, wallet_id TEXT NOT NULL,
    type_id INTEGER NOT NULL, amount_nanousd INTEGER NOT NULL, fee_nanousd INTEGER NOT NULL,
    has_fee INTEGER NOT NULL, payment_hash TEXT,
    nanousd_per_btc INTEGER NOT NULL, at_ms INTEGER NOT NULL, visible_ms INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS entries_wallet ON entries (wallet_id, seq);
CREATE TABLE IF NOT EXISTS idempotency (
    wallet_id TEXT NOT NULL, name TEXT NOT NULL, fingerprint TEXT NOT NULL,
    status TEXT NOT NULL, stored_ms INTEGER NOT NULL, PRIMARY KEY (wallet_id, name)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS faults (
    id INTEGER PRIMARY KEY, script TEXT NOT NULL, seen INTEGER NOT NULL, left_times INTEGER);
CREATE VIEW IF NOT EXISTS ledger AS
    SELECT p.id, p.wallet_id, p.operation, p.payee_kind, p.payee_wallet_id, p.payment_hash,
        p.amount_msat, p.debit_nanousd, p.fee_nanousd, p.nanousd_per_btc, p.script,
        p.started_ms, coalesce(o.state, 'inflight') AS state, o.reason, o.at_ms AS ended_ms
    FROM payments p LEFT JOIN outcomes o ON o.payment_id = p.id;
"""

_GROWING: Final = ("payments", "outcomes", "entries", "invoices")

GUARDS: Final = "".join(
    f"CREATE TRIGGER IF NOT EXISTS {table}_keep_{verb.lower()} BEFORE {verb} ON {table} "
    f"BEGIN SELECT RAISE(ABORT, '{table} only grows'); END;\n"
    for table in _GROWING
    for verb in ("UPDATE", "DELETE")
)

SET_META: Final = "INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)"
ADD_ACCOUNT: Final = "INSERT INTO accounts VALUES (?, ?, ?, ?, ?, ?)"
ADD_BOOK: Final = "INSERT INTO books (wallet_id, book_nanousd) VALUES (?, 0)"
MOVE_BOOK: Final = "UPDATE books SET book_nanousd = book_nanousd + ? WHERE wallet_id = ?"
ADD_SESSION: Final = "INSERT INTO sessions VALUES (?, ?, ?, ?, NULL)"
END_SESSION: Final = "UPDATE sessions SET revoked_ms = ? WHERE token = ?"
SAVE_KEY: Final = "INSERT OR REPLACE INTO api_keys VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
ADD_INVOICE: Final = "INSERT INTO invoices VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
ADD_PAYMENT: Final = "INSERT INTO payments VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
ADD_OUTCOME: Final = (
    "INSERT INTO outcomes (payment_id, payment_hash, state, reason, at_ms) VALUES (?, ?, ?, ?, ?)"
)
ADD_INFLIGHT: Final = "INSERT INTO inflight (payment_id) VALUES (?)"
END_INFLIGHT: Final = "DELETE FROM inflight WHERE payment_id = ?"
ADD_ENTRY: Final = (
    "INSERT INTO entries (id, wallet_id, type_id, amount_nanousd, fee_nanousd, has_fee, "
    "payment_hash, nanousd_per_btc, at_ms, visible_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
KEEP_RESULT: Final = "INSERT OR REPLACE INTO idempotency VALUES (?, ?, ?, ?, ?)"
SAVE_FAULT: Final = "INSERT OR REPLACE INTO faults VALUES (?, ?, ?, ?)"
DROP_FAULT: Final = "DELETE FROM faults WHERE id = ?"

ALL_META: Final = "SELECT name, value FROM meta"
ALL_ACCOUNTS: Final = "SELECT * FROM accounts ORDER BY created_ms, id"
ALL_BOOKS: Final = "SELECT wallet_id, book_nanousd FROM books"
ALL_SESSIONS: Final = "SELECT * FROM sessions ORDER BY created_ms, token"
ALL_KEYS: Final = "SELECT * FROM api_keys ORDER BY created_ms, id"
ALL_FAULTS: Final = "SELECT * FROM faults ORDER BY id"
ALL_INFLIGHT: Final = (
    "SELECT p.* FROM inflight i JOIN payments p ON p.id = i.payment_id ORDER BY p.id"
)
LAST_PAYMENT: Final = "SELECT coalesce(max(id), 0) FROM payments"
HASH_FACTS: Final = (
    "SELECT EXISTS (SELECT 1 FROM invoices WHERE payment_hash = ?1), "
    "EXISTS (SELECT 1 FROM outcomes WHERE payment_hash = ?1 AND state = 'settled')"
)
IS_SETTLED: Final = "SELECT 1 FROM outcomes WHERE payment_hash = ? AND state = 'settled' LIMIT 1"
ONE_INVOICE: Final = "SELECT * FROM invoices WHERE payment_hash = ?"
ONE_RESULT: Final = (
    "SELECT fingerprint, status, stored_ms FROM idempotency WHERE wallet_id = ? AND name = ?"
)
NEWEST_ENTRIES: Final = (
    "SELECT * FROM entries WHERE wallet_id = ? AND visible_ms <= ? ORDER BY seq DESC LIMIT ?"
)
OLDEST_ENTRIES: Final = (
    "SELECT * FROM entries WHERE wallet_id = ? AND visible_ms <= ? ORDER BY seq LIMIT ?"
)
ONE_ENTRY: Final = "SELECT * FROM entries WHERE id = ?"
LEDGER_SINCE: Final = "SELECT * FROM ledger WHERE id > ? ORDER BY id LIMIT ?"
LEDGER_OF_HASH: Final = "SELECT * FROM ledger WHERE payment_hash = ? ORDER BY id"
TOTALS: Final = (
    "SELECT state, payee_kind, count(*) AS count, sum(amount_msat) AS amount_msat, "
    "sum(debit_nanousd) AS debit_nanousd, sum(fee_nanousd) AS fee_nanousd "
    "FROM ledger GROUP BY state, payee_kind ORDER BY state, payee_kind"
)
PAID_TWICE: Final = (
    "SELECT payment_hash, count(*) AS count FROM outcomes WHERE state = 'settled' "
    "GROUP BY payment_hash HAVING count(*) > 1 ORDER BY payment_hash LIMIT 100"
)
UNBALANCED: Final = (
    "SELECT b.wallet_id, b.book_nanousd, coalesce(sum(e.amount_nanousd - e.fee_nanousd), 0) "
    "AS entries_nanousd FROM books b LEFT JOIN entries e ON e.wallet_id = b.wallet_id "
    "GROUP BY b.wallet_id HAVING b.book_nanousd != entries_nanousd LIMIT 100"
)
