"""Record, people, settings and account in a real browser: for an owner, and for a viewer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.test_dashboard import CHROMIUM, FLAGS
from tests.support.postgres import require_or_skip
from tests.support.program import Program

pytestmark = [pytest.mark.browser, pytest.mark.slow]

OWNER = {"email": "owner@example.com", "password": "wonderful brick 7 lamp"}
VIEWER = {"email": "viewer@example.com", "password": "another fine 9 lantern"}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    require_or_skip("Chromium", available=Path(CHROMIUM).exists())
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture
def served(tmp_path: Path, browser: Browser) -> Iterator[str]:
    """Serve a fresh installation whose owner came by the link on the console."""
    del browser  # without one there is nothing to serve
    with Program(tmp_path, {}).serving() as server:
        url = server.ready()
        link = re.search(r"http\S+/setup/\S+", server.log.read_text())
        assert link is not None
        fields = OWNER | {"store": "Corner Café", "time_zone": "Europe/Berlin", "currency": "USD"}
        assert httpx.post(link.group(), data=fields).status_code == 303
        yield url


def enter(browser: Browser, served: str, who: dict[str, str]) -> Page:
    """Sign somebody in, in a browser of their own."""
    page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    page.goto(f"{served}/login")
    for name, value in who.items():
        page.fill(f"[name={name}]", value)
    page.click("button")
    page.wait_for_function("window.did_handshake === true")
    return page


def go(page: Page, served: str, path: str) -> None:
    page.goto(f"{served}{path}")
    page.wait_for_function("window.did_handshake === true")


def take_secret(page: Page) -> str:
    """Read what is shown once, and close its dialog."""
    shown = page.get_by_test_id("secret")
    expect(shown).to_be_visible()
    text = shown.inner_text()
    page.get_by_role("button", name="Done").click()
    expect(shown).to_have_count(0)
    return text


def test_people_keys_and_the_record_of_both(browser: Browser, served: str) -> None:
    page = enter(browser, served, OWNER)
    page.get_by_role("link", name="People").click()
    expect(page.get_by_text("No API key yet")).to_be_visible()
    expect(page.get_by_role("button", name="Remove owner@example.com")).to_be_disabled()
    page.get_by_role("button", name="Invite").click()
    page.get_by_label("E-mail").fill("viewer")
    page.get_by_role("button", name="Make the link").click()
    expect(page.get_by_text("Give an e-mail address")).to_be_visible()
    page.get_by_label("E-mail").fill(VIEWER["email"])
    page.get_by_role("button", name="Make the link").click()
    link = take_secret(page)
    expect(page.get_by_test_id("invitations")).to_contain_text(VIEWER["email"])
    joined = httpx.post(link, data={"password": VIEWER["password"]})
    assert joined.status_code == 303
    assert httpx.get(link).status_code == 404

    page.get_by_role("button", name="New key").click()
    page.get_by_label("Name").fill("Web shop")
    page.get_by_role("button", name="Make it").click()
    key = take_secret(page)
    wallet = f"{served}/v1/wallet"
    assert httpx.get(wallet, headers={"Authorization": f"Bearer {key}"}).status_code == 200
    page.get_by_role("button", name="Replace the key Web shop").click()
    page.get_by_role("button", name="Replace", exact=True).last.click()
    newer = take_secret(page)
    page.get_by_role("button", name="Revoke the key Web shop").first.click()
    page.get_by_role("button", name="Revoke", exact=True).last.click()
    expect(page.get_by_test_id("keys")).to_contain_text("Revoked")
    answers = [
        httpx.get(wallet, headers={"Authorization": f"Bearer {text}"}).status_code
        for text in (key, newer)
    ]
    assert sorted(answers) == [200, 401]

    viewer = enter(browser, served, VIEWER)
    expect(viewer.get_by_role("link", name="Payouts", exact=True)).to_be_visible()
    for name in ("People", "Record"):
        expect(viewer.get_by_role("link", name=name)).to_have_count(0)
    for path in ("people", "record"):
        answer = viewer.goto(f"{served}/{path}")
        assert answer is not None
        assert answer.status == 403
    go(viewer, served, "/")
    go(page, served, "/people")
    page.get_by_role("button", name="Remove viewer@example.com").click()
    page.get_by_role("button", name="Remove", exact=True).last.click()
    expect(viewer).to_have_url(re.compile("/login$"))

    page.get_by_role("link", name="Record").click()
    rows = page.locator("summary.fp-record-row")
    expect(rows.first).to_contain_text("Removed a person")
    expect(rows.first).to_contain_text("owner@example.com")
    rows.first.press("Enter")
    expect(page.locator(".fp-record[open]")).to_contain_text("viewer@example.com")
    expect(page.locator(".fp-record[open] tbody tr")).to_have_text("Roleviewer–")
    page.get_by_label("What", exact=True).select_option(label="Made an API key")
    expect(rows).to_have_count(1)
    expect(page).to_have_url(re.compile(r"what=api_key.created"))
    page.reload()
    expect(rows).to_have_count(1)
    page.get_by_label("Text, id or address").fill("no such thing")
    page.get_by_label("Text, id or address").press("Enter")
    expect(page.get_by_text("Nothing fits this filter")).to_be_visible()
    page.set_viewport_size({"width": 390, "height": 844})
    for path in ("/people", "/record"):
        go(page, served, path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.context.close()
    viewer.context.close()
