"""Calls that ask for the same at the same time, and share one answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from models.errors import OutcomeUnknownError

T = TypeVar("T")


class Twins(Generic[T]):
    """Lets the first of such calls ask, and the others wait for what it is told."""

    def __init__(self) -> None:
        self._asked: dict[Hashable, asyncio.Future[T]] = {}

    async def share(self, key: Hashable, ask: Callable[[], Awaitable[T]]) -> T:
        """Ask, unless a twin is asking; return or raise what whoever asked is told.

        Raises:
            OutcomeUnknownError: The one who asked was cancelled.
        """
        twin = self._asked.get(key)
        if twin is not None:
            return await asyncio.shield(twin)
        own = self._asked[key] = asyncio.get_running_loop().create_future()
        try:
            answer = await ask()
        except BaseException as error:
            own.set_exception(error if isinstance(error, Exception) else OutcomeUnknownError())
            own.exception()  # there may be no twin who takes it
            raise
        else:
            own.set_result(answer)
            return answer
        finally:
            del self._asked[key]
