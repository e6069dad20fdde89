"""What a store may count in comes from Flash where it answers, else from our own list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from models.currency import OFFLINE, Currency
from models.errors import GatewayError, InvalidField
from models.flash import FlashConnection
from services.currencies import Currencies
from services.flash.client import FlashClient
from services.flash.price import read_currencies
from tests.support.clock import NOON, HandClock
from tests.support.sandbox import Hand

DOLLAR = Currency("USD", "US Dollar", "$", 2)


async def test_flash_is_asked_by_nobody_in_particular(hand: Hand) -> None:
    client = FlashClient(FlashConnection(hand.sandbox.api_url, hand.sandbox.ws_url))
    await client.open()
    try:
        found = {each.code: each for each in await client.fetch_currencies()}
    finally:
        await client.close()

    assert found["USD"] == DOLLAR
    assert (found["JPY"].digits, found["KWD"].digits) == (0, 3)


async def test_our_own_list_stands_in_until_flash_answers_and_what_it_said_stays(
    clock: HandClock,
) -> None:
    answers: list[Sequence[Currency] | None] = [
        None,
        [DOLLAR, Currency("EUR", "Euro", "€", 2), Currency("JPY", "Yen", "¥", 2)],
        [],
        None,
    ]

    async def ask() -> Sequence[Currency]:
        found = answers.pop(0)
        if found is None:
            raise GatewayError
        return found

    currencies = Currencies(clock, ask)
    assert not await currencies.refresh()
    assert currencies.known is OFFLINE
    assert currencies.check(" jpy ") == "JPY"

    assert await currencies.refresh()
    # A yen has no hundredth part: at two digits its price would be misread.
    assert [each.code for each in currencies.known.items] == ["USD", "EUR"]
    assert currencies.known.asked_at == NOON
    for unknown in ("JPY", "XYZ", "", "usd\x00"):
        with pytest.raises(InvalidField):
            currencies.check(unknown)
    assert not await currencies.refresh()
    assert not await currencies.refresh()
    assert len(currencies.known.items) == 2


ODD: list[Any] = [
    None,
    {},
    "USD",
    [None, 5, {"id": "USD"}],
    [{"id": "usd", "name": "x", "symbol": "x", "fractionDigits": 2}],
    [{"id": "USD", "name": "x", "symbol": "x", "fractionDigits": 9}],
    [{"id": "USD", "name": None, "symbol": "x", "fractionDigits": 2}],
]


@pytest.mark.parametrize("payload", ODD)
def test_what_is_no_currency_is_left_out(payload: Any) -> None:
    assert read_currencies(payload) == []


def test_our_own_list_has_each_currency_once() -> None:
    codes = [each.code for each in OFFLINE.items]

    assert len(codes) == len(set(codes)) > 140
    assert {"USD", "EUR", "JMD"} < set(codes)
