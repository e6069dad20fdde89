"""A recipient's own server: what it gives is paid once, and what it says later is weighed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from models.payout import EvidenceGrade, PayeeHome
from models.states import PayoutState
from tests.services.test_payout_requests import approve, ask
from tests.services.test_sending import goes_wrong
from tests.support.clock import HandClock
from tests.support.sandbox import Hand
from tests.support.shop import Shop, open_shop, settings_for, through
from tests.support.streams import served_by

S, G = PayoutState, EvidenceGrade


@dataclass
class Recipient:
    """A Lightning Address host of its own, somewhere outside Flash."""

    authority: str = ""
    invoices: list[str] = field(default_factory=list)
    verdict: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def answer(self, path: str) -> dict[str, Any]:
        """Answer one of the three questions a payer has."""
        base = f"http://{self.authority}"
        if path.startswith("/.well-known"):
            metadata = json.dumps([["text/plain", "For Carol"]])
            bounds = {"minSendable": 1_000, "maxSendable": 10**9, "metadata": metadata}
            return {"tag": "payRequest", "callback": f"{base}/cb"} | bounds
        if path.startswith("/cb"):
            return {"pr": self.invoices.pop(0), "routes": [], "verify": f"{base}/verify"}
        return self.verdict

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one request."""
        line = await reader.readuntil(b"\r\n\r\n")
        path = line.split()[1].decode()
        self.asked.append(path)
        body = json.dumps(self.answer(path)).encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode() + body)


@asynccontextmanager
async def recipient_of(shop: Shop) -> AsyncIterator[Recipient]:
    """Open a recipient's server that the shop's guard lets through."""
    recipient = Recipient()
    async with served_by(recipient.serve) as authority:
        recipient.authority = authority
        shop.container.engine.outbound._allow |= {authority}
        yield recipient


async def test_only_a_preimage_that_fits_completes_what_the_recipient_calls_settled(
    paying_shop: Shop, hand: Hand
) -> None:
    minted = await hand.foreign_invoice(2_000)
    await goes_wrong(hand, minted, "generic_error")
    async with recipient_of(paying_shop) as recipient:
        recipient.invoices = [minted.pr]
        payout = await ask(paying_shop, f"carol@{recipient.authority}", amount=2_000)
        await approve(paying_shop, payout)
        await paying_shop.reaches(payout.id, S.IN_FLIGHT)
        assert (await paying_shop.attempt(payout.id)).home is PayeeHome.FOREIGN
        verdicts = [
            {"status": "OK", "settled": False},
            {"status": "OK", "settled": True},
            {"status": "OK", "settled": True, "preimage": "00" * 32},
            {"status": "ERROR", "reason": "Not found"},
        ]
        for verdict in verdicts:
            recipient.verdict = verdict
            await paying_shop.later(hand, minutes=5)
            assert (await paying_shop.payout(payout.id)).state is S.IN_FLIGHT
        assert recipient.asked.count("/verify") >= len(verdicts)

        recipient.verdict = {"status": "OK", "settled": True, "preimage": minted.preimage}
        await paying_shop.later(hand, minutes=5)

    done = await paying_shop.payout(payout.id)
    assert (done.state, done.evidence) == (S.COMPLETED, G.PREIMAGE)
    assert len(await paying_shop.sends(payout.id)) == 1


async def test_an_invoice_given_twice_or_over_another_amount_is_not_paid(
    paying_shop: Shop, hand: Hand
) -> None:
    minted, dear = await hand.foreign_invoice(2_000), await hand.foreign_invoice(2_001)
    async with recipient_of(paying_shop) as recipient:
        recipient.invoices = [minted.pr, minted.pr, dear.pr]
        ids = []
        for _ in range(3):
            payout = await ask(paying_shop, f"carol@{recipient.authority}", amount=2_000)
            await approve(paying_shop, payout)
            ids.append(payout.id)
            await paying_shop.reaches(payout.id, S.COMPLETED, S.FAILED)

    found = [await paying_shop.payout(payout_id) for payout_id in ids]
    assert [payout.state for payout in found] == [S.COMPLETED, S.FAILED, S.FAILED]
    assert {payout.error_code for payout in found[1:]} == {"invalid_invoice"}
    assert await hand.times_paid(minted.hash) == 1
    assert await hand.payments(dear.hash) == []


async def test_an_invoice_that_ran_out_while_it_waited_is_asked_for_anew(
    paying_shop: Shop, hand: Hand
) -> None:
    first = await hand.foreign_invoice(2_000, expiry_s=60)
    await hand.fault("insufficient_balance", match={"payment_hash": first.hash}, times=1)
    async with recipient_of(paying_shop) as recipient:
        recipient.invoices = [first.pr]
        payout = await ask(paying_shop, f"carol@{recipient.authority}", amount=2_000)
        await approve(paying_shop, payout)
        await paying_shop.comes_to_rest()
        assert (await paying_shop.payout(payout.id)).state is S.APPROVED
        await paying_shop.later(hand, seconds=1)
        second = await hand.foreign_invoice(2_000, expiry_s=600)
        recipient.invoices = [second.pr]
        await paying_shop.later(hand, seconds=60)
        done = await paying_shop.reaches(payout.id, S.COMPLETED)

    assert (done.attempts, done.payment_hash) == (2, second.hash)
    assert [await hand.times_paid(each.hash) for each in (first, second)] == [0, 1]
    assert await paying_shop.container.books.audit(paying_shop.store.id) == []


async def test_a_wallet_that_is_short_asks_for_no_invoices_that_could_only_run_out(
    sqlite_url: str, tmp_path: Path, hand: Hand
) -> None:
    poor = await hand.open_account(cents=100)
    settings = settings_for(sqlite_url, tmp_path, **through(hand, poor))
    async with open_shop(settings, HandClock(await hand.now())) as shop:
        async with recipient_of(shop) as recipient:
            recipient.invoices = [
                (await hand.foreign_invoice(2_000, expiry_s=60)).pr for _ in range(2)
            ]
            payout = await ask(shop, f"carol@{recipient.authority}", amount=2_000)
            await approve(shop, payout)
            await shop.comes_to_rest()
            for _ in range(3):
                await shop.later(hand, minutes=1)

        waiting = await shop.payout(payout.id)
        assert (waiting.state, waiting.attempts) == (S.APPROVED, 1)
        assert (await shop.wallet()).short_since is not None
        assert sum(path.startswith("/cb") for path in recipient.asked) == 1
