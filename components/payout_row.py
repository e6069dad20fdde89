"""A payout as a row of the table: what each column says, written out."""

from __future__ import annotations

from typing import Any

from components.unit import Unit
from models.instants import iso
from models.money import MSAT_PER_SAT
from models.payout_view import PayoutView

Row = dict[str, Any]


def row_of(view: PayoutView, worth: Unit, *, fresh: bool = False) -> Row:
    """Return a payout as a row of the grid, its worth in the store's currency."""
    return {
        "id": view.id,
        "at": iso(view.created_at),
        "completed": None if view.completed_at is None else iso(view.completed_at),
        "status": str(view.status),
        "state": str(view.state).replace("_", " "),
        "amount": view.amount_sats,
        "worth": None if view.value_cents is None else worth.write(view.value_cents),
        "fee": None if view.fee_msat is None else sats_of(view.fee_msat),
        "card": _card(view),
        "pull": view.pull_payment_name or "–",
        "memo": view.memo or "",
        "fresh": fresh,
    }


def sats_of(amount_msat: int) -> str:
    """Write millisatoshi as sats, exactly and without idle zeros: `12`, `0.25`."""
    whole, rest = divmod(amount_msat, MSAT_PER_SAT)
    return f"{whole:,}.{rest:03d}".rstrip("0").rstrip(".")


def _card(view: PayoutView) -> str:
    if view.boltcard_alias is not None:
        return view.boltcard_alias
    if view.boltcard_uid is not None:
        return f"{view.boltcard_uid} (said)"
    return "Link" if view.kind == "claim" else "–"
