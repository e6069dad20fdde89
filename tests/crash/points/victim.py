"""A life in a process of its own, which kills itself at a point: `... victim FILE`.

The file says which story is told where, and what the people in it know.
"""

from __future__ import annotations

import asyncio
import os
import pickle
import signal
import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from models.store import Store
from tests.crash.points.lives import Lives
from tests.crash.points.stories import STORIES
from tests.crash.points.watch import Watch
from tests.support.clock import HandClock
from tests.support.patience import PATIENCE_S
from tests.support.sandbox import FlashAccount, Hand, SandboxProcess
from tests.support.warm import Forked


@dataclass(frozen=True)
class Errand:
    """What a victim has to know."""

    url: str
    folder: Path
    api_url: str
    ws_url: str
    account: FlashAccount
    now: datetime
    store: Store | None
    known: dict[str, Any]
    story: str
    point: str


class Killing(Watch):
    """Ends the whole process, as nothing but the system can."""

    def _end(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


async def kill_at(lives: Lives, story: str, point: str) -> int:
    """Have a story told in another process until it kills itself; return how that ended."""
    sandbox, place = lives.hand.sandbox, lives.folder / "errand"
    errand = Errand(
        url=lives.url,
        folder=lives.folder,
        api_url=sandbox.api_url,
        ws_url=sandbox.ws_url,
        account=lives.account,
        now=lives.clock.utc_now(),
        store=lives.store,
        known=lives.known,
        story=story,
        point=point,
    )
    place.write_bytes(pickle.dumps(errand))
    victim = Forked("tests.crash.points.victim", str(place), env=os.environ)
    return await asyncio.to_thread(victim.wait, PATIENCE_S)


async def _live(errand: Errand) -> None:
    sandbox = SandboxProcess(errand.folder / "not its own")
    sandbox.api_url, sandbox.ws_url = errand.api_url, errand.ws_url
    story = next(each for each in STORIES if each.name == errand.story)
    async with Hand.on(sandbox) as hand:
        lives = Lives(errand.url, errand.folder, hand, errand.account, HandClock(errand.now))
        lives.store, lives.known, watch = errand.store, errand.known, Killing()
        async with lives.life(watch) as shop:
            await shop.is_ready()
            watch.set(errand.point)
            await story.play(lives, shop)


if __name__ == "__main__":
    asyncio.run(_live(pickle.loads(Path(sys.argv[1]).read_bytes())))  # our own
