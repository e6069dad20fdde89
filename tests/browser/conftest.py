"""What every page of a browser needs: the browser, a service to look at, and patience."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.chromium import PATIENCE_MS, launched, new_page
from tests.browser.till import Till

# A busy machine draws late; what never comes still fails.
expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched() as opened:
        yield opened


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    opened = new_page(browser)
    yield opened
    opened.context.close()


@pytest.fixture(scope="module")
def till(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Till]:
    del browser  # without one there is nothing to serve
    with Till(tmp_path_factory.mktemp("till")) as opened:
        yield opened
