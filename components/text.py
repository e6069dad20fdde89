"""A piece of text in a tag of its own, that can be set again."""

from __future__ import annotations

from nicegui.elements.mixins.text_element import TextElement


class Text(TextElement):
    """Plain text, escaped by the browser."""

    def __init__(self, tag: str, text: str = "") -> None:
        super().__init__(tag=tag, text=text)


def sentence(words: str) -> str:
    """Return words as a sentence: a capital letter first, a full stop last."""
    return words[:1].upper() + words[1:] + ("." if words[-1:].isalnum() else "")
