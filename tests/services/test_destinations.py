"""Destinations: what each text names, and that no text does worse than be refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings

from models.destination import is_amountless
from models.errors import GatewayError, InvalidField, InvoiceError, RuleError, ServiceError
from models.payout import DestinationKind
from services import bolt11, lnurl
from services.destinations import Destinations, flash_address_host, read_destination
from services.outbound import Outbound
from tests.mutations import ANY_TEXT, mutated
from tests.support.clock import HandClock
from tests.support.invoices import invoice
from tests.vector_files import rows

K = DestinationKind
INVOICES = [case["invoice"] for case in rows("bolt11.json", "valid")][:6]
LINK = lnurl.encode("https://service.com/api?q=3fc3645b439ce8e7")
READ: list[tuple[str, DestinationKind, str | None]] = [
    (LINK, K.LNURL, "https://service.com/api?q=3fc3645b439ce8e7"),
    (f"lightning:{LINK.lower()}", K.LNURL, "https://service.com/api?q=3fc3645b439ce8e7"),
    ("lnurlp://service.com/pay/7", K.LNURL, "https://service.com/pay/7"),
    ("https://service.com/pay/7", K.LNURL, "https://service.com/pay/7"),
    (" Alice@Example.COM ", K.ADDRESS, "https://example.com/.well-known/lnurlp/alice"),
    ("bob+tips@example.com", K.ADDRESS, "https://example.com/.well-known/lnurlp/bob+tips"),
    ("Carol_7", K.FLASH, "https://flashapp.me/.well-known/lnurlp/carol_7"),
    ("lnbcalice", K.FLASH, "https://flashapp.me/.well-known/lnurlp/lnbcalice"),
]


def read(text: str) -> Any:
    return read_destination(text, flash_host="flashapp.me")


@pytest.mark.parametrize(("text", "kind", "url"), READ)
def test_a_text_names_where_to_ask(text: str, kind: DestinationKind, url: str | None) -> None:
    found = read(text)

    assert (found.kind, found.url) == (kind, url)
    assert read(found.text) == found


def test_an_invoice_is_itself_in_every_spelling() -> None:
    for text in INVOICES:
        for spelled in (text, text.upper(), f"LIGHTNING:{text.upper()}", f" {text}\n"):
            found = read(spelled)
            assert (found.kind, found.text) == (K.BOLT11, text.lower())
        assert is_amountless(text.lower()) is (found.invoice.amount_msat is None)


@settings(max_examples=400)
@given(mutated([text for text, _, _ in READ] + INVOICES))
def test_damaged_texts_are_read_or_refused_by_name(text: str) -> None:
    judge(text)


@given(ANY_TEXT)
def test_any_text_is_read_or_refused_by_name(text: str) -> None:
    judge(text)


def judge(text: str) -> None:
    """Read a text; what comes out must be readable again, and nothing but our errors may come."""
    try:
        found = read(text)
    except (InvalidField, InvoiceError):
        return
    assert read(found.text).url == found.url
    assert (found.invoice is None) is (found.url is not None)


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://api.flashapp.me/graphql", "flashapp.me"),
        ("https://api.test.flashapp.me/graphql", "test.flashapp.me"),
        ("http://127.0.0.1:4002/graphql", "127.0.0.1:4002"),
    ],
)
def test_the_host_of_flash_names_follows_from_its_api(url: str, host: str) -> None:
    assert flash_address_host(url) == host


OFFER: dict[str, Any] = {
    "tag": "payRequest",
    "callback": "https://service.com/cb",
    "minSendable": 1_000,
    "maxSendable": 10_000_000,
    "metadata": json.dumps([["text/plain", "Tip"]]),
}


class Service(Outbound):
    """A recipient's service that answers what a test says, without a socket."""

    def __init__(self, offer: Any, answer: Any) -> None:
        super().__init__()
        self.answers = [offer, answer]
        self.asked: list[str] = []

    async def get(self, url: str) -> bytes:
        """Answer the offer first, then the invoice."""
        self.asked.append(url)
        answer = self.answers[len(self.asked) - 1]
        return answer if isinstance(answer, bytes) else json.dumps(answer).encode()


async def resolve(clock: HandClock, offer: Any, answer: Any, amount_msat: int = 5_000_000) -> Any:
    service = Service(offer, answer)
    destinations = Destinations(service, clock, "flashapp.me")
    found = await destinations.resolve(destinations.read("alice@service.com"), amount_msat)
    return found, service.asked


async def test_the_invoice_of_a_service_is_over_exactly_what_was_asked(clock: HandClock) -> None:
    good = invoice(clock, 5_000)
    verify = "https://service.com/verify/1"

    found, asked = await resolve(clock, OFFER, {"pr": good, "routes": [], "verify": verify})

    assert (found.invoice.text, found.verify_url) == (good, verify)
    assert asked[1] == "https://service.com/cb?amount=5000000"


async def test_whatever_else_a_service_answers_is_refused(clock: HandClock) -> None:
    late = invoice(clock, 5_000, timestamp_s=1_000_000_000)
    good = {"pr": invoice(clock, 5_000)}
    wrong: list[tuple[Any, Any]] = [
        (OFFER, {"pr": invoice(clock, 5_001)}),
        (OFFER, {"pr": invoice(clock, None)}),
        (OFFER, {"pr": invoice(clock, 5_000, amount_msat=5_000_001)}),
        (OFFER, {"pr": late}),
        (OFFER, {"pr": "lnbc1nonsense"}),
        (OFFER, {"pr": None}),
        (OFFER, {"status": "ERROR", "reason": "no"}),
        (OFFER, b"<html>"),
        (OFFER | {"tag": "withdrawRequest"}, good),
        (OFFER | {"minSendable": 6_000_000}, good),
        (OFFER | {"maxSendable": 4_000_000}, good),
        (OFFER | {"minSendable": "1000"}, good),
        (OFFER | {"callback": "https://127.0.0.1/cb"}, good),
        (OFFER | {"callback": "http://service.com/cb"}, good),
        (OFFER | {"metadata": "[]"}, good),
        (OFFER | {"payerData": {"name": {"mandatory": True}}}, good),
        (b"", good),
    ]
    for offer, answer in wrong:
        with pytest.raises((GatewayError, RuleError)):
            await resolve(clock, offer, answer)


@settings(max_examples=150)
@given(mutated([json.dumps(OFFER), json.dumps({"pr": INVOICES[0], "verify": "https://a.bc/d"})]))
async def test_damaged_answers_raise_nothing_but_named_errors(text: str) -> None:
    body = text.encode("utf-8", "surrogatepass")
    for offer, answer in ((body, {"pr": INVOICES[0]}), (OFFER, body)):
        with pytest.raises(ServiceError):
            await resolve(HandClock(), offer, answer)


def test_the_vectors_hold_an_invoice_without_an_amount() -> None:
    amounts = [bolt11.decode(text).amount_msat for text in INVOICES]

    assert None in amounts
    assert any(amounts)
