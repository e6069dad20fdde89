"""The counter in Debian's Chromium: a new payout by hand, a decision by evidence, the wallet."""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from io import BytesIO

import pytest
import segno
from playwright.sync_api import Browser, FilePayload, Page, expect

from models.states import PayoutState
from models.store import SYSTEM
from models.wallet import Gate
from services.database import Database
from services.storage import payout as payouts
from services.storage import wallet as wallets
from services.storage.statement import Transaction
from services.verdicts import PAID_AFTER_RELEASE
from tests.browser.till import Till
from tests.support.patience import PATIENCE_S

pytestmark = [pytest.mark.browser, pytest.mark.slow]

# Chromium reads codes itself on phones and on macOS only; what it would see is said here.
DETECTOR = """
window.BarcodeDetector = class {
  static async getSupportedFormats() { return ['qr_code']; }
  async detect(source) {
    const isCamera = source instanceof HTMLVideoElement;
    if (isCamera && !source.videoWidth) return [];
    const text = isCamera ? 'lightning:lnbc1seen' : 'bitcoin:bc1?amount=1&lightning=LNBC1PICTURE';
    return [{ rawValue: text }];
  }
};
"""


class Counter(Till):
    """A service at whose counter somebody asks for payouts by hand."""

    def invoice(self, memo: str, sats: int = 0, payee: str = "alice") -> str:
        """Return an invoice of a recipient; without sats it names no amount."""
        body = {"amount_msat": sats * 1000 or None, "expiry_s": 600, "memo": memo, "payee": payee}
        made = self.http.post(f"{self.sandbox.control_url}/invoices", json=body)
        return str(made.raise_for_status().json()["pr"])

    def ask_for_review(self, memo: str) -> str:
        """Return a payout that Flash took and never finishes, old enough for a person."""
        fault = {"kind": "pending_forever", "times": 1}
        self.http.post(f"{self.sandbox.control_url}/faults", json=fault).raise_for_status()
        body = {"amount_msat": 3_000_000, "expiry_s": 600, "memo": memo}
        made = self.http.post(f"{self.sandbox.control_url}/foreign-invoices", json=body)
        made.raise_for_status()
        self.post_once("payouts", destination=made.json()["pr"], pull_payment_id=self.fund)
        deadline = time.monotonic() + PATIENCE_S
        while not (found := self.get("payouts", state="in_flight")["items"]):
            assert time.monotonic() < deadline, "the payout was not sent in time"
            time.sleep(0.1)
        self._write(_review, found[0]["store_id"], found[0]["id"])
        return str(found[0]["id"])

    def shut_gate(self) -> None:
        """Shut the gate for a reason that only a person clears."""
        self._write(_shut, self.get("wallet")["store_id"], "")

    def post_once(self, path: str, **body: object) -> None:
        """Ask for something that demands a key."""
        headers = self._headers() | {"Idempotency-Key": secrets.token_hex(8)}
        answer = self.http.post(f"{self.url}/v1/{path}", json=body, headers=headers)
        answer.raise_for_status()

    def _write(self, change: Callable[[Transaction, str, str], None], *names: str) -> None:
        """Change the service's database as its own worker would after a day of waiting."""

        async def write() -> None:
            database = Database(f"sqlite:///{self._folder}/payouts.db")
            try:
                await database.write(change, *names)
            finally:
                database.close()

        # A browser that is driven from here has a loop of its own in this thread.
        with ThreadPoolExecutor(1) as other:
            other.submit(asyncio.run, write()).result(PATIENCE_S)


def _review(tx: Transaction, store_id: str, payout_id: str) -> None:
    payout = payouts.lock_payout(tx, store_id, payout_id)
    assert payout is not None
    target, now = PayoutState.NEEDS_REVIEW, datetime.now(UTC)
    payouts.move(tx, payout, target, now=now, actor=SYSTEM, reason_code="nothing_decides")


def _shut(tx: Transaction, store_id: str, _: str) -> None:
    wallet = wallets.read_wallet(tx, store_id)
    assert wallet is not None
    wallets.set_gate(tx, wallet, Gate.SHUT, PAID_AFTER_RELEASE, datetime.now(UTC))


@pytest.fixture(scope="module")
def counter(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Counter]:
    del browser  # without one there is nothing to serve
    with Counter(tmp_path_factory.mktemp("counter")) as opened:
        yield opened


def test_an_invoice_that_is_pasted_is_reviewed_approved_and_paid_once(
    page: Page, counter: Counter
) -> None:
    page.goto(counter.url)
    page.get_by_role("button", name="New payout").click()
    page.get_by_label("Pay to").fill("lnbc1nonsense")
    page.get_by_label("Memo").fill("Window cleaner")
    page.get_by_role("button", name="Review").click()
    expect(page.locator("[name=destination][aria-invalid=true]")).to_be_visible()
    expect(page.get_by_label("Memo")).to_have_value("Window cleaner")
    page.get_by_label("Pay to").fill(counter.invoice("Clean <b>windows</b>", 2_100))
    page.get_by_role("button", name="Review").click()
    review = page.get_by_test_id("payout-review")
    expect(review).to_contain_text("2,100 sats")
    expect(review).to_contain_text("Clean <b>windows</b>")
    expect(review).to_contain_text("an estimate")
    review.get_by_role("button", name="Back").click()
    expect(page.get_by_label("Memo")).to_have_value("Window cleaner")
    page.get_by_role("button", name="Review").click()
    review.get_by_role("button", name="Ask for approval").dblclick()

    detail = page.get_by_test_id("payout-detail")
    expect(detail).to_contain_text("Somebody has to approve it")
    expect(page).to_have_url(re.compile(r"/payouts/po_"))
    detail.get_by_role("button", name="Approve").click()
    expect(detail.locator(".fp-status")).to_contain_text("Completed")
    made = [each for each in counter.get("payouts")["items"] if each["memo"] == "Window cleaner"]
    assert [each["status"] for each in made] == ["completed"]


def choose(page: Page, data: bytes) -> None:
    """Choose a picture to read a code from."""
    file = FilePayload(name="code.png", mimeType="image/png", buffer=data)
    page.get_by_label("From a picture").set_input_files(file)


def test_a_code_is_scanned_from_the_camera_or_from_a_picture(page: Page, counter: Counter) -> None:
    page.goto(counter.url)
    page.get_by_role("button", name="New payout").click()
    expect(page.get_by_label("Pay to")).to_be_visible()
    expect(page.get_by_role("button", name="Scan a code")).to_have_count(0)
    page.add_init_script(DETECTOR)
    page.reload()
    page.get_by_role("button", name="New payout").click()

    page.get_by_role("button", name="Scan a code").click()
    expect(page.get_by_label("Pay to")).to_have_value("lightning:lnbc1seen")
    expect(page.get_by_role("button", name="Scan a code")).to_be_visible()
    expect(page.locator("video")).to_be_hidden()
    picture = BytesIO()
    segno.make("any").save(picture, kind="png")
    choose(page, picture.getvalue())
    expect(page.get_by_label("Pay to")).to_have_value("LNBC1PICTURE")
    choose(page, b"no picture")
    expect(page.get_by_text("This picture cannot be read.")).to_be_visible()


def test_the_owner_resolves_what_nothing_else_decides(page: Page, counter: Counter) -> None:
    payout_id = counter.ask_for_review("Unclear")
    page.goto(f"{counter.url}/payouts/{payout_id}")
    detail = page.get_by_test_id("payout-detail")
    expect(detail).to_contain_text("needs review")

    page.get_by_test_id("act-resolve").click()
    page.get_by_role("button", name="Decide").click()
    expect(page.get_by_text("Choose what you found.")).to_be_visible()
    page.get_by_label("It was not paid").check()
    page.get_by_label("Evidence").fill("Her wallet shows the invoice as unpaid.")
    page.get_by_role("button", name="Decide").click()

    expect(detail.locator(".fp-status")).to_contain_text("Failed")
    expect(detail).to_contain_text("A person: not paid")
    expect(page.get_by_test_id("act-resolve")).to_be_hidden()


def test_the_owner_opens_a_gate_and_sees_how_the_wallet_stands(
    page: Page, counter: Counter
) -> None:
    counter.shut_gate()
    page.goto(counter.url)
    page.get_by_role("link", name="Wallet", exact=True).click()
    gate = page.get_by_test_id("gate")
    expect(gate).to_contain_text("Gate shut since")
    expect(gate).to_contain_text("paid after its money had been given free")
    expect(page.get_by_test_id("wallet-panel")).to_contain_text("$")
    expect(page.get_by_test_id("rates")).to_contain_text("in use")

    gate.get_by_role("button", name="Open the gate").click()
    page.get_by_role("button", name="Leave it").click()
    expect(gate).to_contain_text("Gate shut")
    gate.get_by_role("button", name="Open the gate").click()
    page.get_by_role("button", name="Open it").click()
    expect(gate).to_contain_text("● Open")
    expect(gate.get_by_role("button", name="Open the gate")).to_be_hidden()

    checks = page.get_by_test_id("checks")
    checks.get_by_role("button", name="Check now").click()
    expect(checks).to_contain_text("Open items against Flash's list")
    expect(checks.get_by_role("button", name="Check now")).to_be_enabled()
    page.get_by_role("button", name="30 days").click()
    expect(page.get_by_test_id("balance")).to_contain_text("in 30 days")
    gate.get_by_role("button", name="Stop payouts").click()
    expect(gate).to_contain_text("Stopped since")
    gate.get_by_role("button", name="Resume payouts").click()
    expect(gate).to_contain_text("● Open")
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
