"""A region of a page as one element, however much stands in it.

An element of the framework costs four kilobytes and a good part of a millisecond on every open
page, and the browser looks at each whenever one changes. The pieces of a sheet are written as HTML
once, and then patched where they stand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from html import escape
from typing import Any

from nicegui import events
from nicegui.element import Element

from components.courier import Courier

_VOID = frozenset({"input"})
# What hides an element of the framework hides a piece too.
HIDDEN = "hidden"
Handler = Callable[..., object]


class Piece:
    """One tag of a sheet, with its text before what stands in it."""

    __slots__ = (
        *("drawing", "_sheet", "attributes", "children", "classes", "number", "parent", "tag"),
        "text",
    )

    def __init__(
        self, sheet: Sheet, parent: Piece | None, tag: str, classes: str, attributes: dict[str, str]
    ) -> None:
        self._sheet = sheet
        self.parent = parent
        self.number = -1
        self.tag = tag
        self.classes = classes.split()
        self.attributes = {name.replace("_", "-"): attributes[name] for name in attributes}
        self.text = ""
        self.children: list[Piece] = []
        self.drawing = ""

    def add(self, tag: str, classes: str = "", text: str = "", **attributes: str) -> Piece:
        """Add a piece inside; an attribute's name has `_` where HTML has `-`."""
        piece = Piece(self._sheet, self, tag, classes, attributes)
        piece.text = text
        self.children.append(piece)
        return piece

    def draw(self, drawing: str) -> Piece:
        """Add a drawing that is written in the code: nothing from outside may get in."""
        piece = self.add("svg")
        piece.drawing = drawing
        return piece

    def descendants(self) -> Iterator[Piece]:
        """Go through all that stands inside, in the order it is read in."""
        for child in self.children:
            yield child
            yield from child.descendants()

    @property
    def visible(self) -> bool:
        """Tell whether it is shown, with all it stands in."""
        return HIDDEN not in self.classes and (self.parent is None or self.parent.visible)

    def set_text(self, text: str) -> None:
        """Show another text."""
        if text != self.text:
            self.text = text
            self._carry("text", text)

    def set_visibility(self, visible: bool) -> None:
        """Show or hide it."""
        self.mark(HIDDEN, on=not visible)

    def mark(self, name: str, *, on: bool) -> None:
        """Give it a class, or take it away."""
        if (name in self.classes) is not on:
            kept = [each for each in self.classes if each != name]
            self.look([*kept, name] if on else kept)

    def look(self, classes: list[str]) -> None:
        """Give it these classes and no others."""
        if classes != self.classes:
            self.classes = classes
            self._carry("class", " ".join(classes))

    def set(self, name: str, value: str | None) -> None:
        """Set an attribute, or take it away."""
        if self.attributes.get(name) != value:
            if value is None:
                del self.attributes[name]
            else:
                self.attributes[name] = value
            self._carry(name, value)

    def on(self, event: str, handler: Handler) -> Piece:
        """Be told of an event; its `args` are the value of what it happened to."""
        self._sheet.listen(self, event, handler)
        return self

    def html(self) -> str:
        """Write it down; text from outside stays text."""
        if self.drawing:
            return self.drawing
        given = dict(self.attributes)
        if self.classes:
            given["class"] = " ".join(self.classes)
        written = "".join(f' {name}="{escape(value)}"' for name, value in given.items())
        if self.tag in _VOID:
            return f"<{self.tag}{written}>"
        return f"<{self.tag}{written}>{self.inside()}</{self.tag}>"

    def inside(self) -> str:
        """Write down what stands in it."""
        return escape(self.text, quote=False) + "".join(child.html() for child in self.children)

    def _carry(self, name: str, value: str | None) -> None:
        self._sheet.carry(self, name, value)


class Sheet(Element, component="assets/sheet.js"):
    """Holds the pieces of a region; `root` is the region's own tag."""

    def __init__(self, tag: str, classes: str = "", **attributes: str) -> None:
        super().__init__()
        self.root = Piece(self, None, tag, classes, attributes)
        # In the order in which the browser comes upon them; none until it has been told.
        self._pieces: list[Piece] = []
        self._handlers: dict[tuple[Piece, str], Handler] = {}

    def carry(self, piece: Piece, name: str, value: str | None) -> None:
        """Have a change reach the browser, if it knows the sheet already."""
        if self._pieces and not self.is_deleted:
            Courier.of(self.client).change(self.id, piece.number, name, value)

    def listen(self, piece: Piece, event: str, handler: Handler) -> None:
        """Have an event of a piece told to a handler."""
        if not self._handlers:
            self.on("act", self._acted)
        self._handlers[piece, event] = handler

    def _to_dict(self) -> dict[str, Any]:
        if not self._pieces:
            self._pieces = [self.root, *self.root.descendants()]
            for number, piece in enumerate(self._pieces):
                piece.number = number
        root, heard = self.root, [(piece.number, event) for piece, event in self._handlers]
        said = super()._to_dict()
        said["class"] = root.classes
        written = {"as": root.tag, "html": root.inside(), "heard": heard}
        said["props"] = root.attributes | written
        return said

    def _acted(self, event: events.GenericEventArguments) -> None:
        said = event.args if isinstance(event.args, dict) else {}
        number, name = said.get("piece"), said.get("event")
        if type(number) is not int or not 0 <= number < len(self._pieces):
            return
        piece = self._pieces[number]
        handler = self._handlers.get((piece, str(name)))
        if handler is not None and piece.visible:
            told = events.GenericEventArguments(
                sender=self, client=self.client, args=said.get("value")
            )
            events.handle_event(handler, told)
