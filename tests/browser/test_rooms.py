"""Record, people, settings and account in a real browser: for an owner, and for a viewer."""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from services import totp_policy
from tests.browser.chromium import new_page
from tests.support import caller
from tests.support.patience import PATIENCE_S
from tests.support.program import Program
from tests.support.sandbox import SandboxProcess

pytestmark = [pytest.mark.browser, pytest.mark.slow]

OWNER = {"email": "owner@example.com", "password": "wonderful brick 7 lamp"}
VIEWER = {"email": "viewer@example.com", "password": "another fine 9 lantern"}


@contextmanager
def serving(folder: Path, sandbox: SandboxProcess | None = None) -> Iterator[str]:
    """Serve a fresh installation whose owner came by the link on the console."""
    settings = {}
    if sandbox is not None:
        settings = {"FLASH_API_URL": sandbox.api_url, "FLASH_WS_URL": sandbox.ws_url}
    with Program(folder, settings).serving() as server:
        url = server.ready()
        link = re.search(r"http\S+/setup/\S+", server.log.read_text())
        assert link is not None
        fields = OWNER | {"store": "Corner Café", "time_zone": "Europe/Berlin", "currency": "USD"}
        assert caller.post(link.group(), data=fields).status_code == 303
        yield url


@pytest.fixture
def served(tmp_path: Path, browser: Browser) -> Iterator[str]:
    """Serve without any Flash."""
    del browser  # without one there is nothing to serve
    with serving(tmp_path) as url:
        yield url


def enter(browser: Browser, served: str, who: dict[str, str]) -> Page:
    """Sign somebody in, in a browser of their own."""
    page = new_page(browser)
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
    joined = caller.post(link, data={"password": VIEWER["password"]})
    assert joined.status_code == 303
    assert caller.get(link).status_code == 404

    page.get_by_role("button", name="New key").click()
    page.get_by_label("Name").fill("Web shop")
    page.get_by_role("button", name="Make it").click()
    key = take_secret(page)
    wallet = f"{served}/v1/wallet"
    assert caller.get(wallet, headers={"Authorization": f"Bearer {key}"}).status_code == 200
    page.get_by_role("button", name="Replace the key Web shop").click()
    page.get_by_role("button", name="Replace", exact=True).last.click()
    newer = take_secret(page)
    page.get_by_role("button", name="Revoke the key Web shop").first.click()
    page.get_by_role("button", name="Revoke", exact=True).last.click()
    expect(page.get_by_test_id("keys")).to_contain_text("Revoked")
    answers = [
        caller.get(wallet, headers={"Authorization": f"Bearer {text}"}).status_code
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


def test_an_account_has_its_password_second_factor_and_sessions(
    browser: Browser, served: str
) -> None:
    other = httpx.Client(timeout=PATIENCE_S)
    assert other.post(f"{served}/login", data=OWNER).status_code == 303
    page = enter(browser, served, OWNER)
    page.get_by_test_id("need-one_factor").click()
    expect(page.get_by_test_id("factor")).to_contain_text("You decide over money here")
    expect(page.get_by_test_id("sessions").locator("li")).to_have_count(3)
    page.get_by_role("button", name="Set it up").click()
    page.get_by_role("textbox", name="Your password").fill("not mine")
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_text("E-mail, password or code is not right.")).to_be_visible()
    page.get_by_role("textbox", name="Your password").fill(OWNER["password"])
    page.get_by_role("button", name="Go on").click()
    page.get_by_text("Type it in instead").click()
    secret = page.get_by_test_id("factor-secret").inner_text()
    page.get_by_label("The code that it shows now").fill("000000")
    page.get_by_role("button", name="Turn it on").click()
    expect(page.get_by_text("This code is not right")).to_be_visible()
    page.get_by_label("The code that it shows now").fill(code_of(secret))
    page.get_by_role("button", name="Turn it on").click()
    codes = take_secret(page).split()
    assert len(codes) == 10
    factor = page.get_by_test_id("factor")
    expect(factor).to_contain_text("● On")
    expect(factor).to_contain_text("10")
    page.get_by_role("link", name="Payouts").click()
    expect(page.get_by_text("Nothing needs you").first).to_be_visible()
    expect(page.get_by_test_id("need-one_factor")).to_be_hidden()
    page.get_by_role("link", name="Account").click()

    page.get_by_role("button", name="End all others").click()
    expect(page.get_by_test_id("sessions").locator("li")).to_have_count(1)
    assert other.get(f"{served}/").headers["location"] == "/login"
    page.get_by_role("button", name="Change the password").click()
    page.get_by_label("Password of now").fill(OWNER["password"])
    for name in ("new", "again"):
        page.locator(f"[name={name}]").fill("a bright 5 new morning")
    page.locator("[name=code]").fill(codes[0])
    page.get_by_role("button", name="Change it").click()
    expect(page.get_by_text("The password is changed")).to_be_visible()
    expect(factor).to_contain_text("9")
    fields = {"email": OWNER["email"], "password": OWNER["password"], "code": codes[1]}
    assert caller.post(f"{served}/login", data=fields).status_code == 401
    fields["password"] = "a bright 5 new morning"
    assert caller.post(f"{served}/login", data=fields).status_code == 303
    page.context.close()
    other.close()


def code_of(secret: str) -> str:
    """Return what an authenticator app shows now."""
    return totp_policy.code_at(
        base64.b32decode(secret + "=" * (-len(secret) % 8)), int(time.time()) // totp_policy.STEP_S
    )


def test_the_settings_connect_a_wallet_live_and_let_go_of_it(
    browser: Browser, tmp_path: Path
) -> None:
    token = "a-token-of-the-test"
    sandbox = SandboxProcess(tmp_path / "ledger.db", "--pace-off", "--token", token)
    with sandbox, serving(tmp_path, sandbox) as served:
        page = enter(browser, served, OWNER)
        page.get_by_test_id("first-steps").get_by_role("link", name="Settings").click()
        flash = page.get_by_test_id("flash")
        expect(flash).to_contain_text("○ Not connected")
        page.get_by_role("button", name="Enter a token or API key").click()
        for given in ("not-a-token", token):
            page.locator("[name=credential]").fill(given)
            page.get_by_role("button", name="Test and keep").click()
            if given != token:
                expect(page.locator(".fp-field-error", has_text="Flash")).to_be_visible()
        expect(flash).to_contain_text("● Connected")
        expect(flash).to_contain_text("● Live")
        expect(flash).to_contain_text("$")
        page.get_by_role("button", name="Test live").click()
        test = page.get_by_test_id("flash-test")
        expect(test).to_contain_text("A USDT wallet with $")
        expect(test).to_contain_text("The socket is live")
        assert token not in page.content()

        page.get_by_role("button", name="Change", exact=True).click()
        page.locator("[name=store]").fill("Corner Bar")
        page.locator("[name=time_zone]").fill("Mars/Olympus")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_text("Give a zone such as Europe/Berlin.")).to_be_visible()
        page.locator("[name=time_zone]").fill("Asia/Tokyo")
        page.get_by_role("button", name="Save").click()
        expect(page.locator(".fp-names")).to_contain_text("Corner Bar")
        expect(page.get_by_test_id("store")).to_contain_text("Asia/Tokyo")

        page.get_by_role("button", name="Disconnect").click()
        asked = page.get_by_role("alertdialog")
        asked.get_by_role("button", name="Disconnect").click()
        expect(flash).to_contain_text("○ Not connected")
        page.set_viewport_size({"width": 390, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        page.get_by_role("button", name="More").click()
        page.get_by_role("link", name="Account").click()
        expect(page).to_have_url(re.compile("/account$"))
        expect(page.get_by_role("link", name="Account")).to_be_hidden()
        page.context.close()


def test_two_browsers_of_two_stores_see_each_their_own(
    browser: Browser, served: str, tmp_path: Path
) -> None:
    program = Program(tmp_path, {})
    pages, keys = {}, {}
    for store, who in (("Corner Café", OWNER), ("Next door", VIEWER)):
        words = ("init", "--store", store, "--owner", who["email"], "--password-stdin")
        made = program.run(*words, stdin=f"{who['password']}\n")
        store_id = json.loads(made.out)["store_id"]
        key = ("api-key", "create", "--store", store_id, "--name", "till", "--role", "manager")
        keys[store] = program.run(*key).out.strip()
        pages[store] = enter(browser, served, who)
        go(pages[store], served, "/pull-payments")

    def post(store: str, path: str, **body: object) -> str:
        headers = {"Authorization": f"Bearer {keys[store]}"}
        answer = caller.post(f"{served}/v1/{path}", json=body, headers=headers)
        return str(answer.raise_for_status().json()["id"])

    budget = {"currency": "SATS", "amount": 1_000, "auto_approve": True}
    theirs = post("Corner Café", "pull-payments", name="For Anna", **budget)
    expect(pages["Corner Café"].get_by_text("For Anna")).to_be_visible()
    post("Next door", "pull-payments", name="For Zoe", **budget)
    expect(pages["Next door"].get_by_text("For Zoe")).to_be_visible()
    expect(pages["Next door"].get_by_text("For Anna")).to_have_count(0)
    expect(pages["Corner Café"].get_by_text("For Zoe")).to_have_count(0)

    card = post("Corner Café", "boltcards", alias="Anna", pull_payment_id=theirs)
    stranger = pages["Next door"]
    for address, then in (
        (f"/pull-payments/{theirs}", "/pull-payments"),
        (f"/boltcards/{card}", "/boltcards"),
        ("/boltcards/bc_nobody", "/boltcards"),
    ):
        go(stranger, served, address)
        expect(stranger.get_by_text("There is no such")).to_be_visible()
        expect(stranger).to_have_url(f"{served}{then}")
        expect(stranger.get_by_text("Anna")).to_have_count(0)
    for page in pages.values():
        page.context.close()


def test_people_of_several_stores_go_from_one_to_the_other(
    browser: Browser, served: str, tmp_path: Path
) -> None:
    made = Program(tmp_path, {}).run("init", "--store", "Second shop", "--owner", OWNER["email"])
    assert made.status == 0, made.err
    page = enter(browser, served, OWNER)
    go(page, served, "/record")
    expect(page.locator("summary.fp-record-row", has_text="Signed in").first).to_be_visible()
    page.get_by_label("Store").select_option(label="Second shop")
    expect(page).to_have_title(re.compile("Second shop"))
    expect(page.get_by_label("Store")).to_have_value(re.compile("st_"))
    go(page, served, "/record")
    expect(page.locator("summary.fp-record-row")).to_have_text(re.compile("Made the store"))
    go(page, served, "/account")
    page.get_by_role("button", name="Go to Corner Café").click()
    expect(page).to_have_title(re.compile("Corner Café"))
    page.context.close()
