"""A real browser at a real door: the screens' policy, stolen pages, and a tab that is cut."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.chromium import new_page
from tests.browser.test_dashboard import LIVE
from tests.support import caller
from tests.support.patience import PATIENCE_S
from tests.support.program import Program

pytestmark = [pytest.mark.browser, pytest.mark.slow]

OWNER = {"email": "owner@example.com", "password": "wonderful brick 7 lamp"}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[str]:
    """Serve a fresh installation whose owner came by the link on the console."""
    del browser  # without one there is nothing to serve
    with Program(tmp_path_factory.mktemp("doors"), {}).serving() as server:
        url = server.ready()
        link = re.search(r"http\S+/setup/\S+", server.log.read_text())
        assert link is not None
        fields = OWNER | {"store": "Corner Café", "time_zone": "UTC", "currency": "USD"}
        assert caller.post(link.group(), data=fields).status_code == 303
        yield url


@pytest.fixture
def page(browser: Browser, served: str) -> Iterator[Page]:
    """A dashboard that somebody signed in to, by the form."""
    opened = new_page(browser)
    opened.goto(f"{served}/login")
    for name, value in OWNER.items():
        opened.fill(f"[name={name}]", value)
    opened.click("button")
    expect(opened.locator(LIVE)).to_have_attribute("data-state", re.compile("."))
    opened.wait_for_function("window.did_handshake === true")
    yield opened
    opened.context.close()


def socket_of(page: Page, served: str) -> str:
    query = f"EIO=4&transport=polling&client_id={page.evaluate('window.clientId')}"
    return f"{served}/_nicegui_ws/socket.io/?{query}"


@pytest.fixture
def other(served: str) -> Iterator[httpx.Client]:
    """Lend another session of the same person."""
    with httpx.Client(timeout=PATIENCE_S) as client:
        assert client.post(f"{served}/login", data=OWNER).status_code == 303
        yield client


def test_a_page_runs_no_script_that_is_not_ours(page: Page) -> None:
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))

    page.reload()
    expect(page.locator(LIVE)).to_be_visible()
    page.evaluate("""() => {
      window.hacked = 0;
      window.refused = [];
      document.addEventListener('securitypolicyviolation', (violation) => {
        window.refused.push(violation.effectiveDirective);
      });
      const script = document.createElement('script');
      script.textContent = 'window.hacked = 1';
      document.body.append(script);
      const markup = document.createElement('div');
      markup.innerHTML = '<img src=x onerror="window.hacked = 2">';
      document.body.append(markup);
    }""")
    page.wait_for_function("window.refused.length === 2")

    assert page.evaluate("window.hacked") == 0
    assert page.evaluate("window.refused.toSorted()") == ["script-src-attr", "script-src-elem"]
    # On a busy machine a browser takes its own network for a slow one, and says so.
    expected = ("Security", "404", "Slow network is detected")
    assert not [text for text in said if not any(words in text for words in expected)]


def test_a_page_is_no_use_to_whoever_has_another_session_or_none(
    page: Page, served: str, other: httpx.Client
) -> None:
    url, own = socket_of(page, served), {}
    for cookie in page.context.cookies():
        own[str(cookie.get("name"))] = str(cookie.get("value"))
    evil: dict[str, Any] = {"Origin": "https://evil.example"}

    assert caller.get(url).status_code == 403
    assert caller.get(url, cookies={"fp_session": "x" * 43}).status_code == 403
    assert other.get(url).status_code == 403
    assert caller.get(url, cookies=own, headers=evil).status_code == 403
    assert caller.get(url, cookies=own).status_code == 200


def test_a_tab_is_left_when_its_session_ends_elsewhere(page: Page, served: str) -> None:
    elsewhere = page.context.new_page()
    elsewhere.goto(f"{served}/logout")
    elsewhere.click("button")

    expect(page).to_have_url(re.compile("/login$"))


def test_an_unknown_path_builds_no_page(served: str, other: httpx.Client) -> None:
    answer = other.get(f"{served}/wp-admin/setup.php")

    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/plain")
    assert len(answer.content) < 100


def test_a_stranger_is_sent_away_before_a_page_is_built(served: str) -> None:
    for path in ("/", "/plugins/flash/payouts", "/pull-payments/pp_1", "/boltcards"):
        answer = caller.get(served + path)

        assert (answer.status_code, answer.headers["location"]) == (303, "/login")
        # NiceGUI builds first and answers then, without this.
        assert answer.headers["cache-control"] == "no-store"
