"""Closed books, and the proposals that follow from them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import and_, bindparam, case, delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from models.statement import TOLERANCE_NANOUSD, BookState, ClosedBook, Proposal
from models.tables.base import table_of
from models.tables.statement import ClosedBookRow, ProposalRow
from services.storage.statement import Statement, Transaction, columns, insert_into, record

_books = table_of(ClosedBookRow)
_proposals = table_of(ProposalRow)
_BOOK_COLUMNS = columns(ClosedBook, _books)
_PROPOSAL_COLUMNS = columns(Proposal, _proposals)

_ADD_BOOK = insert_into(_books)
_LAST_CLOSED = Statement(
    select(*_BOOK_COLUMNS)
    .where(
        _books.c.store_id == bindparam("store_id"),
        _books.c.flash_wallet_id == bindparam("wallet"),
        _books.c.state == BookState.CLOSED,
    )
    .order_by(_books.c.at.desc())
    .limit(1)
)
_NEWEST = Statement(
    select(*_BOOK_COLUMNS)
    .where(_books.c.store_id == bindparam("store_id"))
    .order_by(_books.c.at.desc())
    .limit(bindparam("limit"))
)
_NEWEST_OF_WALLET = Statement(
    select(*_BOOK_COLUMNS)
    .where(
        _books.c.store_id == bindparam("store_id"),
        _books.c.flash_wallet_id == bindparam("wallet"),
    )
    .order_by(_books.c.at.desc())
    .limit(1)
)
_is_broken = and_(
    _books.c.state == BookState.CLOSED,
    or_(_books.c.base_id.is_(None), func.abs(_books.c.difference_nanousd) > TOLERANCE_NANOUSD),
)
_is_link = and_(
    _books.c.at >= bindparam("least", type_=_books.c.at.type),
    _books.c.base_id.is_not(None),
    _books.c.state != BookState.DIFFERS,
)
_CHAIN = Statement(
    select(
        func.coalesce(func.max(case((_is_link, 1), else_=0)), 0),
        func.coalesce(func.max(case((_is_broken, 1), else_=0)), 0),
    ).where(
        _books.c.store_id == bindparam("store_id"),
        _books.c.flash_wallet_id == bindparam("wallet"),
        _books.c.at >= bindparam("since", type_=_books.c.at.type),
    )
)
_FORGET_BOOKS = Statement(
    delete(_books).where(
        _books.c.store_id == bindparam("of_store"),
        _books.c.at < bindparam("before", type_=_books.c.at.type),
        _books.c.state != BookState.CLOSED,
    )
)
_adding = insert(_proposals).values(
    {column.name: bindparam(column.name) for column in _proposals.columns}
)
# A proposal begins anew whenever the books disagreed in between.
_ADD_PROPOSAL = Statement(
    _adding.on_conflict_do_update(
        index_elements=["payout_id"],
        set_={
            "attempt_id": _adding.excluded.attempt_id,
            "agreed_first_at": _adding.excluded.agreed_first_at,
            "agreed_twice_at": None,
            "book_id": _adding.excluded.book_id,
            "decided_at": None,
        },
    )
)
_HERE = (
    _proposals.c.store_id == bindparam("in_store"),
    _proposals.c.payout_id == bindparam("of_payout"),
)
_AGREE_TWICE = Statement(
    update(_proposals)
    .where(*_HERE, _proposals.c.agreed_twice_at.is_(None))
    .values(agreed_twice_at=bindparam("now"), book_id=bindparam("book"))
)
_DECIDE = Statement(
    update(_proposals)
    # Names the book it follows from: one that was withdrawn and began anew is another proposal.
    .where(
        *_HERE,
        _proposals.c.attempt_id == bindparam("of_attempt"),
        _proposals.c.book_id == bindparam("of_book"),
        _proposals.c.decided_at.is_(None),
    )
    .values(decided_at=bindparam("now"))
)
_WITHDRAW = Statement(
    delete(_proposals).where(
        _proposals.c.store_id == bindparam("of_store"), _proposals.c.decided_at.is_(None)
    )
)
_WITHDRAW_ONE = Statement(delete(_proposals).where(*_HERE, _proposals.c.decided_at.is_(None)))
_READ_PROPOSAL = Statement(
    select(*_PROPOSAL_COLUMNS).where(
        _proposals.c.store_id == bindparam("store_id"),
        _proposals.c.payout_id == bindparam("payout_id"),
    )
)
_STANDING = Statement(
    select(*_PROPOSAL_COLUMNS)
    .where(
        _proposals.c.store_id == bindparam("store_id"),
        _proposals.c.agreed_twice_at.is_not(None),
        _proposals.c.decided_at.is_(None),
    )
    .order_by(_proposals.c.agreed_twice_at)
    .limit(200)
)


def add_book(tx: Transaction, book: ClosedBook) -> None:
    """Keep a comparison."""
    tx.run(_ADD_BOOK, **record(book))


def last_closed(tx: Transaction, store_id: str, wallet: str) -> ClosedBook | None:
    """Return the book that the next comparison starts from."""
    return tx.one(ClosedBook, _LAST_CLOSED, store_id=store_id, wallet=wallet)


def newest_of_wallet(tx: Transaction, book: ClosedBook) -> ClosedBook | None:
    """Return the newest comparison of a book's wallet: after a cutover a store has had two."""
    return tx.one(
        ClosedBook, _NEWEST_OF_WALLET, store_id=book.store_id, wallet=book.flash_wallet_id
    )


def newest_books(tx: Transaction, store_id: str, limit: int) -> list[ClosedBook]:
    """Return the newest comparisons of a store: its balance's history."""
    return tx.all(ClosedBook, _NEWEST, store_id=store_id, limit=limit)


def chain_agrees(
    tx: Transaction, store_id: str, wallet: str, since: datetime, least: datetime
) -> bool:
    """Tell whether a book not older than `least` agrees, and every one since a moment led to it.

    A book that began anew breaks the chain: what left before it, it does not know.
    """
    found = tx.row(_CHAIN, store_id=store_id, wallet=wallet, since=since, least=least)
    return found is not None and bool(found[0]) and not found[1]


def forget_books(tx: Transaction, store_id: str, before: datetime) -> int:
    """Forget comparisons from before a moment, except those that later ones start from."""
    return tx.run(_FORGET_BOOKS, of_store=store_id, before=before)


def propose(tx: Transaction, proposal: Proposal) -> None:
    """Note that the books agree for the first time that an unknown payout did not leave."""
    tx.run(_ADD_PROPOSAL, **record(proposal))


def agree_twice(tx: Transaction, proposal: Proposal, book_id: str, now: datetime) -> None:
    """Note that they still agree: from now on the proposal stands."""
    tx.run(
        _AGREE_TWICE,
        in_store=proposal.store_id,
        of_payout=proposal.payout_id,
        now=now,
        book=book_id,
    )


def withdraw_proposals(tx: Transaction, store_id: str) -> int:
    """Withdraw every proposal that nobody decided: the books no longer agree."""
    return tx.run(_WITHDRAW, of_store=store_id)


def withdraw_proposal(tx: Transaction, store_id: str, payout_id: str) -> int:
    """Withdraw the proposal for one payout, unless somebody decided it."""
    return tx.run(_WITHDRAW_ONE, in_store=store_id, of_payout=payout_id)


def read_proposal(tx: Transaction, store_id: str, payout_id: str) -> Proposal | None:
    """Return the proposal for a payout that nobody has decided yet."""
    found = tx.one(Proposal, _READ_PROPOSAL, store_id=store_id, payout_id=payout_id)
    return None if found is None or found.decided_at is not None else found


def standing_proposals(tx: Transaction, store_id: str) -> list[Proposal]:
    """Return the proposals that wait for a decision, oldest first."""
    return tx.all(Proposal, _STANDING, store_id=store_id)


def decide_proposal(tx: Transaction, proposal: Proposal, now: datetime) -> bool:
    """Note that a proposal was decided; False if it was withdrawn, or decided before."""
    touched = tx.run(
        _DECIDE,
        in_store=proposal.store_id,
        of_payout=proposal.payout_id,
        of_attempt=proposal.attempt_id,
        of_book=proposal.book_id,
        now=now,
    )
    return touched == 1
