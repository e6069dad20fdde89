"""Questions to Flash and sends through it, over one open HTTP session.

The library never repeats anything; whether to ask or send again is decided elsewhere.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any, Protocol, cast

import structlog
from gql import GraphQLRequest
from gql.transport.aiohttp import AIOHTTPTransport
from gql.transport.exceptions import (
    TransportError,
    TransportProtocolError,
    TransportServerError,
)

from models.currency import Currency
from models.errors import CredentialRefused, GatewayError
from models.flash import (
    FlashConnection,
    InvoiceStatus,
    Mutation,
    ProbeOutcome,
    RowDetails,
    SendOrder,
    SendOutcome,
    StatementRow,
    WalletInfo,
)
from models.money import Rate
from models.payout import SendAnswer
from services.flash import documents
from services.flash.answers import (
    LIMITED,
    MESSAGE_LIMIT,
    by_http_status,
    classify,
    first_error,
    is_unauthenticated,
    is_unsupported,
    judge_probe,
    listed_errors,
    not_executed,
    unreadable,
)
from services.flash.invoice_status import read_status
from services.flash.price import read_currencies, read_price
from services.flash.statement import read_csv, read_details, read_node
from services.flash.wallet import read_wallet
from services.points import Watch, unwatched

_log = structlog.get_logger(__name__)

SEND_TIMEOUT_S = 35.0  # Flash's own gateway gives up after about thirty
ASK_TIMEOUT_S = 10.0
SANDBOX_HEADER = "Flash-Sandbox"
HTTP_ERROR = 300
HTTP_BAD_REQUEST = 400
HTTP_UNAUTHORIZED = 401
# A redirect would carry the credential, and the payment, to somewhere else.
NO_REDIRECTS = {"allow_redirects": False}
CAPABILITIES = {"X-Flash-Client-Capabilities": "cash-wallet-usdt-v1"}
_SENDS = {
    Mutation.INVOICE: documents.SEND,
    Mutation.NO_AMOUNT_USD: documents.SEND_NO_AMOUNT_USD,
    Mutation.NO_AMOUNT_BTC: documents.SEND_NO_AMOUNT_BTC,
}


class Answer(Protocol):
    """What the library hands back for one request."""

    data: dict[str, Any] | None
    errors: Any


class _NotTakenError(TransportServerError):
    """HTTP 400 with GraphQL errors: the document or its variables were refused, nothing was run."""

    def __init__(self, result: Any) -> None:
        super().__init__("", HTTP_BAD_REQUEST)
        self.result = result


class _StrictTransport(AIOHTTPTransport):
    """Reads a body only of an answer that is one: an error status counts, whatever it says.

    Of a 400 the errors are read as well: they tell a server of before a field from a bad request.
    """

    def __init__(self, connection: FlashConnection, watch: Watch) -> None:
        headers: dict[str, str] = {**CAPABILITIES}
        if connection.token is not None:
            headers["Authorization"] = f"Bearer {connection.token}"
        elif connection.api_key is not None:
            headers["X-API-KEY"] = connection.api_key
        read_json = partial(json.loads, parse_float=Decimal)
        super().__init__(connection.url, headers=headers, json_deserialize=read_json)
        self._watch = watch

    async def execute(self, request: GraphQLRequest, **more: Any) -> Any:
        """Ask once; a redirect is not followed."""
        point = f"wire:{documents.name_of(request)}"
        self._watch(f"{point}:before")
        result = await super().execute(request, extra_args=NO_REDIRECTS, **more)
        self._watch(f"{point}:after")
        return result

    async def _prepare_result(self, response: Any) -> Any:
        if response.status == HTTP_BAD_REQUEST:
            raise _NotTakenError(await super()._prepare_result(response))
        if response.status >= HTTP_ERROR:
            self.response_headers = response.headers
            raise TransportServerError("", response.status)
        return await super()._prepare_result(response)


class FlashClient:
    """One wallet owner's door to Flash."""

    def __init__(self, connection: FlashConnection, watch: Watch = unwatched) -> None:
        self._transport = _StrictTransport(connection, watch)
        self._knows_external = True
        self.takes_keys = True
        self.can_probe = True
        self.can_ask_status = True

    async def open(self) -> None:
        """Open the HTTP session; nothing is asked yet."""
        await self._transport.connect()

    async def close(self) -> None:
        """Close the HTTP session."""
        await self._transport.close()

    @property
    def has_answered(self) -> bool:
        """Tell whether anything has answered at this address."""
        return self._answered is not None

    @property
    def is_sandbox(self) -> bool:
        """Tell whether the last answer called itself a sandbox's."""
        return SANDBOX_HEADER in (self._answered or {})

    @property
    def server_time(self) -> datetime | None:
        """Return the time that the last answer was given at, by its sender's clock."""
        text = (self._answered or {}).get("Date")
        try:
            return None if text is None else parsedate_to_datetime(text)
        except ValueError:
            return None

    @property
    def _answered(self) -> Mapping[str, str] | None:
        """Return the headers of the last answer; the library has none before the first."""
        return getattr(self._transport, "response_headers", None)

    async def fetch_wallet(self) -> WalletInfo:
        """Ask for the wallet that pays: USDT if there is one, else USD.

        Raises:
            GatewayError: Flash did not answer, does not accept the credential, or has no wallet.
        """
        data = await self._ask(documents.ME if self._knows_external else documents.ME_PLAIN)
        if data is None:
            self._knows_external = False
            data = await self._ask(documents.ME_PLAIN)
        wallet = read_wallet(data)
        if wallet is None:
            msg = "Flash shows no wallet that can pay; check the credential."
            raise GatewayError(msg)
        return wallet

    async def send_invoice(self, wallet_id: str, invoice: str, key: str | None) -> SendOutcome:
        """Pay an invoice that names its amount; whatever happens, an outcome comes back."""
        return await self.send(SendOrder(Mutation.INVOICE, wallet_id, invoice, key))

    async def send(self, order: SendOrder) -> SendOutcome:
        """Pay an invoice as an order says; whatever happens, an outcome comes back."""
        fields: dict[str, object] = {"walletId": order.wallet_id, "paymentRequest": order.invoice}
        if order.key is not None and self.takes_keys and order.mutation.takes_key:
            fields["idempotencyKey"] = order.key
        if order.amount is not None:
            is_sats = order.mutation is Mutation.NO_AMOUNT_BTC
            fields["amount"] = int(order.amount) if is_sats else order.amount
        request = documents.with_input(_SENDS[order.mutation], **fields)
        field = str(order.mutation)
        try:
            async with asyncio.timeout(SEND_TIMEOUT_S):
                result = await self._transport.execute(request)
        except TimeoutError:
            return unreadable("timeout")
        except _NotTakenError as error:
            outcome = self._judge(error.result, field)
            did_nothing = outcome.answer in {SendAnswer.REFUSED, SendAnswer.NOT_EXECUTED}
            return outcome if did_nothing else by_http_status(HTTP_BAD_REQUEST)
        except TransportServerError as error:
            return by_http_status(error.code or 500)
        except TransportProtocolError:
            return unreadable("unreadable")
        except TransportError:
            return unreadable("cut")
        except Exception as error:  # noqa: BLE001  # after a send nothing may hide its outcome
            _log.error("flash.answer_not_read", error=type(error).__name__)
            return unreadable("unreadable")
        return self._judge(result, field)

    def _judge(self, result: Answer, field: str) -> SendOutcome:
        try:
            errors = _errors(result)
            if is_unsupported(errors) and "idempotencyKey" in first_error(errors)[1]:
                # A server of before the keys; this refusal did nothing, the next send goes without.
                self.takes_keys = False
                return not_executed("no_keys")
            return classify(_payload(result, field), errors)
        except (AttributeError, TypeError, ValueError):
            return unreadable("unreadable")

    async def probe_fee(
        self, wallet_id: str, invoice: str, amount_cents: str | None = None
    ) -> ProbeOutcome:
        """Ask what a payment would cost and whether there is a way; silence refuses nothing."""
        fields: dict[str, object] = {"walletId": wallet_id, "paymentRequest": invoice}
        document, field = documents.PROBE, "lnUsdInvoiceFeeProbe"
        if amount_cents is not None:
            fields["amount"] = amount_cents
            document, field = documents.PROBE_NO_AMOUNT, "lnNoAmountUsdInvoiceFeeProbe"
        request = documents.with_input(document, **fields)
        try:
            result = await self._execute(request)
        except GatewayError:
            return ProbeOutcome(refused=False)
        if _is_unknown_field(result):
            self.can_probe = False
        return judge_probe(_payload(result, field), _errors(result))

    async def ask_status(self, invoice: str) -> InvoiceStatus:
        """Ask for the status of an invoice, which Flash knows of its own invoices only.

        Raises:
            GatewayError: No usable answer.
        """
        (status,) = await self.ask_statuses([invoice])
        return status

    async def ask_statuses(self, invoices: Sequence[str]) -> list[InvoiceStatus]:
        """Ask for the statuses of some invoices in one request.

        Raises:
            GatewayError: No usable answer, or none to any of several.
        """
        if not self.can_ask_status:
            return [InvoiceStatus.UNSUPPORTED for _ in invoices]
        result = await self._execute(documents.statuses(invoices))
        if _is_unknown_field(result):
            self.can_ask_status = False
            return [InvoiceStatus.UNSUPPORTED for _ in invoices]
        if first_error(_errors(result))[0] in LIMITED:
            raise GatewayError("Flash asked to slow down.")
        if len(invoices) > 1 and not result.data:
            msg = "Flash did not tell the statuses of several invoices."
            raise GatewayError(msg)
        found = [
            read_status(_payload(result, documents.status_field(number)))
            for number in range(len(invoices))
        ]
        # An answer that says nothing is not asked for again: the invoice counts as not Flash's.
        return [InvoiceStatus.UNSUPPORTED if each is None else each for each in found]

    async def fetch_price(self, currency: str) -> Rate:
        """Ask for the price of a sat.

        Raises:
            GatewayError: No usable answer.
        """
        request = GraphQLRequest(documents.PRICE, variable_values={"currency": currency})
        result = await self._execute(request)
        rate = read_price(_payload(result, "realtimePrice"), currency)
        if rate is None:
            msg = f"Flash has no price in {currency}."
            raise GatewayError(msg)
        return rate

    async def fetch_currencies(self) -> list[Currency]:
        """Ask which currencies there are prices in; nobody has to be known for that.

        Raises:
            GatewayError: No usable answer.
        """
        result = await self._execute(GraphQLRequest(documents.CURRENCIES))
        return read_currencies((result.data or {}).get("currencyList"))

    async def fetch_statement(self, wallet_id: str, first: int = 100) -> list[StatementRow]:
        """Ask for the newest rows of the wallet's list; an empty list proves nothing.

        Raises:
            GatewayError: No usable answer.
        """
        request = GraphQLRequest(
            documents.TRANSACTIONS, variable_values={"first": first, "wallets": [wallet_id]}
        )
        data = await self._ask(request)
        try:
            edges = data["me"]["defaultAccount"]["transactions"]["edges"] if data else None
            if not isinstance(edges, list):
                msg = "Flash gave no list of transactions."
                raise GatewayError(msg)
            return [read_node(edge["node"]) for edge in edges]
        except (KeyError, TypeError, ValueError, ArithmeticError) as error:
            msg = "Flash's list of transactions cannot be read."
            raise GatewayError(msg) from error

    async def fetch_whole_statement(
        self, wallet_id: str, since: datetime, least: int
    ) -> list[StatementRow]:
        """Ask for all rows of the wallet, and return the newest: all since a moment, or `least`.

        Raises:
            GatewayError: No usable answer.
        """
        request = GraphQLRequest(
            documents.ALL_TRANSACTIONS, variable_values={"wallets": [wallet_id]}
        )
        data = await self._ask(request)
        try:
            export = data["me"]["defaultAccount"]["csvTransactions"] if data else ""
            return await asyncio.to_thread(read_csv, export, wallet_id, since, least)
        except (KeyError, TypeError, ValueError, ArithmeticError) as error:
            msg = "Flash's export of transactions cannot be read."
            raise GatewayError(msg) from error

    async def fetch_row_details(self, row_id: str) -> RowDetails | None:
        """Ask for one row alone; nothing comes back where Flash says nothing of it.

        Raises:
            GatewayError: No usable answer.
        """
        result = await self._execute(documents.with_input(documents.DETAILS, transactionId=row_id))
        return read_details(_payload(result, "transactionDetails"))

    async def _ask(self, request: GraphQLRequest) -> dict[str, Any] | None:
        result = await self._execute(request)
        if _is_unknown_field(result):
            return None
        errors = _errors(result)
        if errors and not result.data:
            code, message = first_error(errors)
            if is_unauthenticated(errors):
                raise CredentialRefused
            raise GatewayError(f"Flash answered {code or 'an error'}: {message[:MESSAGE_LIMIT]}")
        return result.data

    async def _execute(self, request: GraphQLRequest) -> Answer:
        try:
            async with asyncio.timeout(ASK_TIMEOUT_S):
                answer: Answer = await self._transport.execute(request)
                return answer
        except _NotTakenError as error:
            if isinstance(error.result.data, Mapping):
                raise GatewayError("Flash answered HTTP 400.") from error
            return cast("Answer", error.result)
        except TimeoutError as error:
            msg = "Flash did not answer in time."
            raise GatewayError(msg) from error
        except TransportServerError as error:
            if error.code == HTTP_UNAUTHORIZED:
                raise CredentialRefused from error
            msg = f"Flash answered HTTP {error.code}."
            raise GatewayError(msg) from error
        except TransportError as error:
            msg = "Flash could not be reached."
            raise GatewayError(msg) from error


def _payload(result: Answer, field: str) -> Mapping[str, Any] | None:
    found = (result.data or {}).get(field)
    return found if isinstance(found, Mapping) else None


def _errors(result: Answer) -> list[Mapping[str, Any]]:
    return listed_errors(result.errors)


def _is_unknown_field(result: Answer) -> bool:
    code, message = first_error(_errors(result))
    return result.data is None and (
        code == "GRAPHQL_VALIDATION_FAILED" or "Cannot query field" in message
    )
