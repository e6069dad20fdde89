"""Which grade of evidence is worth more; only a preimage is proof."""

from __future__ import annotations

from models.payout import EvidenceGrade

# Best first, in the order of the words themselves.
RANK = {grade: place for place, grade in enumerate(EvidenceGrade)}


def is_better(new: EvidenceGrade, old: EvidenceGrade | None) -> bool:
    """Tell whether a grade is worth more than the one a payout has."""
    return old is None or RANK[new] < RANK[old]
