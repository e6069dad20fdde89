"""A piece of text in a tag of its own, that can be set again."""

from __future__ import annotations

from nicegui.elements.mixins.text_element import TextElement


class Text(TextElement):
    """Plain text, escaped by the browser."""

    def __init__(self, tag: str, text: str = "") -> None:
        super().__init__(tag=tag, text=text)
