"""Reads the wallet's statement, keeps its rows, and lets sends claim them (rule S).

What counting decides is in `statement_policy`; here it is fed and written down. The real fee of a
payout is known from the row it claims, and from nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from models.errors import StateChanged
from models.flash import StatementRow
from models.instants import Clock
from models.money import MSAT_PER_SAT, NANOUSD_PER_CENT
from models.payout import AttemptState
from models.statement import Debit, KeptRow, RowState
from models.states import PayoutState
from services import attempt_policy
from services.database import Database
from services.flash.client import FlashClient
from services.flash.pace import Need, Pace
from services.mutation_policy import fee_msat
from services.send_log import STATEMENT_ROWS, WINDOW_AFTER, WINDOW_BEFORE
from services.statement_policy import Claim, Expected, Judgement, Seen, judge
from services.storage import payout as payouts
from services.storage import restoration as restorations
from services.storage import statement_row as statement_rows
from services.storage.statement import Transaction
from services.storage.statement_row import ExpectedDebit
from services.tracking import Tracking

_log = structlog.get_logger(__name__)

EXTRA_AFTER = timedelta(minutes=10)  # a row that fits nothing by then is nobody's
SETTLED_SKEW = timedelta(minutes=2)  # Flash's clock is not ours
MISSING_AFTER = timedelta(days=3)
ASK_AT_ONCE = 20
ASK_AGAIN_AFTER = timedelta(minutes=2)
KEEP_AT_ONCE = 500
DROPPED_BEFORE = timedelta(days=2)
WHOLE_EVERY = timedelta(minutes=10)  # for rows that come late only: the whole list is long
LATE = timedelta(days=1)  # a row may show so much later than it was made
_UNKNOWN = frozenset({PayoutState.IN_FLIGHT, PayoutState.NEEDS_REVIEW})


@dataclass(frozen=True, slots=True)
class Look:
    """What one look at the statement found.

    `is_whole` says that nothing can be missing between what was known before and now, and that
    every row has an amount: only then may the books be compared.
    """

    rows: int
    new: int
    claimed: int
    is_whole: bool


@dataclass(frozen=True, slots=True)
class _Count:
    """A judgement, with the rows to ask Flash about: to decide by, or for their fee alone."""

    judged: Judgement
    undecided: list[KeptRow] = field(default_factory=list)
    feeless: list[KeptRow] = field(default_factory=list)


class Statements:
    """Keeps the statement of one wallet's store."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        client: FlashClient,
        pace: Pace,
        tracking: Tracking,
    ) -> None:
        self._database = database
        self._clock = clock
        self._client = client
        self._pace = pace
        self._tracking = tracking
        self._next_whole = clock.utc_now()
        # When Flash was last asked about rows that keep something from being decided.
        self._asked_at: dict[str, datetime] = {}

    async def look(self, store_id: str, flash_wallet_id: str) -> Look:
        """Read the statement, keep what is new, and let sends claim their rows.

        Raises:
            GatewayError: Flash gave no list.
        """
        newest_at, first_seen_at = await self._database.read(
            statement_rows.newest_row_at, store_id, flash_wallet_id
        )
        since = await self._database.read(
            _beginning, store_id, flash_wallet_id, self._clock.utc_now()
        )
        await self._pace.take(Need.LOOK_UP)
        rows = await self._client.fetch_statement(flash_wallet_id, STATEMENT_ROWS)
        now = self._clock.utc_now()
        oldest = await self._database.read(_oldest_debit, store_id, flash_wallet_id)
        is_cut = _may_be_cut(rows, since if newest_at is None else newest_at - WINDOW_AFTER)
        # A row may come late, behind a page that is full already.
        hides_late = _may_be_cut(rows, oldest) and now >= self._next_whole
        # A row that is older was seen before, or is from before our time.
        known_until = min(now, newest_at or now) - LATE
        known_until = min(at for at in (known_until, since, oldest) if at is not None)
        if is_cut or (oldest is not None and hides_late):
            await self._pace.take(Need.LOOK_UP)
            rows = await self._client.fetch_whole_statement(
                flash_wallet_id, known_until, STATEMENT_ROWS
            )
            self._next_whole = now + WHOLE_EVERY
        # Without a number a row can be neither counted nor added up; it may have one next time.
        wanted = [row for row in rows if row.signed_nanousd is not None]
        begin = since
        if first_seen_at is not None:
            # The whole list reaches back to before our first look; only open debits do so, too.
            begin = min(first_seen_at - WINDOW_BEFORE, oldest or first_seen_at)
        new = 0
        for start in range(0, len(wanted), KEEP_AT_ONCE):  # taps wait for long transactions
            part = wanted[start : start + KEEP_AT_ONCE]
            new += await self._database.write(_keep, store_id, flash_wallet_id, part, now, begin)
        # An empty list is also what Flash shows when its custodian fails; an old row that never
        # got a number is left to the balance, which will not agree.
        doubtful = [row for row in rows if row.signed_nanousd is None and row.at > now - LATE]
        is_whole = bool(rows) and not doubtful
        claimed = await self._claim(store_id, flash_wallet_id, now) if is_whole else 0
        return Look(len(rows), new, claimed, is_whole)

    async def _claim(self, store_id: str, flash_wallet_id: str, now: datetime) -> int:
        await self._database.write(_set_aside, store_id, flash_wallet_id, now)
        count = await self._database.read(_judge, store_id, flash_wallet_id)
        asked = 0
        wanted = (*count.undecided, *count.feeless)
        known = self._asked_at
        self._asked_at = {row.id: known[row.id] for row in wanted if row.id in known}
        due = [row for row in wanted if known.get(row.id, now - LATE) <= now - ASK_AGAIN_AFTER]
        for row in due[:ASK_AT_ONCE]:
            # A fee can wait for a quiet moment; an unknown outcome cannot.
            if row in count.undecided:
                await self._pace.take(Need.LOOK_UP)
            elif not self._pace.try_take(Need.PROBE):
                break
            self._asked_at[row.id] = now
            await self._ask(row)
            asked += 1
        if asked:
            count = await self._database.read(_judge, store_id, flash_wallet_id)
        waiting = {row.id for row in count.feeless}
        claimed = 0
        for claim in count.judged.claims:
            if claim.row_id in waiting:
                continue
            try:
                claimed += await self._database.write(self._apply, store_id, claim, now)
            except StateChanged:
                continue  # another process read the list as well, and counted otherwise
        strangers = frozenset(count.judged.strangers)
        for row in await self._database.read(_old_strangers, store_id, strangers, now):
            await self._database.write(self._take_stranger, row)
        return claimed

    async def _ask(self, row: KeptRow) -> None:
        found = await self._client.fetch_row_details(row.id)
        if found is not None:
            await self._database.write(
                statement_rows.set_row_details,
                row,
                is_completed=found.is_completed,
                fee_nanousd=found.fee_nanousd,
            )

    def _take_stranger(self, tx: Transaction, row: KeptRow) -> None:
        """Call a row extra; if it is what a released payout would have cost, raise the alarm."""
        if not statement_rows.set_row_state(tx, row, RowState.EXTRA):
            return
        _log.warning("statement.extra_row", row_id=row.id, amount_nanousd=row.amount_nanousd)
        near = statement_rows.dropped_debits(
            tx, row.store_id, row.flash_wallet_id, row.at - DROPPED_BEFORE, row.at + WINDOW_BEFORE
        )
        fitting = [each.debit for each in near if _fits(each, row)]
        if len(fitting) == 1:
            debit = fitting[0]
            self._tracking.weigh_row(tx, row.store_id, debit.payout_id, debit.attempt_id, row.id)

    def _apply(self, tx: Transaction, store_id: str, claim: Claim, now: datetime) -> bool:
        """Settle a payout by its row if it is unknown, and learn its real cost."""
        debit = statement_rows.read_debit(tx, store_id, claim.attempt_id)
        row = statement_rows.read_row(tx, store_id, claim.row_id)
        if debit is None or row is None or row.state is not RowState.UNCLAIMED:
            return False
        settled = self._tracking.weigh_row(
            tx, store_id, debit.payout_id, claim.attempt_id, claim.row_id
        )
        if settled is None or settled.state is not PayoutState.COMPLETED:
            return False
        if not statement_rows.claim_row(tx, row, debit, now):
            # Nothing is settled by a row that is another's: the settlement goes with the claim.
            raise StateChanged(settled.id, settled.state)
        cost = _cost(debit, row)
        if cost is not None:
            payouts.amend(tx, settled, fee_msat=cost[0], debited_nanousd=cost[1])
        _log.info("statement.row_claimed", payout_id=debit.payout_id, row_id=row.id)
        return True


def _cost(debit: Debit, row: KeptRow) -> tuple[int, int] | None:
    if row.fee_nanousd is None or row.amount_nanousd is None:
        return None
    fee = fee_msat(row.fee_nanousd, debit.msat_per_cent)
    return fee, abs(row.amount_nanousd) + row.fee_nanousd


def _may_be_cut(rows: list[StatementRow], since: datetime | None) -> bool:
    """Tell whether rows may be missing between a full list and what was known before."""
    if len(rows) < STATEMENT_ROWS:
        return False
    return since is None or min(row.at for row in rows) > since


def _keep(
    tx: Transaction,
    store_id: str,
    flash_wallet_id: str,
    rows: list[StatementRow],
    now: datetime,
    since: datetime | None,
) -> int:
    new = 0
    for row in rows:
        signed = row.signed_nanousd
        assert signed is not None
        state = RowState.UNCLAIMED if signed < 0 else RowState.RECEIPT
        if state is RowState.UNCLAIMED and since is not None and row.at < since:
            state = RowState.BEFORE
        new += statement_rows.keep_row(
            tx,
            KeptRow(
                store_id=store_id,
                flash_wallet_id=flash_wallet_id,
                id=row.id,
                state=state,
                amount_nanousd=signed,
                fee_nanousd=row.fee_nanousd,
                is_completed=None,
                attempt_id=None,
                at=row.at,
                seen_at=now,
                claimed_at=None,
            ),
        )
    statement_rows.drop_missing(tx, store_id, now - MISSING_AFTER)
    return new


def _set_aside(tx: Transaction, store_id: str, flash_wallet_id: str, now: datetime) -> None:
    """See that rows settle nothing that may be of payouts which a restored copy never saw."""
    restored = restorations.read_open(tx, store_id)
    if restored is None:
        return
    since = restored.copied_at - WINDOW_BEFORE
    until = restored.opened_at or now + WINDOW_AFTER
    statement_rows.set_aside(tx, store_id, flash_wallet_id, since, until)


def _beginning(
    tx: Transaction, store_id: str, flash_wallet_id: str, now: datetime
) -> datetime | None:
    """Return, at the first look, from when on rows are ours to explain; later nothing."""
    if statement_rows.newest_row_at(tx, store_id, flash_wallet_id)[0] is not None:
        return None
    expected = statement_rows.expected_debits(tx, store_id, flash_wallet_id)
    first = min((each.debit.logged_at for each in expected), default=now)
    restored = restorations.read_open(tx, store_id)
    if restored is not None:
        first = min(first, restored.copied_at)
    return first - WINDOW_BEFORE


def _oldest_debit(tx: Transaction, store_id: str, flash_wallet_id: str) -> datetime | None:
    """Return from when on the list may still show a row that an open debit waits for."""
    expected = statement_rows.expected_debits(tx, store_id, flash_wallet_id)
    return min((each.debit.logged_at - WINDOW_BEFORE for each in expected), default=None)


def _judge(tx: Transaction, store_id: str, flash_wallet_id: str) -> _Count:
    """Return what counting says, and the rows that Flash has to be asked about first."""
    found = statement_rows.expected_debits(tx, store_id, flash_wallet_id)
    rows = {row.id: row for row in statement_rows.unclaimed_rows(tx, store_id, flash_wallet_id)}
    before = statement_rows.debits_elsewhere(tx, store_id, flash_wallet_id)
    is_cut = statement_rows.is_cut(found) or statement_rows.is_cut(before)
    if is_cut or len(rows) >= statement_rows.ROWS_LIMIT:
        return _Count(Judgement((), (), ()))  # what was left out could change every count
    expected = [each for each in map(expect, found) if each is not None]
    seen = [
        Seen(row.id, abs(row.amount_nanousd), row.at, row.is_completed)
        for row in rows.values()
        if row.amount_nanousd is not None
    ]
    since = min((each.since for each in expected), default=None)
    extras: list[datetime] = []
    if since is not None:
        listed = statement_rows.rows_of_state(tx, store_id, RowState.EXTRA, since)
        extras = [row.at for row in listed]
    elsewhere = [each for each in map(expect, before) if each is not None]
    judged = judge(expected, seen, extras, elsewhere)
    feeless = (rows[claim.row_id] for claim in judged.claims)
    return _Count(
        judged,
        [rows[row_id] for row_id in judged.to_ask],
        [row for row in feeless if row.fee_nanousd is None and row.is_completed is None],
    )


def expect(found: ExpectedDebit) -> Expected | None:
    """Return what rule S counts of an open debit; nothing of one that certainly was not made."""
    debit = found.debit
    if found.attempt_state is AttemptState.SETTLED and found.completed_at is not None:
        until = found.completed_at + SETTLED_SKEW
    elif attempt_policy.none_was_made(found.answers):
        return None
    else:
        until = found.invoice_expires_at + WINDOW_AFTER
    sat_nanousd = NANOUSD_PER_CENT * MSAT_PER_SAT // debit.msat_per_cent
    return Expected(
        attempt_id=debit.attempt_id,
        amount_nanousd=debit.expected_nanousd,
        tolerance_nanousd=attempt_policy.tolerance(debit.expected_nanousd, 2 * sat_nanousd),
        since=debit.logged_at - WINDOW_BEFORE,
        until=until,
        is_settled=found.attempt_state is AttemptState.SETTLED,
        is_open=found.attempt_state is AttemptState.LIVE and found.payout_state not in _UNKNOWN,
    )


def _fits(found: ExpectedDebit, row: KeptRow) -> bool:
    """Tell whether a row is what a dead attempt would have cost, had it left after all."""
    expected = expect(found)
    if expected is None or row.amount_nanousd is None:
        return False
    return expected.may_be(Seen(row.id, abs(row.amount_nanousd), row.at, row.is_completed))


def _old_strangers(
    tx: Transaction, store_id: str, strangers: frozenset[str], now: datetime
) -> list[KeptRow]:
    """Return the rows that fit nothing and have had time to."""
    found = (statement_rows.read_row(tx, store_id, row_id) for row_id in sorted(strangers))
    return [row for row in found if row is not None and row.at <= now - EXTRA_AFTER]
