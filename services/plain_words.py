"""The words of a memo by which a payout can be searched, and those of a search."""

from __future__ import annotations

import re

_WORD = re.compile(r"\w{3,40}")
WORD_LIMIT = 12


def search_words(memo: str | None) -> frozenset[str]:
    """Return the first dozen words of three letters or more, folded."""
    return frozenset(_WORD.findall((memo or "").casefold())[:WORD_LIMIT])


def search_terms(text: str) -> tuple[str, ...]:
    """Return what a search asks for, folded: each of these has to be found.

    Words that no memo is searched by are left out, as long as there are others.
    """
    terms = dict.fromkeys(text.casefold().split())
    return tuple(term for term in terms if _WORD.search(term)) or (text.casefold(),)


def word_of(term: str) -> str:
    """Return the part of a term that may be a word of a memo: without commas and brackets."""
    found = _WORD.search(term)
    return term if found is None else found.group()
