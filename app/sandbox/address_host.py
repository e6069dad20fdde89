"""A Lightning Address host for home payees: pay requests, invoices, and proof of payment.

The LNURL specifications followed are LUD-06, LUD-16 and LUD-21; errors are HTTP 200 with
`{"status": "ERROR"}`, as wallets expect.
"""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any, Final

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.sandbox.world import World
from app.sandbox.writer import LedgerBusy

MIN_MSAT: Final = 1_000
MAX_MSAT: Final = 10_000_000_000
_EXPIRY_S: Final = 60
_MAX_COMMENT: Final = 255
_HEADERS: Final = {"Access-Control-Allow-Origin": "*", "Cache-Control": "no-store"}


class AddressHost:
    """Answers for the user names of the sandbox's accounts."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[Route]:
        """Return the three routes of the host."""
        return [
            Route("/.well-known/lnurlp/{name}", self.offer),
            Route("/pay/lnurl/{name}", self.invoice),
            Route("/pay/lnurl/verify/{payment_hash}", self.verify),
        ]

    async def offer(self, request: Request) -> Response:
        """Answer LUD-06 step 3: how much a payee takes."""
        name = request.path_params["name"].lower()
        if self._world.accounts.named(name) is None:
            return _error("User not found")
        return _json(
            {
                "tag": "payRequest",
                "callback": f"{self._world.origin}/pay/lnurl/{name}",
                "minSendable": MIN_MSAT,
                "maxSendable": MAX_MSAT,
                "metadata": self._metadata(name),
                "commentAllowed": _MAX_COMMENT,
            }
        )

    async def invoice(self, request: Request) -> Response:
        """Answer LUD-06 step 6: an invoice, and where its payment can be verified."""
        name = request.path_params["name"].lower()
        account = self._world.accounts.named(name)
        amount = request.query_params.get("amount", "")
        if account is None:
            return _error("User not found")
        if not amount.isdecimal() or not MIN_MSAT <= int(amount) <= MAX_MSAT:
            return _error("The amount is not between minSendable and maxSendable")
        comment = request.query_params.get("comment", "")
        if len(comment) > _MAX_COMMENT:
            return _error("The comment is too long")
        world = self._world
        try:
            invoice = world.invoices.mint(
                world.cash_wallet(account),
                int(amount),
                comment or f"Payment to {name}",
                _EXPIRY_S,
                via_address=True,
                description_hash=sha256(self._metadata(name).encode()).digest(),
            )
        except LedgerBusy:
            return _error("Too busy; try again")
        await world.ledger.writer.flush()
        verify = f"{world.origin}/pay/lnurl/verify/{invoice.payment_hash}"
        return _json({"pr": invoice.request, "routes": [], "successAction": None, "verify": verify})

    async def verify(self, request: Request) -> Response:
        """Answer LUD-21 for invoices that this host gave out, and for no others."""
        invoice = self._world.invoices.find(request.path_params["payment_hash"].lower())
        if invoice is None or not invoice.via_address:
            return _error("Not found")
        preimage = invoice.preimage if invoice.is_paid else None
        return _json(
            {
                "status": "OK",
                "settled": invoice.is_paid,
                "preimage": preimage,
                "pr": invoice.request,
            }
        )

    def _metadata(self, name: str) -> str:
        domain = self._world.origin.partition("://")[2]
        entries = [["text/plain", f"Payment to {name}"], ["text/identifier", f"{name}@{domain}"]]
        return json.dumps(entries)


def _json(value: dict[str, Any]) -> Response:
    return Response(orjson.dumps(value), media_type="application/json", headers=_HEADERS)


def _error(reason: str) -> Response:
    return _json({"status": "ERROR", "reason": reason})
