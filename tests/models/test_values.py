"""Small values: filters, pull payments, errors; and that no value shows a secret."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from models import errors
from models.card import KeySet, Tap, TapState
from models.flash import FlashConnection
from models.payout_filter import PayoutFilter
from models.pull_payment import PullPaymentState
from models.states import PayoutState, PayoutStatus
from models.store import ApiKey, Role
from tests.support.builders import a_card, a_payout, a_pull_payment, a_store, an_attempt
from tests.support.clock import NOON

STORE = a_store()
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("wanted", "needs_rows"),
    [
        ({}, False),
        ({"statuses": (PayoutStatus.FAILED,)}, False),
        ({"card": "alice"}, False),
        ({"starts_at": NOON, "ends_at": NOON}, False),
        ({"states": (PayoutState.FAILED,)}, True),
        ({"pull_payment_id": "pp_1"}, True),
        ({"min_sats": 0}, True),
        ({"max_sats": 0}, True),
        ({"q": "tip"}, True),
    ],
)
def test_rollups_answer_for_status_card_and_time_only(
    wanted: dict[str, Any], needs_rows: bool
) -> None:
    assert PayoutFilter(**wanted).needs_rows is needs_rows


def test_a_filter_is_moved_to_another_time_as_a_whole() -> None:
    wanted = PayoutFilter(statuses=(PayoutStatus.FAILED,), card="alice", starts_at=NOON)

    moved = wanted.between(NOON + HOUR, None)

    assert moved == replace(wanted, starts_at=NOON + HOUR, ends_at=None)


@pytest.mark.parametrize(
    ("changes", "is_open"),
    [
        ({}, True),
        ({"starts_at": NOON + HOUR}, False),
        ({"expires_at": NOON}, False),
        ({"expires_at": NOON + HOUR}, True),
        ({"state": PullPaymentState.ARCHIVED}, False),
    ],
)
def test_a_pull_payment_is_open_from_its_start_to_before_its_end(
    changes: dict[str, Any], is_open: bool
) -> None:
    assert a_pull_payment(STORE, **changes).is_open(NOON) is is_open


def test_what_is_reserved_and_paid_is_not_left() -> None:
    assert a_pull_payment(STORE, budget=100, reserved=30, paid=50).remaining == 20


def every_error(kind: type[errors.ServiceError]) -> list[type[errors.ServiceError]]:
    return [kind, *(found for below in kind.__subclasses__() for found in every_error(below))]


ARGUMENTS = {
    errors.InvalidField: ("field", "it is wrong"),
    errors.InvoiceError: ("expired", "it is over"),
    errors.SettingError: ("PORT", "it is wrong"),
    errors.LimitReached: ("budget",),
    errors.TapError: ("replay",),
    errors.CardLinkError: ("used",),
    errors.WithdrawError: ("k1_used",),
    errors.RateLimited: (1,),
    errors.SecondFactorNeeded: ("ticket",),
    errors.StateChanged: ("po_1",),
    errors.DuplicateRow: ("uq",),
}


def test_every_error_has_a_code_of_its_own_and_words_for_people() -> None:
    kinds = [
        kind for kind in every_error(errors.ServiceError) if kind.__module__ == errors.__name__
    ]

    assert len({kind.code for kind in kinds}) == len(kinds)
    for kind in kinds:
        error = kind(*ARGUMENTS.get(kind, ()))
        assert error.message
        assert str(error) == error.message


SECRET = "5ec2e7" * 8
SEALED = bytes.fromhex(SECRET)
SHOWN = [
    replace(a_payout(STORE), claim_key=SECRET, destination_sealed=SEALED),
    an_attempt(a_payout(STORE), invoice_sealed=SEALED, verify_sealed=SEALED),
    a_pull_payment(STORE, claim_token_sealed=SEALED),
    replace(a_card(STORE, a_pull_payment(STORE)), uid_hash=SECRET, uid_sealed=SEALED),
    KeySet("ks", "st", "bc", 0, bool(1), SECRET, SEALED, 0, NOON),
    Tap("tp", "st", "bc", "ks", "pp", 1, TapState.OPEN, SECRET, None, None, NOON, NOON),
    ApiKey("ak", "st", "till", Role.OWNER, SECRET, NOON, None, None, None),
    FlashConnection("http://a", "ws://a", SECRET, None),
    FlashConnection("http://a", "ws://a", None, SECRET),
]


@pytest.mark.parametrize("value", SHOWN, ids=lambda value: type(value).__name__)
def test_no_value_shows_its_secrets(value: object) -> None:
    assert SECRET not in repr(value)
    assert repr(SEALED)[2:20] not in repr(value)
