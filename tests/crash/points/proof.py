"""Ends a story at each of its points, and holds what came of it against Flash's own ledger."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from models.states import PayoutState
from tests.crash.points.lives import Lives, comes_to_its_end, hashes
from tests.crash.points.stories import Story
from tests.crash.points.victim import kill_at
from tests.crash.points.watch import SENT, SETTLES_AFTER_MS, Ended, Watch, sent

# What is done again and again while time passes is ended at so often; then it is the same again.
_TIMES = 2


@dataclass
class Proof:
    """One story in one database, ended again and again."""

    lives: Lives
    story: Story
    # How it came out, by the point that it was ended at.
    outcomes: dict[str, str] = field(default_factory=dict)
    # Points that did not come again, as what happens in the background goes by the machine's time.
    missed: list[str] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    _life: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def run(self, every: int = 1) -> None:
        """Play the story once to its end, then ended at each point that was passed, or each nth."""
        await self._open()
        passed = await self._play(None)
        for point in list(_points(passed))[::every]:
            await self._play(point)
        self.findings += map(str, await self._shop.container.books.audit(self._shop.store.id))
        await self._life.aclose()

    async def run_killed(self, point: str) -> int:
        """Have the story told by a process that is killed at a point; return how it ended."""
        await self._open()
        await self.story.prepare(self.lives, self._shop)
        await self._life.aclose()
        status = await kill_at(self.lives, self.story.name, point)
        await self._begin_again()
        payout_id = await self.story.play(self.lives, self._shop)
        self.outcomes[point] = await self._judge(payout_id, point)
        await self._life.aclose()
        return status

    def line(self) -> str:
        """Return what was proved in one line."""
        ends = ", ".join(f"{n} {end}" for end, n in Counter(self.outcomes.values()).most_common())
        missed = f"; not met again: {', '.join(self.missed)}" if self.missed else ""
        return f"{self.story.name}: ended at {len(self.outcomes) - 1} points: {ends}{missed}"

    async def _open(self) -> None:
        """Open the shop, and wait until it can pay; nothing is counted yet."""
        self._watch = Watch()
        self._shop = await self._life.enter_async_context(self.lives.life(self._watch))
        await self._shop.is_ready()

    async def _play(self, ends_at: str | None) -> list[str]:
        """Play the story, ended at a point or not, then begun again until it has ended; judge."""
        lives, story = self.lives, self.story
        lives.known.clear()
        await story.prepare(lives, self._shop)
        if story.returns_from is None:
            await self._slow_down(ends_at)
        self._watch.set(story.returns_from or ends_at)
        is_over = await comes_to_its_end(self._watch, self._told())
        if story.returns_from is not None:
            assert is_over, f"{story.returns_from} never came"
            is_over = await self._return(ends_at)
        passed = self._watch.passed
        if is_over:
            await self._begin_again()
        else:
            self._watch.set(None)
            await lives.hand.settle_down()
            self.missed += [] if ends_at is None else [ends_at]
        payout_id = await story.play(lives, self._shop)
        self.outcomes[ends_at or ""] = await self._judge(payout_id, ends_at)
        return passed

    def _told(self) -> asyncio.Task[str]:
        return asyncio.create_task(self._tell())

    async def _tell(self) -> str:
        await self._shop.is_ready()
        return await self.story.play(self.lives, self._shop)

    async def _slow_down(self, ends_at: str | None) -> None:
        """Have Flash take its time over a send, if the sender is to end in the middle of it."""
        if ends_at is not None and f":{SENT}#" in ends_at:
            await self.lives.hand.fault("slow_settle", delay_ms=SETTLES_AFTER_MS)

    async def _begin_again(self) -> None:
        await self._life.aclose()
        await self.lives.outlive_the_lease()
        await self._open()

    async def _return(self, ends_at: str | None) -> bool:
        """Begin again; this life may end as well, from its first moment on."""
        await self._life.aclose()
        await self.lives.outlive_the_lease()
        await self._slow_down(ends_at)
        self._watch = Watch()
        self._watch.set(ends_at)
        try:
            self._shop = await self._life.enter_async_context(self.lives.life(self._watch))
        except Ended:
            return True
        return await comes_to_its_end(self._watch, self._told())

    async def _judge(self, payout_id: str, ends_at: str | None) -> str:
        payout = await self._shop.payout(payout_id)
        found = await hashes(self._shop, payout_id)
        times = [await self.lives.hand.times_paid(each) for each in found]
        said = f"{self.story.name}, ended at {ends_at}: {payout.state}, paid {times}"
        is_paid = payout.state is PayoutState.COMPLETED
        if payout.state not in self.story.ends or sum(times) != is_paid:
            self.findings.append(said)
        return str(payout.state)


def _points(passed: list[str]) -> Iterator[str]:
    """Yield where to end: at commits and sends time after time, at questions at the first."""
    for name in passed:
        point, _, number = name.rpartition("#")
        is_question = point.startswith("wire:") and "PaymentSend" not in point
        if int(number) > (1 if is_question else _TIMES):
            continue
        yield name
        if (under_way := sent(name)) is not None:
            yield under_way
