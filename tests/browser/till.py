"""A service in a process of its own, with one card, and a till that taps it."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import httpx

from tests.support.cards import VirtualCard
from tests.support.patience import PATIENCE_S
from tests.support.ports import free_port
from tests.support.sandbox import SandboxProcess
from tests.support.warm import Forked

TOKEN = "a-token-of-the-test"


class Till:
    """Starts a sandbox and a service, and taps one card."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.card = VirtualCard()
        self.http = httpx.Client(timeout=PATIENCE_S)
        self.sandbox = SandboxProcess(folder / "ledger.db", "--pace-off", "--token", TOKEN)
        self._folder = folder
        self._service: Forked | None = None
        self._key = ""

    def __enter__(self) -> Self:
        try:
            self.open()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def open(self) -> None:
        self.sandbox.start()
        made = json.loads(self._cli("init", "--store", "Corner Café", "--owner", "o@example.com"))
        key = ("api-key", "create", "--store", made["store_id"], "--name", "t", "--role", "owner")
        self._key = self._cli(*key).strip()
        self.start()
        self.stock()
        self.wait_until_connected()

    def stock(self) -> None:
        """Put into the store what taps and claims draw on."""
        self.fund = self.post(
            "pull-payments", name="Tips", currency="SATS", amount=10_000_000, auto_approve=True
        )["id"]
        self.asking = self.post(
            "pull-payments", name="By hand", currency="SATS", amount=1_000_000, auto_approve=False
        )
        keys = {name: getattr(self.card, name).hex() for name in ("uid", "k1", "k2")}
        self.post("boltcards", alias="Anna", pull_payment_id=self.fund, **keys)

    def close(self) -> None:
        self.stop()
        self.sandbox.stop()
        self.http.close()

    def start(self) -> None:
        """Start the service and wait until it says that it is ready."""
        self._service = Forked("app", "serve", env=self._env())
        assert self._service.line().startswith("ready ")

    def stop(self) -> None:
        """End the service as a power cut would."""
        if self._service is not None:
            self._service.kill()
            self._service.wait(PATIENCE_S)
            self._service = None

    def wait_until_connected(self) -> None:
        self._until(lambda: self.get("wallet")["connected"])

    def get(self, path: str, **query: Any) -> Any:
        answer = self.http.get(f"{self.url}/v1/{path}", params=query, headers=self._headers())
        return answer.raise_for_status().json()

    def post(self, path: str, **body: Any) -> Any:
        answer = self.http.post(f"{self.url}/v1/{path}", json=body, headers=self._headers())
        return answer.raise_for_status().json()

    def tap(self, memo: str, sats: int = 5_000) -> dict[str, Any]:
        """Tap the card, claim an invoice with a memo, and wait until it is paid."""
        p, c = self.card.read()
        offer = self.http.get(f"{self.url}/boltcard", params={"p": p, "c": c}).json()
        answer = self._claim(offer, memo, sats)
        # The till is answered after three seconds, whether it is paid by then or not.
        if answer == {"status": "OK"}:
            self._until(lambda: self.get("payouts", limit=1)["items"][0]["state"] == "completed")
        return answer

    def claim(self, memo: str, sats: int = 5_000) -> dict[str, Any]:
        """Claim by the link of the pull payment that needs approval."""
        return self._claim(self.http.get(self.asking["claim_url"]).json(), memo, sats)

    def _claim(self, offer: dict[str, Any], memo: str, sats: int) -> dict[str, Any]:
        body = {"amount_msat": sats * 1000, "expiry_s": 600, "memo": memo, "payee": "alice"}
        minted = self.http.post(f"{self.sandbox.control_url}/invoices", json=body).json()
        wanted = {"k1": offer["k1"], "pr": minted["pr"]}
        answer: dict[str, Any] = self.http.get(offer["callback"], params=wanted).json()
        return answer

    def _until(self, is_so: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not is_so():
            assert time.monotonic() < deadline, "not in time"
            time.sleep(0.05)

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._key}"}

    def _env(self) -> dict[str, str]:
        # A page's own test mode would be taken from pytest's environment.
        kept = {name: value for name, value in os.environ.items() if "PYTEST" not in name}
        return kept | {
            "FLASH_PAYOUTS_DATA_DIR": str(self._folder),
            "FLASH_PAYOUTS_PORT": str(self.port),
            "FLASH_PAYOUTS_FLASH_API_URL": self.sandbox.api_url,
            "FLASH_PAYOUTS_FLASH_WS_URL": self.sandbox.ws_url,
            "FLASH_PAYOUTS_FLASH_TOKEN": TOKEN,
            "FLASH_PAYOUTS_FLASH_REQUESTS_PER_MINUTE": "100000",
        }

    def _cli(self, *words: str) -> str:
        command = Forked("app", *words, env=self._env())
        said = command.rest()
        assert command.wait(PATIENCE_S) == 0, said
        return said
