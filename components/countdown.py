"""How long something still holds, counted down in the browser."""

from __future__ import annotations

from datetime import timedelta

from nicegui.element import Element

MILLISECOND = timedelta(milliseconds=1)


class Countdown(Element, component="assets/countdown.js"):
    """Minutes and seconds, and words for when they are over; the server sends nothing more."""

    def __init__(self, left: timedelta, over: str) -> None:
        super().__init__()
        self.props.update({"left": left // MILLISECOND, "over": over})
