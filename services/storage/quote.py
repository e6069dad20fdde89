"""Quotes: each is kept, the last one holds."""

from __future__ import annotations

from sqlalchemy import bindparam, select

from models.quote import Quote
from models.tables.base import table_of
from models.tables.quote import QuoteRow
from services.storage.statement import Statement, Transaction, columns, insert_into, record

_quotes = table_of(QuoteRow)
QUOTES_LIMIT = 50

_of_payout = select(*columns(Quote, _quotes)).where(
    _quotes.c.store_id == bindparam("store_id"),
    _quotes.c.payout_id == bindparam("payout_id"),
)

_ADD = insert_into(_quotes)
_NEWEST = Statement(_of_payout.order_by(_quotes.c.number.desc()).limit(1))
_READ = Statement(_of_payout.order_by(_quotes.c.number).limit(QUOTES_LIMIT))


def add_quote(tx: Transaction, quote: Quote) -> None:
    """Keep a quote; its number must be new for the payout."""
    tx.run(_ADD, **record(quote))


def newest_quote(tx: Transaction, store_id: str, payout_id: str) -> Quote | None:
    """Return the quote that holds for a payout, if its amount was converted."""
    return tx.one(Quote, _NEWEST, store_id=store_id, payout_id=payout_id)


def read_quotes(tx: Transaction, store_id: str, payout_id: str) -> list[Quote]:
    """Return the quotes a payout has had, in order."""
    return tx.all(Quote, _READ, store_id=store_id, payout_id=payout_id)
