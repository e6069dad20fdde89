"""A till as shops have them: taps and scans over HTTP, and reads the answers (LUD-03, LUD-17)."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any, Final, Self

import httpx

from app.sandbox.town_roster import TownCard
from models.money import MSAT_PER_SAT
from services.card_crypto import tap_query

TIMEOUT_S: Final = 15.0
QUEUE_SHOWN: Final = 50
_PADDING_BYTES: Final = 5
_CONNECTIONS: Final = 32


class Silent(Exception):
    """The service does not answer, or not as a withdraw service does."""


class Refused(Exception):
    """The service says no; the reason is what a cashier reads."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class Offered:
    """What a tap or link may draw."""

    callback: str
    k1: str
    min_msat: int
    max_msat: int

    def takes(self, sats: int) -> bool:
        """Tell whether an amount is within the bounds."""
        return self.min_msat <= sats * MSAT_PER_SAT <= self.max_msat


class Till:
    """Speaks to one service; nothing is repeated by itself."""

    def __init__(self, http: httpx.AsyncClient, base_url: str) -> None:
        self._http = http
        self._base_url = base_url

    @classmethod
    def at(cls, base_url: str) -> Self:
        """Set a till up; it has to be closed."""
        limits = httpx.Limits(max_connections=_CONNECTIONS, max_keepalive_connections=4)
        client = httpx.AsyncClient(timeout=TIMEOUT_S, limits=limits, trust_env=False)
        return cls(client, base_url)

    async def close(self) -> None:
        """Let go of all connections."""
        await self._http.aclose()

    async def tap(self, card: TownCard, counter: int) -> Offered:
        """Hold a card to the till.

        Raises:
            Silent: No usable answer.
            Refused: The service does not accept the card.
        """
        keys = bytes.fromhex(card.k1), bytes.fromhex(card.k2), bytes.fromhex(card.uid)
        p, c = tap_query(*keys, counter, secrets.token_bytes(_PADDING_BYTES))
        return _offered(await self._ask(f"{self._base_url}/boltcard", {"p": p, "c": c}))

    async def scan(self, claim_token: str) -> Offered:
        """Scan a link with a wallet.

        Raises:
            Silent: No usable answer.
            Refused: The service does not know the link.
        """
        return _offered(await self._ask(f"{self._base_url}/lnurlw/{claim_token}", {}))

    async def draw(self, offered: Offered, pr: str) -> None:
        """Ask for an invoice to be paid; OK means paid, running or waiting.

        Raises:
            Silent: No usable answer.
            Refused: It is certainly not paid.
        """
        await self._ask(offered.callback, {"k1": offered.k1, "pr": pr})

    async def queue_length(self, api_key: str) -> int:
        """Look how many claims wait for approval, as far as can be seen at a glance.

        Raises:
            Silent: No usable answer.
        """
        params = {"state": "awaiting_approval", "limit": str(QUEUE_SHOWN)}
        headers = {"Authorization": f"Bearer {api_key}"}
        answer = await self._get(f"{self._base_url}/v1/payouts", params, headers)
        items = answer.get("items")
        if not isinstance(items, list):
            raise Silent("no list of payouts")
        return len(items)

    async def is_open(self) -> bool:
        """Tell whether the service says that it is ready."""
        try:
            answer = await self._http.get(f"{self._base_url}/readyz")
        except httpx.HTTPError:
            return False
        return answer.status_code == httpx.codes.OK

    async def _ask(self, url: str, params: dict[str, str]) -> dict[str, Any]:
        answer = await self._get(url, params, {})
        if answer.get("status") == "ERROR":
            raise Refused(str(answer.get("reason", ""))[:90])
        return answer

    async def _get(
        self, url: str, params: dict[str, str], headers: dict[str, str]
    ) -> dict[str, Any]:
        try:
            # The callback may bring parameters of its own; these join them.
            whole = httpx.URL(url).copy_merge_params(params)
            answer = await self._http.get(whole, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Silent(type(error).__name__) from error
        if answer.status_code != httpx.codes.OK:
            raise Silent(f"HTTP {answer.status_code}")
        try:
            body = answer.json()
        except ValueError:
            raise Silent("no JSON") from None
        if not isinstance(body, dict):
            raise Silent("no JSON object")
        return body


def _offered(answer: dict[str, Any]) -> Offered:
    try:
        offered = Offered(
            callback=answer["callback"],
            k1=answer["k1"],
            min_msat=answer["minWithdrawable"],
            max_msat=answer["maxWithdrawable"],
        )
    except KeyError:
        raise Silent("no withdraw request") from None
    if not isinstance(offered.callback, str) or not isinstance(offered.k1, str):
        raise Silent("no withdraw request")
    return offered
