"""Budgets and single uses under parallel calls: how often a limit was broken, which must be never.

After the trials the books are asked as well: what tills were told, what stands in the database,
and what left the wallet have to agree.
"""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

from tests.load import town
from tests.load.shop import Shop, read_rows
from tests.load.table import print_table
from tests.load.wire import Answer, Line, at_once, lines_to, written

CLAIMS = 20
ROOM = 10
AT_ONCE = 8
_COUNTS = (
    "SELECT count(*), count(DISTINCT payment_hash), count(DISTINCT claim_key), "
    "sum(CASE WHEN state = 'completed' THEN 1 ELSE 0 END) FROM payouts"
)
_BROKEN_BUDGETS = "SELECT count(*) FROM pull_payments WHERE reserved + paid > budget"
_UNBALANCED = (
    "SELECT count(*) FROM (SELECT unit FROM ledger GROUP BY unit HAVING sum(amount) <> 0) AS units"
)
_SETTLE_S = 60.0


async def measure(shop: Shop, trials: int, exact_trials: int) -> None:
    """Run the trials and print how many there were and how many went wrong."""
    started = time.perf_counter()
    over_budget, reserved = await _budgets(shop, trials)
    budgets_s = time.perf_counter() - started
    taps, k1s, invoices, paid = await _single_uses(shop, exact_trials)
    rows = [
        (f"{CLAIMS} claims at once, budget for {ROOM}", trials, CLAIMS, over_budget),
        ("the same tap", exact_trials, AT_ONCE, taps),
        ("the same k1 with as many invoices", exact_trials, AT_ONCE, k1s),
        ("the same invoice with as many k1", exact_trials, AT_ONCE, invoices),
    ]
    print_table(
        f"Exactly once on {shop.database}", ("what", "trials", "at once", "violations"), rows
    )
    await _settled(shop, reserved + paid, paid)
    print(f"({trials / budgets_s:.1f} budget trials a second)", flush=True)


def _oks(answers: list[Answer]) -> int:
    return sum(json.loads(answer.body) == {"status": "OK"} for answer in answers)


async def _budgets(shop: Shop, trials: int) -> tuple[int, int]:
    """Have twenty links' k1s claim at once what is enough for ten; exactly ten may pass."""
    violations = passed = 0
    sats = town.AMOUNT_MSAT // 1000
    for number in range(trials):
        async with lines_to(shop.port, CLAIMS) as lines:
            budget = await town.pull_payment(
                shop, lines[0], auto_approve=False, sats=ROOM * sats + number % sats
            )
            token = budget["claim_url"].rpartition("/")[2]
            offers = await at_once(lines, [written("GET", f"/lnurlw/{token}")] * CLAIMS)
            claims = [
                town.link_claim(token, offer.json()["k1"], town.invoice()) for offer in offers
            ]
            ok = _oks(await at_once(lines, claims))
            seen = await shop.call(lines[0], "GET", f"/v1/pull-payments/{budget['id']}")
        violations += ok != ROOM or seen["reserved"] != ROOM * sats
        passed += ok
    return violations, passed


async def _single_uses(shop: Shop, trials: int) -> tuple[int, int, int, int]:
    """Repeat one tap, one k1 and one invoice eight times at once; one of each may pass."""
    cards = await town.cards(shop, AT_ONCE, auto_approve=True)
    taps = k1s = invoices = paid = 0
    for number in range(trials):
        async with lines_to(shop.port, AT_ONCE) as lines:
            tap = cards[number % AT_ONCE].tap()
            found = [offer for offer in await _offers(lines, [tap] * AT_ONCE) if "k1" in offer]
            taps += len(found) != 1
            claims = [town.tap_claim(found[0]["k1"], town.invoice()) for _ in lines]
            ok = _oks(await at_once(lines, claims))
            k1s += ok != 1
            paid += ok
            offers = await _offers(lines, [card.tap() for card in cards])
            invoice = town.invoice()
            claims = [town.tap_claim(offer["k1"], invoice) for offer in offers]
            ok = _oks(await at_once(lines, claims))
            invoices += ok != 1
            paid += ok
    return taps, k1s, invoices, paid


async def _offers(lines: list[Line], taps: list[bytes]) -> list[Any]:
    return [answer.json() for answer in await at_once(lines, taps)]


async def _settled(shop: Shop, payouts: int, paid: int) -> None:
    """Wait until all is paid, then compare what tills were told, our rows and the wallet's."""
    deadline = time.monotonic() + _SETTLE_S
    found = _read(shop, _COUNTS)
    while found[3] < paid and time.monotonic() < deadline:
        await asyncio.sleep(0.2)
        found = _read(shop, _COUNTS)
    rows = [
        ("payouts in the database, and OKs told", found[0], payouts),
        ("distinct payment hashes", found[1], payouts),
        ("distinct k1s", found[2], payouts),
        ("completed, and OKs told where money moves", found[3], paid),
        ("payments in the sandbox's ledger", await _left_the_wallet(shop), paid),
        ("budgets taken beyond their size", _read(shop, _BROKEN_BUDGETS)[0], 0),
        ("units in which the ledger does not sum to zero", _read(shop, _UNBALANCED)[0], 0),
    ]
    marked = [(*row, "" if row[1] == row[2] else "WRONG") for row in rows]
    print_table(f"The books of {shop.database}", ("what", "is", "must be", ""), marked)


def _read(shop: Shop, query: str) -> tuple[int, ...]:
    (row,) = read_rows(shop, query)
    return tuple(int(value) for value in row)


async def _left_the_wallet(shop: Shop) -> int:
    async with lines_to(shop.sandbox_port, 1) as (line,):
        answer = await line.ask(written("GET", "/_control/totals"))
    assert answer.status == 200, answer.body
    return sum(row["count"] for row in answer.json()["items"] if row["state"] == "settled")
