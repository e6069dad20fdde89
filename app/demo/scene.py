"""What every part of the past is told from: ids, keys and prices, and what comes back."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from app.demo.prices import PastPrices
from services.vault import KeyFile

Rows = list[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Scene:
    """The store with its funds and cards, as a process that tells a part of the past needs it.

    Attributes:
        funds: Pull payment ids by the fund's key.
        cards: Card and key set ids by the customer's place among the townsfolk.
    """

    store_id: str
    wallet_id: str
    flash_wallet_id: str
    owner_id: str
    now_us: int
    seed: int
    prices: PastPrices
    master_key: KeyFile = field(repr=False)
    data_key: tuple[int, bytes] = field(repr=False)
    node_key: bytes = field(repr=False)
    funds: dict[str, str]
    cards: dict[int, tuple[str, str]]


class Decision(NamedTuple):
    """What a person did to a payout, for the record that is numbered once all are known."""

    at_us: int
    action: str
    payout_id: str
    before: str
    after: str


class Paid(NamedTuple):
    """A payment that reached Flash's core, for the sandbox's ledger."""

    payment_hash: str
    amount_msat: int
    debit_nanousd: int
    fee_nanousd: int
    nanousd_per_btc: int
    at_ms: int
    is_settled: bool
    payee: str | None


class Waiting(NamedTuple):
    """A home invoice that may still be paid, so that the sandbox has to know it."""

    payment_hash: str
    request: str
    payee: str
    preimage: str
    secret: str
    amount_msat: int
    memo: str
    created_ms: int
    expires_ms: int


def _figure() -> list[int]:
    return [0, 0, 0]


def _fees() -> list[int]:
    return [0, 0]


@dataclass(slots=True)
class Told:
    """A part of the past: rows by table, and sums of what is kept once for all parts."""

    rows: dict[str, Rows] = field(default_factory=lambda: defaultdict(list))
    # (grain, bucket, status, kind) and (place of the customer, grain, bucket, status).
    rollups: dict[tuple[str, int, str, str], list[int]] = field(
        default_factory=lambda: defaultdict(_figure)
    )
    card_rollups: dict[tuple[int, str, int, str], list[int]] = field(
        default_factory=lambda: defaultdict(_figure)
    )
    # (grain, bucket) and (place of the customer, grain, bucket): known fees, and how many.
    fee_rollups: dict[tuple[str, int], list[int]] = field(
        default_factory=lambda: defaultdict(_fees)
    )
    card_fee_rollups: dict[tuple[int, str, int], list[int]] = field(
        default_factory=lambda: defaultdict(_fees)
    )
    reserved: Counter[str] = field(default_factory=Counter)
    paid: Counter[str] = field(default_factory=Counter)
    last_used_us: dict[int, int] = field(default_factory=dict)
    decisions: list[Decision] = field(default_factory=list)
    payments: list[Paid] = field(default_factory=list)
    waiting: list[Waiting] = field(default_factory=list)
    payouts: int = 0
    first_us: int = 0
