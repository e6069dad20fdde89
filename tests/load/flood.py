"""A flood of sign-ins with made-up names from everywhere: what it costs, and whether taps go on."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path

import httpx

from tests.load.neighbours import memory_mib
from tests.load.table import Cell, print_table
from tests.support.program import Program

AT_ONCE = 64
BATCH = 100
LOOK_S = 0.02
KEEP_S = 1.0
SETTINGS = {"TRUSTED_PROXIES": "127.0.0.1"}


@dataclass
class Flooded:
    """What was answered, what the process held, and how long others waited beside it."""

    answers: Counter[int] = field(default_factory=Counter)
    silent_refusals: int = 0
    memory_mib: list[float] = field(default_factory=list)
    waits_s: list[float] = field(default_factory=list)
    took_s: float = 0.0


async def flood(
    url: str, pid: int, count: int, beside: Callable[[httpx.AsyncClient], Awaitable[None]]
) -> Flooded:
    """Try to sign in so often, each time as somebody else from elsewhere."""
    seen, numbers = Flooded(), iter(range(count))
    # A connection that idles is given up before the server does, which would cut a request.
    limits = httpx.Limits(max_connections=AT_ONCE + 2, keepalive_expiry=KEEP_S)
    async with httpx.AsyncClient(base_url=url, timeout=60, limits=limits, trust_env=False) as http:
        # Each is somebody else: nobody shows the cookie of another's form.
        http.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))

        async def knock() -> None:
            for number in numbers:
                form = {
                    "email": f"nobody{number}@example.com",
                    "password": f"guess number {number}",
                }
                sent = {"X-Forwarded-For": f"100.{number >> 16}.{number >> 8 & 255}.{number & 255}"}
                answer = await http.post("/login", data=form, headers=sent)
                seen.answers[answer.status_code] += 1
                is_silent = answer.status_code == 429 and "retry-after" not in answer.headers
                seen.silent_refusals += is_silent
                if number % BATCH == 0:
                    seen.memory_mib.append(memory_mib(pid))

        async def look() -> None:
            while True:
                began = time.perf_counter()
                await beside(http)
                seen.waits_s.append(time.perf_counter() - began)
                await asyncio.sleep(LOOK_S)

        began, looking = time.perf_counter(), asyncio.create_task(look())
        try:
            await asyncio.gather(*(knock() for _ in range(AT_ONCE)))
        finally:
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)
    seen.took_s = time.perf_counter() - began
    seen.memory_mib.append(memory_mib(pid))
    return seen


async def measure(folder: Path, database_url: str, count: int) -> None:
    """Print what a flood does to a service of its own."""
    with Program(folder, SETTINGS | {"DATABASE_URL": database_url}).serving() as server:
        url = server.ready()
        seen = await flood(url, server.process.pid, count, _healthz)
    waits = sorted(seen.waits_s)
    row: list[Cell] = [
        f"{count:,} sign-ins, {AT_ONCE} at once",
        count / seen.took_s,
        seen.memory_mib[0],
        max(seen.memory_mib),
        1000 * statistics.median(waits),
        1000 * waits[len(waits) * 99 // 100],
    ]
    head = ("what", "a second", "MiB before", "MiB most", "beside: median ms", "99 % ms")
    print_table("A flood of sign-ins", head, [row])


async def _healthz(http: httpx.AsyncClient) -> None:
    (await http.get("/healthz")).raise_for_status()
