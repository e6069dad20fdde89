"""`/_control/*`: the strings behind the sandbox, for tests, demos and whoever judges a run.

| call | body or query | answer |
|---|---|---|
| `GET state` | | accounts with tokens, wallets and balances; price, clock, cutover, faults |
| `GET accounts` | limit? | more accounts, home payees included, the oldest first |
| `GET totals` | | counts and sums of the ledger by state and kind of payee |
| `GET audit` | | what does not add up in the ledger |
| `POST accounts` | username, display_currency? | the account with a token |
| `POST keys` | username?, scopes?, per_minute?, expires_s? | an API key's text |
| `POST tokens` | username? | a further session token |
| `POST tokens/revoke` | token | whether it was alive |
| `POST fund` | wallet?, cents | the wallet after the deposit |
| `POST invoices` | payee, amount_msat?, memo?, expiry_s? | pr, hash and preimage |
| `POST foreign-invoices` | amount_msat?, memo?, expiry_s?, payee_key? | pr, hash, preimage |
| `GET payments` | since?, limit? | ledger rows, and where to go on |
| `GET payments/{hash}` | | the rows of one hash |
| `POST pay` | pr, amount_msat? | a stranger pays a home invoice |
| `POST settle` | hash, outcome=settled or failed | ends a payment under way |
| `POST history` | wallet?, items | payments of the past, booked in bulk |
| `GET faults` | | what is armed |
| `POST faults` | a fault, see `app/sandbox/faults.py` | the fault with its id |
| `DELETE faults`, `DELETE faults/{id}` | | how many were cleared |
| `POST clock` | advance_s?, advance_ms? | the sandbox's time |
| `POST price` | usd_per_btc?, nanousd_per_btc?, hold=true | the price; it is published |
| `POST cutover` | state | PRE, IN_PROGRESS, COMPLETE or ROLLED_BACK |
| `POST latency` | low_ms, high_ms | how long payments take from now on |
| `POST town`, `GET town`, `DELETE town` | see `app/sandbox/town_control.py` | how the town does |
| `POST sockets/drop` | code=1006, http=false | how many sockets were cut |

Errors are `{"error": text}` with HTTP 422; HTTP 503 means that the ledger's queue is full.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.sandbox.control import money, people, weather
from app.sandbox.control.given import BadInput
from app.sandbox.payment import CannotPay
from app.sandbox.ticker import PriceTicker
from app.sandbox.town_control import TownControl
from app.sandbox.world import World
from app.sandbox.writer import LedgerBusy
from models.errors import InvoiceError

_LOCAL: Final = frozenset({"127.0.0.1", "localhost", "::1"})

Handler = Callable[[World, Request], Awaitable[Any]]


class Control:
    """The control API of one world."""

    def __init__(self, world: World, ticker: PriceTicker) -> None:
        self._world = world
        # Set by the two servers, which alone know their connections.
        self.drop_sockets: Callable[[int], int] = lambda _code: 0
        self.drop_calls: Callable[[], None] = lambda: None
        self._ticker = ticker
        self._town = TownControl()

    def routes(self) -> list[Route]:
        """Return the routes under `/_control`."""
        routes: Mapping[str, Handler] = {
            **people.ROUTES,
            **money.ROUTES,
            **weather.ROUTES,
            **self._town.routes(),
            "POST price": self._set_price,
            "POST sockets/drop": self._drop,
        }
        return [self._route(name, handler) for name, handler in routes.items()]

    def _route(self, name: str, handler: Handler) -> Route:
        method, _, path = name.partition(" ")
        return Route(f"/_control/{path}", self._endpoint(handler), methods=[method])

    def _endpoint(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        """Answer in JSON, only to this machine, and say in one line what was wrong."""

        async def endpoint(request: Request) -> Response:
            if request.url.hostname not in _LOCAL:
                return _json({"error": "the control API answers this machine only"}, 403)
            try:
                return _json(await handler(self._world, request))
            except (BadInput, CannotPay, InvoiceError, ValueError) as error:
                return _json({"error": str(error)}, 422)
            except LedgerBusy:
                return _json({"error": "the ledger is busy"}, 503)

        return endpoint

    async def _set_price(self, world: World, request: Request) -> Any:
        answer = await weather.set_price(world, request)
        self._ticker.publish()
        return answer

    async def _drop(self, _world: World, request: Request) -> Any:
        code, with_http = await weather.read_drop(request)
        dropped = self.drop_sockets(code)
        if with_http:
            self.drop_calls()
        return {"dropped": dropped}


def _json(value: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(value), status, media_type="application/json")
