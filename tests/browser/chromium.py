"""Debian's Chromium, as tests drive it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from tests.support.patience import PATIENCE_S
from tests.support.postgres import require_or_skip

PATIENCE_MS = 1000 * PATIENCE_S
CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"),
]


@contextmanager
def launched() -> Iterator[Browser]:
    """Open a browser for a while; without one the test is skipped or, in CI, fails."""
    require_or_skip("Chromium", available=Path(CHROMIUM).exists())
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=FLAGS, timeout=PATIENCE_MS
        )
        yield browser
        browser.close()


def new_page(browser: Browser, width: int = 1440, **more: Any) -> Page:
    """Open a page of somebody who has been nowhere before."""
    settings = {"viewport": {"width": width, "height": 900}} | more
    page = browser.new_context(**settings).new_page()
    page.set_default_timeout(PATIENCE_MS)
    return page
