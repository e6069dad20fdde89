"""Strike every reader with damaged texts: a million by default, on all cores."""

from __future__ import annotations

import argparse
import os
import time
import traceback
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from random import Random, SystemRandom

from tests.damage.targets import STRIKES, strikes

NAMES = (*STRIKES, "answers of Flash")
SHARE = 5_000


@dataclass(frozen=True, slots=True)
class Share:
    """Some strikes at one reader; the same seed strikes the same again."""

    name: str
    seed: int
    first: int
    count: int


def strike(share: Share) -> str | None:
    """Strike, and return what went wrong first."""
    with strikes() as all_of_them:
        for number in range(share.first, share.first + share.count):
            try:
                all_of_them[share.name](Random(f"{share.name} {share.seed} {number}"))
            except Exception:  # whatever it is, it was not named
                return f"{share.name}, seed {share.seed}, {number}\n{traceback.format_exc()}"
    return None


def shares(count: int, seed: int) -> Iterator[Share]:
    """Yield shares of all readers in turn, until their strikes are as many as wanted."""
    number = 0
    while count > 0:
        turn, place = divmod(number, len(NAMES))
        size = min(SHARE, count)
        yield Share(NAMES[place], seed, turn * SHARE, size)
        count, number = count - size, number + 1


def main() -> int:
    """Strike, print what was found, and return the exit code."""
    parser = argparse.ArgumentParser(prog="make damage", description=__doc__)
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=SystemRandom().randrange(2**32))
    given = parser.parse_args()
    started = time.monotonic()
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        found = [each for each in pool.map(strike, shares(given.count, given.seed)) if each]
    took = time.monotonic() - started
    print("\n".join(found))
    print(f"{given.count:,} at {len(NAMES)} readers in {took:.0f} s, seed {given.seed}: ", end="")
    print(f"{len(found)} raised what has no name" if found else "nothing but named errors")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
