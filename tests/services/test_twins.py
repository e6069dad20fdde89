"""Calls that ask for the same at the same time share one answer, whatever it is."""

from __future__ import annotations

import asyncio

import pytest

from models.errors import OutcomeUnknownError, UnavailableError
from services.twins import Twins


async def test_twins_get_the_answer_of_the_first_and_later_calls_ask_anew() -> None:
    twins, answers = Twins[int](), iter([1, 2])

    async def ask() -> int:
        await asyncio.sleep(0)
        return next(answers)

    assert await asyncio.gather(*(twins.share("a", ask) for _ in range(3))) == [1, 1, 1]
    assert await twins.share("a", ask) == 2


async def test_a_refusal_is_shared_and_another_key_is_not_meant() -> None:
    twins = Twins[int]()

    async def refuse() -> int:
        await asyncio.sleep(0)
        raise UnavailableError("not now")

    async def agree() -> int:
        return 7

    asked = [twins.share("a", refuse), twins.share("a", agree), twins.share("b", agree)]
    first, second, other = await asyncio.gather(*asked, return_exceptions=True)

    assert first is second
    assert isinstance(first, UnavailableError)
    assert other == 7


async def test_who_waits_for_one_that_was_cancelled_is_told_that_nothing_is_known() -> None:
    twins, never = Twins[None](), asyncio.Event()

    async def ask() -> None:
        await never.wait()

    first = asyncio.ensure_future(twins.share("a", ask))
    await asyncio.sleep(0)
    second = asyncio.ensure_future(twins.share("a", ask))
    await asyncio.sleep(0)
    first.cancel()

    with pytest.raises(OutcomeUnknownError):
        await second
