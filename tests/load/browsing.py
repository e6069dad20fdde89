"""What a person in front of a browser waits for: a page to open, and a payout to appear on it.

Beside the dashboard stand a blank NiceGUI page and a bare page with a bare socket, of the same
server in the same run.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from tests.load import live, town
from tests.load.neighbours import Foreign
from tests.load.shop import Shop
from tests.load.table import Cell, Sample, print_table
from tests.load.wire import BARE_PAGE, BLANK_PAGE, HOST, lines_to

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
VIEW = {"width": 1440, "height": 900}
PATIENCE_MS = 30_000
SETTLE_S = 1.5
GAP_S = 1.0
ROWS = 60  # more than a page of the table
_HANDSHAKE = "window.did_handshake === true"
# Figures are there, rows are there, and the page says how its connection is.
_USABLE = (
    f"{_HANDSHAKE} && document.querySelector('[data-testid=live-state][data-state]')"
    " && document.querySelector('[data-testid=payout-table] .ag-row')"
    " && /[0-9]/.test(document.querySelector('[data-testid=stat-total] .count')?.textContent)"
)
_CHART = "!!document.querySelector('[data-testid=trend] .main-svg')"
# Each is looked for once a frame from the first on; the moment is kept when it first holds.
_CLOCKS = """(() => {
  window.bench = {};
  const wanted = @@;
  const look = () => {
    for (const [name, holds] of Object.entries(wanted))
      if (!(name in window.bench)) {
        let found = false;
        try { found = holds(); } catch (error) { found = false; }
        if (found) window.bench[name] = performance.now();
      }
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
})();"""
# The text of the first figure at every change of the page, and when the next frame was there.
_WATCH = """() => {
  window.seen = [];
  const told = () => document.querySelector('[data-testid=stat-total] .count')?.textContent;
  let last = told();
  const now = () => performance.timeOrigin + performance.now();
  new MutationObserver(() => {
    const text = told();
    if (text === last) return;
    last = text;
    const entry = [text, now(), 0];
    window.seen.push(entry);
    requestAnimationFrame(() => { entry[2] = now(); });
  }).observe(document.body, {subtree: true, childList: true, characterData: true});
}"""


@dataclass(slots=True)
class Loads:
    """How often-repeated visits of one page went."""

    usable: Sample = field(default_factory=Sample)
    paint: Sample = field(default_factory=Sample)
    chart: Sample = field(default_factory=Sample)
    kilobytes: list[float] = field(default_factory=list)
    requests: list[int] = field(default_factory=list)


def is_here() -> bool:
    """Tell whether there is a browser to measure with."""
    return Path(CHROMIUM).exists()


async def measure(shop: Shop, visits: int, updates: int, behind: str) -> None:
    """Measure visits and updates; `behind` says what the database holds."""
    ground = live.Ground(shop, await town.cards(shop, live.CARDS, auto_approve=False))
    async with lines_to(shop.port, 1) as (line,):
        for number in range(ROWS):
            await ground.update(line, number)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        try:
            await _visits(shop, browser, visits, behind)
            await _updates(ground, browser, updates, behind)
        finally:
            await browser.close()


async def _visits(shop: Shop, browser: Browser, visits: int, behind: str) -> None:
    pages = {"blank NiceGUI page": (BLANK_PAGE, False), "dashboard": ("/", True)}
    found = {(name, is_warm): Loads() for name in pages for is_warm in (False, True)}
    with Foreign() as foreign:
        # In turns, so that both meet the machine in the same moods.
        for _ in range(visits):
            for name, (path, is_whole) in pages.items():
                context = await browser.new_context(viewport=VIEW)
                for is_warm in (False, True):
                    await _visit(shop, context, path, found[name, is_warm], is_whole=is_whole)
                await context.close()
    rows: list[list[Cell]] = []
    for (name, is_warm), loads in found.items():
        blank = found["blank NiceGUI page", is_warm].usable.ms(50)
        rows.append(
            [
                *(name, "second" if is_warm else "first", loads.paint.ms(50), loads.usable.ms(50)),
                *(loads.usable.ms(99), loads.usable.ms(50) / blank, loads.chart.ms(50) or None),
                *(sorted(loads.kilobytes)[visits // 2], sorted(loads.requests)[visits // 2]),
            ]
        )
    head = ("page", "visit", "paint ms", "usable p50", "p99", "of blank", "chart ms", "kB", "asked")
    print_table(f"Visits on {shop.database}, {behind}, foreign {foreign.percent} %", head, rows)


async def _visit(
    shop: Shop, context: BrowserContext, path: str, loads: Loads, *, is_whole: bool
) -> None:
    page = await context.new_page()
    holds = {"usable": _USABLE, "chart": _CHART} if is_whole else {"usable": _HANDSHAKE}
    wanted = ", ".join(f"{name}: () => {text}" for name, text in holds.items())
    await page.add_init_script(_CLOCKS.replace("@@", f"{{{wanted}}}"))
    sizes: list[int] = []
    session = await context.new_cdp_session(page)
    await session.send("Network.enable")
    session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    await page.goto(f"http://{HOST}:{shop.port}{path}", wait_until="commit")
    await page.wait_for_function(
        f"Object.keys(window.bench).length === {len(holds)}", timeout=PATIENCE_MS
    )
    bench: dict[str, float] = await page.evaluate("window.bench")
    paint = await page.evaluate("performance.getEntriesByType('paint').at(-1)?.startTime ?? 0")
    loads.usable.seconds.append(bench["usable"] / 1000)
    loads.paint.seconds.append(paint / 1000)
    if "chart" in bench:
        loads.chart.seconds.append(bench["chart"] / 1000)
    loads.kilobytes.append(sum(sizes) / 1000)
    loads.requests.append(sum(size > 0 for size in sizes))
    await page.close()


async def _updates(ground: live.Ground, browser: Browser, updates: int, behind: str) -> None:
    shop = ground.shop
    rows: list[list[Cell]] = []
    for name, path in {"bare page and socket": BARE_PAGE, "dashboard": "/"}.items():
        context = await browser.new_context(viewport=VIEW)
        page = await context.new_page()
        await page.goto(f"http://{HOST}:{shop.port}{path}")
        ready = _HANDSHAKE if path == BARE_PAGE else _USABLE
        await page.wait_for_function(ready, timeout=PATIENCE_MS)
        await asyncio.sleep(SETTLE_S)
        with Foreign() as foreign:
            shown, painted, missed = await _watched(ground, page, updates, is_bare=path != "/")
        rows.append(
            [
                *(name, len(shown.seconds), shown.ms(50), shown.ms(99)),
                *(painted.ms(50), painted.ms(99), missed, foreign.percent),
            ]
        )
        await context.close()
    head = ("page", "commits", "in DOM p50", "p99", "next frame p50", "p99", "missed", "foreign %")
    print_table(f"Commit to text in Chromium on {shop.database}, {behind}, ms", head, rows)
    live.print_noted(ground.noted)


async def _watched(
    ground: live.Ground, page: Page, updates: int, *, is_bare: bool
) -> tuple[Sample, Sample, int]:
    """Make commits one by one and return when each was in the page, and in its next frame."""
    async with lines_to(ground.shop.port, 1) as (line,):
        await ground.update(line, 0)
        await asyncio.sleep(GAP_S)
        await page.evaluate(_WATCH)
        before = await _count(page)
        await ground.marks(line)
        for number in range(updates):
            await ground.update(line, number)
            await asyncio.sleep(GAP_S)
        ground.noted = await ground.marks(line)
    seen: list[tuple[str, float, float]] = await page.evaluate("window.seen")
    commits: dict[str, int] = ground.noted["commits"]
    if is_bare:
        names: Sequence[str] = list(commits)
    else:
        names = [f"{before + number:,}" for number in range(1, updates + 1)]
    at_ms = {name: at_ns / 1e6 for name, at_ns in zip(names, commits.values(), strict=True)}
    shown, painted = Sample(), Sample()
    for text, in_page_ms, in_frame_ms in seen:
        if text in at_ms:
            shown.seconds.append((in_page_ms - at_ms[text]) / 1000)
            painted.seconds.append((in_frame_ms - at_ms[text]) / 1000)
    return shown, painted, updates - len(shown.seconds)


async def _count(page: Page) -> int:
    text: Any = await page.evaluate(
        "document.querySelector('[data-testid=stat-total] .count').textContent"
    )
    digits = "".join(letter for letter in str(text) if letter.isdigit())
    return int(digits or 0)
