"""Hypothesis strategies that damage good text a little."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

ANY_TEXT = st.text(st.characters(), max_size=200)
"""Surrogates and all."""


@st.composite
def mutated(draw: st.DrawFn, texts: Sequence[str], letters: str | None = None) -> str:
    """Return one of the texts with one to three flips, insertions, deletions or cuts."""
    text = draw(st.sampled_from(texts))
    character = st.sampled_from(letters) if letters else st.characters()
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(0, len(text)))
        match draw(st.sampled_from(["flip", "insert", "delete", "cut", "double"])):
            case "flip":
                text = text[:place] + draw(character) + text[place + 1 :]
            case "insert":
                text = text[:place] + draw(character) + text[place:]
            case "delete":
                text = text[:place] + text[place + 1 :]
            case "cut":
                text = text[:place]
            case _:
                text = text[:place] + text[max(0, place - 20) :]
    return text
