"""The strings behind the sandbox, as the drill pulls them."""

from __future__ import annotations

from typing import Any, Self

import httpx

from tests.support.patience import PATIENCE_S

_PAGE = 5_000


class Control:
    """A caller of the sandbox's `/_control`."""

    def __init__(self, port: int) -> None:
        # Nothing here speaks TLS; without `verify` each client would load all certificates.
        self._http = httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}/_control", timeout=PATIENCE_S, verify=False
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def get(self, path: str) -> Any:
        return (await self._http.get(path)).raise_for_status().json()

    async def post(self, path: str, **body: Any) -> Any:
        return (await self._http.post(path, json=body)).raise_for_status().json()

    async def clear_faults(self) -> None:
        (await self._http.delete("faults")).raise_for_status()

    async def unmet(self) -> set[int]:
        """Return the faults that are armed and have never met what they are for."""
        armed = (await self.get("faults"))["items"]
        return {fault["id"] for fault in armed if not fault["seen"]}

    async def rows_of(self, payment_hash: str) -> list[dict[str, Any]]:
        """Return what the ledger has on one payment hash."""
        return list((await self.get(f"payments/{payment_hash}"))["items"])

    async def ledger(self) -> list[dict[str, Any]]:
        """Return the whole ledger of what left."""
        rows: list[dict[str, Any]] = []
        since = 0
        while page := await self.get(f"payments?since={since}&limit={_PAGE}"):
            if not page["items"]:
                break
            rows += page["items"]
            since = page["next"]
        return rows

    async def wallet(self) -> dict[str, Any]:
        """Return the merchant's wallet that pays."""
        account = (await self.get("state"))["default_account"]
        return next(found for found in account["wallets"] if found["id"] == account["wallet"])
