"""A thread of its own for one long piece of work, taken step by step from the event loop."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import AsyncIterator, Callable, Generator
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")


class OwnThread:
    """Runs one function after the other; as a daemon it does not hold up the end of the process.

    What is submitted last is also run last, so a clean-up never meets a step that is running.
    """

    def __init__(self, name: str) -> None:
        self._jobs: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = (
            queue.SimpleQueue()
        )
        threading.Thread(target=self._serve, name=name, daemon=True).start()

    def submit(self, function: Callable[[], T]) -> Future[T]:
        """Have a function run after what was submitted before."""
        future: Future[T] = Future()
        self._jobs.put((future, function))
        return future

    async def steps(self, work: Generator[T]) -> AsyncIterator[T]:
        """Run a generator, a step whenever the one before was taken."""
        end = object()
        while True:
            step: Any = await asyncio.wrap_future(self.submit(lambda: next(work, end)))
            if step is end:
                return
            yield step

    def end(self) -> None:
        """End the thread after what was submitted."""
        self._jobs.put(None)

    def _serve(self) -> None:
        while (job := self._jobs.get()) is not None:
            future, function = job
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(function())
            except BaseException as error:  # noqa: BLE001  # it belongs to whoever asked
                future.set_exception(error)
