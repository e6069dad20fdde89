"""A slice of what `make damage` does at length."""

from __future__ import annotations

from random import Random

import pytest

from tests.damage.targets import STRIKES, strikes

EACH = 700
SEED = 20_261_121


@pytest.mark.parametrize("name", [*STRIKES, "answers of Flash"])
def test_whatever_strangers_write_raises_nothing_but_named_errors(name: str) -> None:
    with strikes() as all_of_them:
        for number in range(EACH):
            all_of_them[name](Random(f"{name} {SEED} {number}"))
