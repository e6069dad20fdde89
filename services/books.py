"""Audits our own books: what is written in two places must say the same."""

from __future__ import annotations

from models.books import Finding
from models.ledger import IN_TRANSIT, PAID, RESERVED
from models.rollup import Grain
from services.database import Database
from services.storage import books, ledger
from services.storage.statement import Transaction


class Books:
    """Checks the invariants of a store's rows; it mends nothing."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def audit(self, store_id: str) -> list[Finding]:
        """Return every contradiction in a store's books; none is the only good answer."""
        return await self._database.read(_audit, store_id)


def _audit(tx: Transaction, store_id: str) -> list[Finding]:
    findings = [
        Finding(invariant, str(row[0]), str(row[1:]))
        for invariant in books.CONTRADICTIONS
        for row in books.contradictions(tx, store_id, invariant)
    ]
    return findings + _accounts(tx, store_id) + _rollups(tx, store_id)


def _accounts(tx: Transaction, store_id: str) -> list[Finding]:
    """Compare the ledger's accounts with what the payouts' states say."""
    balances = ledger.balances(tx, store_id)
    expected = books.money_by_place(tx, store_id)
    after_release = ledger.paid_after_release(tx, store_id)
    findings = []
    keys = {key for key in balances if key[0] in {RESERVED, IN_TRANSIT, PAID}} | set(expected)
    for account, unit in sorted(keys):
        found = balances.get((account, unit), 0)
        wanted = expected.get((account, unit), 0)
        if account == PAID:
            wanted += after_release.get(unit, 0)
        if found != wanted:
            detail = f"ledger {found}, payouts {wanted}"
            findings.append(Finding("accounts equal payouts", f"{account} {unit}", detail))
    return findings


def _rollups(tx: Transaction, store_id: str) -> list[Finding]:
    findings = []
    for grain in Grain:
        for by_card in (False, True):
            subject = f"{grain}{' by card' if by_card else ''}"
            rolled, counted = books.rolled_and_counted(tx, store_id, grain, by_card=by_card)
            if rolled != counted:
                detail = f"rolled {rolled}, counted {counted}"
                findings.append(Finding("rollups equal payouts", subject, detail))
            fees = books.fees_rolled_and_counted(tx, store_id, grain, by_card=by_card)
            if fees[0] != fees[1]:
                detail = f"rolled {fees[0]}, known {fees[1]}"
                findings.append(Finding("rollups of fees equal payouts", subject, detail))
    return findings
