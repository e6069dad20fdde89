"""A watch that writes down which points are passed, and ends the program at one of them."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from typing import Any

SENT = "sent"
# A send is under way at Flash for so long, and its sender ends in the middle of that.
SETTLES_AFTER_MS = 150
_ENDS_AFTER_S = 0.03


class Ended(BaseException):
    """The program is no more: whatever it would do now does not happen."""


class Watch:
    """Passes all points by until it is set, and none any more once the program has ended."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.loop.set_exception_handler(_say_nothing_of_the_dead)
        self.passed: list[str] = []
        self.over = asyncio.Event()
        self.is_over = False
        self._ends_at: str | None = None
        self._counts: Counter[str] | None = None
        self._lock = threading.Lock()

    def set(self, ends_at: str | None) -> None:
        """Count points from now on, and end at one of them if it comes."""
        with self._lock:
            self._ends_at, self._counts, self.passed = ends_at, Counter(), []

    def __call__(self, point: str) -> None:
        """Pass a point; it is named with how often it was passed since the watch was set.

        Raises:
            Ended: The program ends here, or has ended before.
        """
        with self._lock:
            if self.is_over:
                raise Ended
            if self._counts is None:
                return
            self._counts[point] += 1
            name = f"{point}#{self._counts[point]}"
            self.passed.append(name)
            if self._ends_at == name:
                self._end()
                raise Ended
            if self._ends_at is not None and self._ends_at == sent(name):
                self.loop.call_soon_threadsafe(
                    self.loop.call_later, _ENDS_AFTER_S, self._end_within, self._ends_at
                )

    def _end_within(self, send: str) -> None:
        """End in the middle of a send, unless the watch was set anew since."""
        with self._lock:
            if self._ends_at == send:
                self._end()

    def _end(self) -> None:
        self.is_over = True
        self.loop.call_soon_threadsafe(self.over.set)


def _say_nothing_of_the_dead(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Leave out the tasks that nobody waits for any more since the program ended."""
    error = context.get("exception")
    is_end = isinstance(error, Ended) or (
        isinstance(error, BaseExceptionGroup) and error.subgroup(Ended) is not None
    )
    if not is_end:
        loop.default_exception_handler(context)


def sent(name: str) -> str | None:
    """Return what it is called to end while Flash works on a send, if the point begins one."""
    point, _, number = name.rpartition("#")
    is_send = point.startswith("wire:ln") and point.endswith("PaymentSend:before")
    return f"{point.removesuffix('before')}{SENT}#{number}" if is_send else None
