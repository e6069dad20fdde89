"""Judge what a recipient's service says about its invoice (LUD-21)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Final

from services.lnurl_answer import parse_json

_PREIMAGE: Final = re.compile(r"[0-9A-Fa-f]{64}")


class VerifyOutcome(StrEnum):
    """What a verify answer is worth."""

    SETTLED = "settled"
    """Proved by the preimage."""
    CLAIMED = "claimed"
    """Said to be settled, without a preimage: proves nothing."""
    FALSE_PROOF = "false_proof"
    """Said to be settled, with a preimage of something else: worth an alert."""
    PENDING = "pending"
    """Not settled so far, which decides nothing."""
    UNKNOWN = "unknown"
    """No usable answer."""


@dataclass(frozen=True, slots=True)
class VerifyVerdict:
    """An outcome, and the preimage in hex if it is settled."""

    outcome: VerifyOutcome
    preimage: str | None = None


def judge_verify(body: bytes, payment_hash: str) -> VerifyVerdict:
    """Return what a verify answer proves: settled only if the preimage hashes to ours (LUD-21)."""
    answer = parse_json(body)
    if not isinstance(answer, dict) or answer.get("status") != "OK":
        return VerifyVerdict(VerifyOutcome.UNKNOWN)
    settled, preimage = answer.get("settled"), answer.get("preimage")
    if settled is False:
        return VerifyVerdict(VerifyOutcome.PENDING)
    if settled is not True:
        return VerifyVerdict(VerifyOutcome.UNKNOWN)
    if not preimage:
        return VerifyVerdict(VerifyOutcome.CLAIMED)
    if not isinstance(preimage, str) or not proves_payment(preimage, payment_hash):
        return VerifyVerdict(VerifyOutcome.FALSE_PROOF)
    return VerifyVerdict(VerifyOutcome.SETTLED, preimage.lower())


def proves_payment(preimage: str, payment_hash: str) -> bool:
    """Return whether a preimage in hex proves that a payment hash was paid (BOLT 2)."""
    if _PREIMAGE.fullmatch(preimage) is None:
        return False
    return sha256(bytes.fromhex(preimage)).hexdigest() == payment_hash.lower()
