"""One round of the drill: trade, death and return, rest, judgement."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from tests.crash import bad_days
from tests.crash.drain import Drain
from tests.crash.ground import Ground
from tests.crash.journal import Journal
from tests.crash.judge import Judge, Verdict
from tests.crash.reaper import Reaper
from tests.crash.shop import Shop
from tests.crash.stage import Stage, opened

_SKEW_S = 20.0
# A life must last so long until its bookkeeper looks at Flash's list for the first time.
_EVENING_S = 36.0
_EVENINGS = 4  # one round of so many has one


@dataclass(frozen=True, slots=True)
class Plan:
    """How a round is to go; the seed draws everything that is left to chance."""

    seed: int
    # Strike these one after another, or anything of `victims` for so many seconds.
    strikes: Sequence[str] = ()
    victims: tuple[str, ...] = ("service", "sandbox", "both")
    seconds: float = 0.0
    leaps: float = 0.7
    # Whether hours pass at the end, until nothing is left that time decides.
    hours: bool = True

    @property
    def skew_s(self) -> float:
        """Return how far Flash's clock is off, either way."""
        return random.Random(f"skew {self.seed}").uniform(-_SKEW_S, _SKEW_S)

    @property
    def evening_s(self) -> float:
        """Return how long both live on in bad weather when the killing is over."""
        return _EVENING_S if self.hours and self.seed % _EVENINGS == 0 else 0.0


@dataclass(slots=True)
class Report:
    """What a round did and came to."""

    plan: Plan
    database: str
    strikes: Counter[str]
    # The faults that were drawn, and those of them that met what they are for.
    faults: Counter[str]
    met: Counter[str]
    kills: int
    journal: Journal
    verdict: Verdict
    longest_unknown_s: float
    logs: str = field(repr=False, default="")

    def line(self) -> str:
        """Return the round in one line."""
        told = Counter(str(claim.told) for claim in self.journal.claims)
        states = ", ".join(f"{n} {state}" for state, n in self.verdict.states.most_common())
        strikes = ", ".join(f"{n} {strike}" for strike, n in self.strikes.most_common())
        end = f"{len(self.verdict.disagreements)} DISAGREEMENTS"
        return (
            f"{self.database:10} seed {self.plan.seed}: {self.kills} kills ({strikes}); "
            f"{len(self.journal.reads)} taps; {told.total()} claims ({told['ok']} ok, "
            f"{told['error']} refused, {told['lost']} lost); "
            f"{self.verdict.states.total()} payouts: {states}; "
            f"longest unknown {self.longest_unknown_s:.1f} s; "
            f"{'agreed' if not self.verdict.disagreements else end}"
        )


async def play(ground: Ground, plan: Plan) -> Report:
    """Play one round."""
    chance = random.Random(plan.seed)
    async with opened(ground, plan.seed, plan.skew_s) as stage:
        await stage.start()
        wallet_before = await stage.control.wallet()
        shop = Shop(stage, chance)
        try:
            await shop.open()
            faults = bad_days.mixed(plan.seed)
            armed = [(await stage.control.post("faults", **fault))["id"] for fault in faults]
            reaper = Reaper(stage, shop.journal, chance, plan.leaps)
            await _storm(shop, reaper, plan)
        finally:
            await shop.close()
        kills = stage.service.kills + stage.sandbox.kills
        drain = Drain(stage, chance)
        await drain.begin()
        await asyncio.sleep(plan.evening_s)
        unmet = await stage.control.unmet()
        await drain.run(hours=plan.hours)
        judge = await Judge.of(stage, wallet_before, hours=plan.hours)
        verdict = judge.judge(shop.journal)
        verdict.disagreements += drain.complaints
        assert drain.calm_since is not None
        return Report(
            plan,
            ground.kind,
            Counter(reaper.strikes),
            Counter(map(bad_days.name_of, faults)),
            Counter(
                bad_days.name_of(fault)
                for number, fault in zip(armed, faults, strict=True)
                if number not in unmet
            ),
            kills,
            shop.journal,
            verdict,
            judge.longest_unknown_s(drain.calm_since),
            _logs(stage),
        )


async def _storm(shop: Shop, reaper: Reaper, plan: Plan) -> None:
    """Let the reaper loose on a busy shop."""
    closing = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(shop.trade(closing))
        try:
            if plan.strikes:
                await reaper.reap(plan.strikes)
            else:
                with suppress(TimeoutError):
                    async with asyncio.timeout(plan.seconds):
                        await reaper.reap(reaper.endless(plan.victims))
        finally:
            closing.set()


def _logs(stage: Stage) -> str:
    return "\n".join(f"-- {p.name}\n{p.tail()}" for p in (stage.service, stage.sandbox))
