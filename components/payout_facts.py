"""What is known of one payout, line by line: the gist in sight, everything else folded."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from nicegui import html

from components.dollars import exact
from components.fact import Folds, fact, group
from components.moment import age
from components.payout_row import sats_of
from components.text import Text
from components.unit import unit_of
from models.hold import Hold
from models.money import SATS_CURRENCY, SATS_PER_BTC
from models.payout import EvidenceGrade, PayeeHome
from models.payout_detail import AttemptFacts, PayoutDetail
from models.quote import Quote
from models.statement import Debit, DebitState
from models.store import ActorKind, Store
from models.success_action import ShownAction

SECOND = timedelta(seconds=1)
_GRADES = {
    EvidenceGrade.PREIMAGE: "Proof",
    EvidenceGrade.FLASH_SUCCESS: "Flash: success",
    EvidenceGrade.FLASH_INVOICE: "Flash: invoice paid",
    EvidenceGrade.STATEMENT: "Statement",
    EvidenceGrade.STRIPE_TRANSFER: "Stripe transfer",
    EvidenceGrade.PERSON: "Confirmed by a person",
}
_HOMES = {
    PayeeHome.HOME: "an invoice of Flash itself",
    PayeeHome.FOREIGN: "an invoice of another wallet",
}
_KINDS = {
    ActorKind.PERSON: "a person",
    ActorKind.API_KEY: "an API key",
    ActorKind.SYSTEM: "the service itself",
    ActorKind.PAYEE: "the payee",
}


class PayoutFacts:
    """Writes a payout's facts in the words, zone and currency of its store."""

    def __init__(self, store: Store, folds: Folds) -> None:
        self._zone = ZoneInfo(store.time_zone)
        self._currency = store.currency
        self._folds = folds

    def gist(self, detail: PayoutDetail) -> None:
        """Place what one looks for first."""
        payout = detail.payout
        with html.div().classes("fp-facts"):
            with group("Money"):
                fact("Asked", _money(payout.original_amount, payout.currency))
                fact("Sent", sats(payout.amount_msat) or "not fixed yet")
                fact("Fee", sats(payout.fee_msat) or "not known yet")
                if payout.debited_nanousd is not None:
                    fact("Debited", exact(payout.debited_nanousd))
                if payout.value_cents is not None:
                    fact("Worth then", _money(payout.value_cents, self._currency))
            with group("From"):
                fact("Pull payment", detail.pull_payment.name if detail.pull_payment else None)
                card = payout.boltcard_alias or payout.boltcard_uid
                if card is not None:
                    said = "tapped" if payout.card_verified else "only said, not verified"
                    fact("Card", f"{card} ({said})")
                if payout.boltcard_alias and payout.boltcard_uid:
                    fact("Card number", payout.boltcard_uid)
                fact("Memo", payout.memo)
                fact("Asked at", self.time(payout.created_at))
                fact("Payout", payout.id, copy=True)
            with group("To"):
                fact("Destination", payout.destination, copy=True)
                fact("Evidence", _GRADES[payout.evidence] if payout.evidence else "none yet")
        if detail.success_action is not None:
            _said(detail.success_action)

    def folded(self, detail: PayoutDetail) -> None:
        """Place the rest, a part for each of its questions."""
        self._rate(detail)
        self._attempts(detail)
        self._holds(detail)
        self._invoice(detail)

    def time(self, at: datetime) -> str:
        """Write a moment in the store's zone."""
        local = at.astimezone(self._zone)
        return f"{local.day} {local:%b, %H:%M:%S}"

    def _rate(self, detail: PayoutDetail) -> None:
        rate, payout = detail.payout.rate, detail.payout
        if rate is None and not detail.quotes:
            return
        gist = ""
        if rate is not None:
            gist = per_btc(rate.numerator, rate.denominator, self._currency)
        with self._folds.part("Rate", gist):
            if rate is not None:
                with html.dl():
                    fact("Valued at", gist)
                    fact("Source", rate.source.capitalize())
                    fact("Read at", f"{self.time(rate.at)}, {_old(payout.created_at, rate.at)}")
            for quote in detail.quotes:
                self._quote(quote, payout.currency)

    def _quote(self, quote: Quote, currency: str) -> None:
        with html.dl():
            price = per_btc(quote.rate_numerator, quote.rate_denominator, currency)
            fact(f"Quote {quote.number}", sats(quote.amount_msat), look="strong")
            fact("At", f"{price}, {quote.rate_source.capitalize()}")
            rate_age = _old(quote.quoted_at, quote.rate_at)
            fact("Price read at", f"{self.time(quote.rate_at)}, {rate_age}")
            fact("Locked until", self.time(quote.locked_until))

    def _attempts(self, detail: PayoutDetail) -> None:
        if not detail.attempts:
            return
        last = detail.attempts[-1]
        count = len(detail.attempts)
        gist = f"{count:,} · {last.state}" if count > 1 else str(last.state)
        with self._folds.part("Attempts and debits", f"{gist}, {debit_words(last.debit)}"):
            for attempt in detail.attempts:
                self._attempt(attempt)

    def _attempt(self, attempt: AttemptFacts) -> None:
        debit = attempt.debit
        with html.dl():
            state = f"{attempt.state}, {attempt.sends:,} {_plural(attempt.sends, 'send')}"
            fact(f"Attempt {attempt.number}", state, look="strong")
            fact("Pays", _HOMES.get(attempt.home, "an invoice not looked up yet"))
            fact("Invoice valid until", self.time(attempt.expires_at))
            fact("Payment hash", attempt.payment_hash, copy=True)
            if debit is None:
                return
            fact("Expected debit", exact(debit.expected_nanousd))
            fact("Statement", debit_words(debit))
            if debit.amount_nanousd is not None:
                fact("Debited", exact(debit.amount_nanousd))
            if debit.fee_nanousd is not None:
                fact("Fee of it", exact(debit.fee_nanousd))
            fact("Statement row", debit.row_id, copy=True)

    def _holds(self, detail: PayoutDetail) -> None:
        if not detail.holds:
            return
        count = len(detail.holds)
        is_open = detail.holds[-1].released_at is None
        gist = "held now" if is_open else f"{count:,}, released"
        with self._folds.part("Holds", gist, "is-pending" if is_open else ""):
            for hold in detail.holds:
                self._hold(hold, detail)

    def _hold(self, hold: Hold, detail: PayoutDetail) -> None:
        with html.dl():
            fact("Reason", hold.reason, look="strong")
            by = detail.names.get(hold.placed_by or "", _KINDS[hold.placed_by_kind])
            fact("Placed", f"{self.time(hold.placed_at)} by {by}")
            until = "somebody releases it"
            if hold.release_at is not None:
                until = self.time(hold.release_at)
            fact("Until", until)
            if hold.released_at is not None:
                who = detail.names.get(hold.released_by or "")
                by = "" if who is None else f" by {who}"
                fact("Released", f"{self.time(hold.released_at)}{by}")

    def _invoice(self, detail: PayoutDetail) -> None:
        payout, invoice = detail.payout, detail.invoice
        if invoice is None and payout.payment_hash is None:
            return
        gist = "" if invoice is None else f"valid until {self.time(invoice.expires_at)}"
        with self._folds.part("Invoice", gist), html.dl():
            if invoice is not None:
                amount = sats(invoice.amount_msat) or "none named"
                fact("Amount", amount)
                fact("Says", invoice.description or "nothing")
                fact("Made at", self.time(invoice.made_at))
                fact("Valid until", self.time(invoice.expires_at))
                fact("Payee's node", invoice.payee, copy=True)
            fact("Payment hash", payout.payment_hash, copy=True)
            fact("Preimage", payout.preimage, copy=True)


def _said(action: ShownAction) -> None:
    """Place what the recipient wants shown: a stranger's words, and a link on its own host."""
    with html.section().classes("fp-said").props("data-testid=success-action"):
        Text("h3", "The recipient says").classes("fp-h3")
        Text("p", action.text).classes("fp-quote")
        if action.secret is not None:
            with html.dl():
                fact("Secret", action.secret, copy=True)
        elif action.kind == "aes":
            Text("p", "It holds a secret that only the preimage opens.").classes("fp-note")
        if action.url is not None:
            link = Text("a", action.url).classes("fp-link")
            link.props.update(
                {"href": action.url, "target": "_blank", "rel": "noopener noreferrer"}
            )


def debit_words(debit: Debit | None) -> str:
    """Return whether the wallet's statement shows what an attempt cost."""
    if debit is None:
        return "no debit expected"
    if debit.state is DebitState.CLAIMED:
        return "found in the statement"
    return "not in the statement yet" if debit.state is DebitState.OPEN else "nothing debited"


def sats(amount_msat: int | None) -> str | None:
    """Write an amount in sats, with its thousandths only where there are some."""
    if amount_msat is None:
        return None
    return f"{sats_of(amount_msat)} {'sat' if amount_msat == 1000 else 'sats'}"  # noqa: PLR2004


def per_btc(numerator: int, denominator: int, currency: str) -> str:
    """Write a rate as the price of one BTC."""
    return f"{_money(numerator * SATS_PER_BTC // denominator, currency)} per BTC"


def _money(amount: int, currency: str) -> str:
    return unit_of("sats" if currency == SATS_CURRENCY else "fiat", currency).write(amount)


def _old(used_at: datetime, read_at: datetime) -> str:
    seconds = max(0, (used_at - read_at) // SECOND)
    return "new when used" if seconds <= 1 else f"{age(seconds)} old when used"


def _plural(count: int, word: str) -> str:
    return word if count == 1 else f"{word}s"
