"""The rules of a payout's life as they are, and broken one at a time: what each walk must find."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from tests.model import checker, evidence
from tests.model.explore import Found

RELEASED = "released while paid"
Walk = Callable[[], Found]

# Each by what goes wrong without the rule; the first way found is the shortest.
BROKEN: dict[str, tuple[Walk, str]] = {
    flaw: (partial(checker.check, flaw), wrong)
    for flaw, wrong in {
        "unknown_is_failure": RELEASED,
        "unknown_is_success": "completed without a payment",
        "no_write_ahead": RELEASED,
        "no_fence": RELEASED,
        "ignore_outstanding": RELEASED,
        "trust_reply": RELEASED,
        "quiet_at_write": RELEASED,
        "not_found_is_dead": RELEASED,
        "cancel_after_send": RELEASED,
        "revoke_in_mid_flight": RELEASED,
        "blind_look_up": RELEASED,
    }.items()
} | {
    flaw: (partial(evidence.check, flaw, is_home=is_home, life=life), RELEASED)
    for flaw, is_home, life in (
        ("key_replay_is_look_up", False, "short"),
        ("kept_failure_decides_at_once", False, "long"),
        ("home_expired_at_once", True, "short"),
        ("home_rule_for_foreign", False, "short"),
        ("closed_book_before_expiry", False, "short"),
        ("closed_book_of_pending", False, "short"),
    )
}
EVIDENCE: dict[str, Walk] = {
    f"{'home' if is_home else 'foreign'}, {life}": partial(
        evidence.check, is_home=is_home, life=life
    )
    for is_home in (True, False)
    for life in evidence.LIVES
}
