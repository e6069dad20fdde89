"""Rules of a few lines: which evidence is better, which words of a memo are searched."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.payout import EvidenceGrade
from services.evidence_policy import is_better
from services.plain_words import search_words

G = EvidenceGrade


@pytest.mark.parametrize(
    ("new", "old", "better"),
    [
        (G.PERSON, None, True),
        (G.PREIMAGE, G.FLASH_SUCCESS, True),
        (G.FLASH_SUCCESS, G.FLASH_INVOICE, True),
        (G.FLASH_SUCCESS, G.PREIMAGE, False),
        (G.PREIMAGE, G.PREIMAGE, False),
    ],
)
def test_only_better_evidence_takes_the_place_of_other(
    new: EvidenceGrade, old: EvidenceGrade | None, better: bool
) -> None:
    assert is_better(new, old) is better


@pytest.mark.parametrize(
    ("memo", "words"),
    [
        (None, set()),
        ("", set()),
        ("a tip for ALICE", {"tip", "for", "alice"}),
        ("Café-Straße 12 345", {"café", "strasse", "345"}),
        ("x" * 41, {"x" * 40}),
    ],
)
def test_words_of_three_letters_or_more_are_searched(memo: str | None, words: set[str]) -> None:
    assert search_words(memo) == words


@given(st.text(max_size=500))
def test_a_memo_has_a_dozen_search_words_at_most(memo: str) -> None:
    words = search_words(memo)

    assert len(words) <= 12
    assert all(3 <= len(word) <= 40 for word in words)
