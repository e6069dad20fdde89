"""What recipients want shown after a payment, sealed, beside the attempt it came with."""

from __future__ import annotations

from sqlalchemy import bindparam, select

from models.payout import AttemptState
from models.tables.base import table_of
from models.tables.payout import AttemptRow
from models.tables.success_action import SuccessActionRow
from services.storage.statement import Statement, Transaction, insert_into

_actions = table_of(SuccessActionRow)
_attempts = table_of(AttemptRow)

_ADD = insert_into(_actions)
_OF_SETTLED = Statement(
    select(_actions.c.attempt_id, _actions.c.action_sealed)
    .select_from(_actions.join(_attempts, _attempts.c.id == _actions.c.attempt_id))
    .where(
        _actions.c.store_id == bindparam("store_id"),
        _actions.c.payout_id == bindparam("payout_id"),
        _attempts.c.state == AttemptState.SETTLED,
    )
    .limit(1)
)


def add_action(
    tx: Transaction, store_id: str, payout_id: str, attempt_id: str, sealed: bytes
) -> None:
    """Keep the action that came with an attempt's invoice."""
    tx.run(
        _ADD, attempt_id=attempt_id, store_id=store_id, payout_id=payout_id, action_sealed=sealed
    )


def settled_action(tx: Transaction, store_id: str, payout_id: str) -> tuple[str, bytes] | None:
    """Return the settled attempt of a payout with its sealed action, if it came with one."""
    found = tx.row(_OF_SETTLED, store_id=store_id, payout_id=payout_id)
    return None if found is None else (str(found[0]), bytes(found[1]))
