"""Reads destinations, and turns those that are no invoice into one by asking the recipient.

Whatever comes back is checked against what was asked: the exact amount, the network, the time
that is left, the hosts it names (LUD-06, LUD-16, LUD-17, LUD-21).
"""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import timedelta
from typing import Final
from urllib.parse import urlsplit

from models.destination import Destination, Resolved, Terms
from models.errors import InvalidField, InvoiceError
from models.instants import Clock, to_seconds
from models.payout import DestinationKind
from services import bolt11, lnurl, lnurl_pay
from services.outbound import Outbound
from services.plain_text import plain_text

FIELD: Final = "destination"
NETWORK: Final = "bitcoin"
MIN_SECONDS_LEFT: Final = 10
# What nothing decides waits for its invoice to run out, so that must not take for ever.
LONGEST_INVOICE: Final = timedelta(days=30)
DESCRIPTION_LIMIT: Final = 300
_PAY: Final = "payRequest"
_INVOICE: Final = re.compile(r"ln(?:bcrt|bc|tbs|tb)[0-9]*[munp]?1", re.IGNORECASE)
_LINK: Final = re.compile(r"lnurl1|lnurl[a-z]?:|https?://|keyauth:", re.IGNORECASE)
# Flash's rule for names, in the letters that also fit a Lightning Address.
_USERNAME: Final = re.compile(r"(?!1|3|bc1|lnbc1)[a-z0-9_]{3,50}")
_LIGHTNING: Final = "lightning:"


class Destinations:
    """Knows every form of destination and asks the services behind them."""

    def __init__(self, outbound: Outbound, clock: Clock, flash_address_host: str) -> None:
        self._outbound = outbound
        self._clock = clock
        self._flash_host = flash_address_host

    def read(self, text: str) -> Destination:
        """Return what a text names; nothing is asked yet.

        Raises:
            InvoiceError: It looks like an invoice and is none that can be paid here.
            InvalidField: `destination`, for anything else that cannot be paid to.
        """
        return read_destination(
            text, flash_host=self._flash_host, outbound_allow=self._outbound.allow
        )

    async def ask_terms(self, destination: Destination) -> Terms:
        """Ask what a recipient's service takes.

        Raises:
            GatewayError: It gives no usable answer.
            InvalidField: It demands what we do not give.
        """
        offer = await self._offer(destination)
        return Terms(
            min_msat=offer.min_msat,
            max_msat=offer.max_msat,
            description=plain_text(offer.metadata.text, DESCRIPTION_LIMIT),
            callback_host=urlsplit(offer.callback).hostname or "",
            comment_length_max=offer.comment_length_max,
        )

    async def resolve(
        self, destination: Destination, amount_msat: int, comment: str | None = None
    ) -> Resolved:
        """Ask a recipient's service for one invoice over exactly this amount.

        Raises:
            GatewayError: It gives no usable answer.
            InvalidField: It does not take this amount, or demands what we do not give.
            InvoiceError: Its invoice is not the one that was asked for.
        """
        allow = self._outbound.allow
        offer = await self._offer(destination)
        # A comment is a courtesy: one that does not fit is left out, never a reason to fail.
        fits = comment is not None and len(comment) <= offer.comment_length_max
        url = lnurl_pay.pay_url(offer, amount_msat, comment if fits else None)
        body = await self._outbound.get(url)
        answer = lnurl_pay.read_pay_answer(body, offer, outbound_allow=allow)
        invoice = bolt11.decode(answer.invoice_text)
        notes = lnurl_pay.check_amount(invoice, offer, amount_msat)
        now = self._clock.utc_now()
        if invoice.expires_at_s > to_seconds(now + LONGEST_INVOICE):
            raise InvoiceError("expires_too_late", "The recipient's invoice lives too long.")
        bolt11.check_payable(
            invoice,
            now_s=to_seconds(now),
            network=NETWORK,
            min_msat=amount_msat,
            max_msat=amount_msat,
            min_seconds_left=MIN_SECONDS_LEFT,
        )
        return Resolved(invoice, answer.verify_url, notes, answer.success_action)

    async def verify(self, url: str) -> bytes:
        """Return what a recipient's service says of its invoice (LUD-21).

        Raises:
            GatewayError: It gives no answer.
        """
        return await self._outbound.get(url)

    async def _offer(self, destination: Destination) -> lnurl_pay.PayOffer:
        assert destination.url is not None, "an invoice is not asked for"
        body = await self._outbound.get(destination.url)
        return lnurl_pay.read_offer(body, outbound_allow=self._outbound.allow)


def read_destination(
    text: str, *, flash_host: str, outbound_allow: Collection[str] = ()
) -> Destination:
    """Return what a text names: an invoice, an LNURL, a Lightning Address or a Flash user.

    Raises:
        InvoiceError: It looks like an invoice and is none that can be paid here.
        InvalidField: `destination`, for anything else that cannot be paid to.
    """
    if len(text) > lnurl.MAX_LENGTH:
        raise InvalidField(FIELD, "This text is too long for a destination.")
    text = text.strip()
    bare = text[len(_LIGHTNING) :] if text[: len(_LIGHTNING)].lower() == _LIGHTNING else text
    if _INVOICE.match(bare):
        invoice = bolt11.decode(bare)
        return Destination(DestinationKind.BOLT11, invoice.text, invoice=invoice)
    if _LINK.match(bare):
        target = lnurl.resolve(bare, outbound_allow=outbound_allow)
        if target.tag not in {None, _PAY}:
            raise InvalidField(FIELD, "This link is not for receiving payments.")
        return Destination(DestinationKind.LNURL, bare, url=target.url, host=_host(target.url))
    name = bare.lower()
    if "@" in bare:
        url = lnurl.lightning_address_url(name, outbound_allow=outbound_allow)
        return Destination(DestinationKind.ADDRESS, name, url=url, host=name.partition("@")[2])
    if _USERNAME.fullmatch(name):
        address = f"{name}@{flash_host}"
        url = lnurl.lightning_address_url(address, outbound_allow=outbound_allow)
        return Destination(DestinationKind.FLASH, name, url=url, host=flash_host)
    raise InvalidField(
        FIELD, "Give a Lightning invoice, an LNURL, a Lightning Address or a Flash username."
    )


def flash_address_host(api_url: str) -> str:
    """Return the host of Flash's Lightning Addresses: `api.flashapp.me` serves `flashapp.me`."""
    parts = urlsplit(api_url)
    return parts.netloc.rpartition("@")[2].lower().removeprefix("api.")


def _host(url: str) -> str | None:
    return urlsplit(url).hostname
