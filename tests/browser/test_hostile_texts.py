"""Texts of strangers stay texts: on every page, in every file, on the claim page, in the log."""

from __future__ import annotations

import csv
import io
import re
import sqlite3
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.chromium import new_page
from tests.browser.test_dashboard import LIVE
from tests.support.clock import HandClock
from tests.support.invoices import invoice
from tests.support.patience import PATIENCE_S
from tests.support.program import Program, Server

pytestmark = [pytest.mark.browser, pytest.mark.slow]

MARK = "=1+1|\"'><b data-in>{{hacked=1}}${hacked=2}"
LONG = MARK + (
    '<img src=x data-in onerror="hacked=3"><script data-in>hacked=4</script>'
    "<svg data-in onload=hacked=5></svg>[x](javascript:hacked=6)\u202e\u2028"
)
OWNER = {"email": "o+\"<b/data-in>'{{hacked=7}}@example.com", "password": "wonderful brick 7 lamp"}
PLACES = (
    *("/", "/pull-payments", "/boltcards", "/wallet", "/people", "/record"),
    *("/settings", "/account", "/payouts/{payout}", "/pull-payments/{pull}", "/boltcards/{card}"),
    *("/?q={mark}", "/record?q={mark}", "/?card={mark}"),
)


@dataclass
class Planted:
    """A served installation with hostile words in every field that somebody else fills."""

    url: str
    server: Server
    http: httpx.Client
    things: dict[str, str]
    claim_url: str


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Planted]:
    del browser  # without one there is nothing to look at
    folder = tmp_path_factory.mktemp("hostile")
    with Program(folder, {}).serving() as server, httpx.Client(timeout=PATIENCE_S) as http:
        url = server.ready()
        link = re.search(r"http\S+/setup/\S+", server.log.read_text())
        assert link is not None
        fields = OWNER | {"store": MARK, "time_zone": "UTC", "currency": "USD"}
        headers = {"User-Agent": LONG.encode("ascii", "ignore").decode(), "X-Request-ID": MARK}
        made = http.post(link.group(), data=fields, headers=headers)
        assert made.status_code == 303, made.text
        yield plant(url, server, http, folder / "data" / "payouts.db")


def plant(url: str, server: Server, http: httpx.Client, file: Path) -> Planted:
    """Fill every field that takes words, by the API and beneath it."""
    pair = http.post(f"{url}/v1/auth/token", json=OWNER).json()
    http.headers["Authorization"] = f"Bearer {pair['access_token']}"

    def post(path: str, **body: Any) -> Any:
        answer = http.post(f"{url}/v1/{path}", json=body, headers={"Idempotency-Key": MARK[:20]})
        assert answer.is_success, answer.text
        return answer.json()

    pull = post("pull-payments", name=LONG[:100], currency="SATS", amount=10**6, auto_approve=False)
    card = post("boltcards", alias=MARK, pull_payment_id=pull["id"])
    pr = invoice(HandClock(datetime.now(UTC)), sats=10, description=LONG)
    payout = post("payouts", destination=pr, pull_payment_id=pull["id"], memo=LONG[:300])
    post(f"payouts/{payout['id']}/hold", reason=LONG)
    http.post(f"{url}/login", data={"email": LONG, "password": MARK})
    with sqlite3.connect(file) as beneath:
        beneath.execute(
            "UPDATE payouts SET error_message = ?, error_code = ?, card_hint = ?, metadata_json ="
            " json_object(?, ?)",
            (LONG, MARK, MARK, LONG, LONG),
        )
    beneath.close()
    things = {"payout": payout["id"], "pull": pull["id"], "card": card["id"], "mark": MARK}
    return Planted(url, server, http, things, pull["claim_url"])


@pytest.fixture
def page(browser: Browser, planted: Planted) -> Iterator[Page]:
    opened = new_page(browser)
    # The form takes no such address; whoever made the account did not use the form.
    token = planted.http.cookies["fp_session"]
    opened.context.add_cookies([{"name": "fp_session", "value": token, "url": planted.url}])
    opened.goto(planted.url)
    expect(opened.locator(LIVE)).to_have_attribute("data-state", re.compile("."))
    yield opened
    opened.context.close()


def is_only_text(page: Page) -> bool:
    """Tell whether no words became an element, an attribute, or ran."""
    return bool(
        page.evaluate("""() => typeof window.hacked === 'undefined'
          && document.querySelectorAll('[data-in]').length === 0
          && ![...document.querySelectorAll('*')].some((element) => [...element.attributes]
            .some(({name, value}) => name.startsWith('on')
              || (/href|src|action/.test(name) && /^\\s*javascript:/i.test(value))))""")
    )


def test_no_page_makes_anything_of_a_strangers_words(page: Page, planted: Planted) -> None:
    said: list[str] = []
    page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    for place in PLACES:
        page.goto(planted.url + place.format(**planted.things))
        page.wait_for_function("window.did_handshake === true")
        page.wait_for_function("document.body.innerText.includes('{{hacked=1}}')")
        page.wait_for_timeout(250)  # what comes after the frame

        assert is_only_text(page), place
    for address in (planted.claim_url, f"{planted.url}/setup/{MARK}", f"{planted.url}/join/{MARK}"):
        page.goto(address)
        assert is_only_text(page), address

    assert [text for text in said if "hacked" in text or "Security Policy" in text] == []


def test_no_file_has_a_formula_or_markup_of_a_strangers_words(planted: Planted) -> None:
    http, url = planted.http, planted.url
    formula = re.compile(r"[\s\ufeff]*[=+\-@]|[\t\r\n]")
    for path in ("/v1/payouts/export?format=csv", "/record.csv"):
        rows = list(csv.reader(io.StringIO(http.get(url + path).text)))
        cells = [cell for row in rows for cell in row]
        assert any("hacked" in cell for cell in cells), path
        assert not [cell for cell in cells if formula.match(cell) and not cell.isdigit()], path
    book = http.get(f"{url}/v1/payouts/export?format=xlsx").content
    with zipfile.ZipFile(io.BytesIO(book)) as packed:
        sheet = "".join(packed.read(name).decode() for name in packed.namelist() if "sheet" in name)
    assert "hacked" in sheet
    assert not re.search(r"<f[ >]|<b data-in|<script", sheet)


def test_no_line_of_the_log_is_a_strangers(planted: Planted) -> None:
    said = planted.server.log.read_text()
    assert "payout.requested" in said
    assert "data-in" not in said
    assert all(line.isprintable() for line in said.splitlines())
