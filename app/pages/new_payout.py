"""A new payout by hand: asked for, reviewed, and made once however often somebody clicks."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Awaitable, Callable

from app.answers import to_json
from app.idempotency import Once
from app.pages.new_payout_form import fields_of, refusals, request_from
from app.pages.visit import Visit
from components.dollars import dollars
from components.form_dialog import FormDialog, Values
from components.payout_review import PayoutReview, Review
from models.errors import IdempotencyMismatch, ServiceError
from models.flash import ProbeOutcome
from models.money import NANOUSD_PER_CENT
from models.payout import DestinationKind, Payout
from models.payout_request import PayoutPreview, PayoutRequest
from models.permission import Permission
from models.pull_payment import PullPaymentPhase
from models.wallet import Wallet
from services.fee_estimates import estimate_fee
from services.fee_policy import MOST_PERCENT, fee_cap_nanousd
from services.storage.statement import Transaction

CHOICES = 100
ROUTE = "new payout dialog"
KEY_BYTES = 16
_DEARER = "if Flash expects more, it is not sent"
_CAP = f"{MOST_PERCENT} % of the amount; {_DEARER}"
_SHORT = "The wallet does not hold this much: it waits until there is enough."
_MADE = "This payout was made already, with other values. Close this and look in the list."
_OVER = "The time for which the amount was held is over. This is what it comes to now."


class NewPayout:
    """Leads from the question to the payout; `on_made` is told its id."""

    def __init__(self, visit: Visit, on_made: Callable[[str], Awaitable[None]]) -> None:
        self._visit = visit
        self._on_made = on_made
        self._key = ""
        self._values: Values = {}
        self._pulls: tuple[tuple[str, str], ...] = ()
        self._seen: tuple[PayoutRequest, PayoutPreview] | None = None
        self._form = FormDialog("New payout", "Review", self._look_at)
        self._review = PayoutReview(self._send, self._ask_again)

    async def ask(self) -> None:
        """Ask for a new payout, from an empty form."""
        container, store = self._visit.container, self._visit.store
        views = await container.pull_payments.views(store.id, CHOICES)
        self._pulls = tuple(
            (view.pull_payment.id, view.pull_payment.name)
            for view in views
            if view.phase is PullPaymentPhase.OPEN
        )
        # One key for all that is asked here: two clicks, or a repeat after a lost answer, make one.
        self._key = secrets.token_urlsafe(KEY_BYTES)
        self._values, self._seen = {}, None
        self._ask_again()

    def _ask_again(self) -> None:
        with self._visit.client:
            self._form.open(fields_of(self._visit.store, self._pulls, self._values))

    async def _look_at(self, values: Values) -> bool:
        self._values = values
        try:
            await self._visit.need(Permission.CREATE)
            request = request_from(values)
            await self._show(request)
        except ServiceError as error:
            self._form.show_errors(refusals(error))
            return False
        return True

    async def _show(self, request: PayoutRequest, warning: str = "") -> None:
        container, store = self._visit.container, self._visit.store
        preview = await container.engine.requests.preview(store.id, request)
        wallet = await container.wallets.read(store.id)
        probe = await self._probe(preview, wallet)
        rate = container.rates.usable("USD", container.clock.utc_now())
        needed = None if rate is None else rate.minor_ceil(preview.amount_msat * NANOUSD_PER_CENT)
        self._seen = request, preview
        if probe is not None and probe.refused:
            warning = "Flash finds no way to this recipient at the moment; it may be refused."
        elif needed is not None and (wallet.balance_nanousd or needed) < needed:
            warning = _SHORT
        review = Review(
            preview=preview,
            fee=_fee_words(probe),
            cap=_CAP if needed is None else f"{dollars(fee_cap_nanousd(needed))}; {_DEARER}",
            memo=request.memo or "",
            pull_payment=dict(self._pulls).get(request.pull_payment_id or ""),
            currency=store.currency,
            zone_name=store.time_zone,
            now=container.clock.utc_now(),
            warning=warning,
        )
        with self._visit.client:
            self._review.show(review)

    async def _probe(self, preview: PayoutPreview, wallet: Wallet) -> ProbeOutcome | None:
        container, store_id = self._visit.container, self._visit.store.id
        connected = container.connected.get(store_id)
        if connected is None or preview.kind is not DestinationKind.BOLT11:
            return None
        return await estimate_fee(
            connected.worker.tools.client,
            connected.pace,
            wallet,
            preview.destination,
            amount_msat=preview.amount_msat,
            rate=container.rates.usable("USD", container.clock.utc_now()),
        )

    async def _send(self) -> bool:
        if self._seen is None:
            return False
        request, preview = self._seen
        now = self._visit.container.clock.utc_now()
        try:
            if preview.locked_until is not None and now >= preview.locked_until:
                await self._show(request, _OVER)
                return False
            payout_id = await self._make(request, preview)
        except IdempotencyMismatch:
            self._review.show_error(_MADE)
            return False
        except ServiceError as error:
            self._review.show_error(error.message)
            return False
        self._seen = None
        await self._on_made(payout_id)
        return True

    async def _make(self, request: PayoutRequest, preview: PayoutPreview) -> str:
        """Make the payout, or return the one that this dialog has made before."""
        container = self._visit.container
        caller = await self._visit.need(Permission.CREATE)
        said = hashlib.sha256(repr(request).encode()).hexdigest()
        keyed = Once(container, caller.store_id, ROUTE, self._key, said)
        before = await keyed.kept()
        if before is not None:
            return str(json.loads(bytes(before.body))["id"])

        def keep(tx: Transaction, made: Payout) -> None:
            keyed.keep(tx, to_json({"id": made.id}), 201)

        made = await container.engine.requests.create(
            caller.store_id, request, caller.actor, keep, preview
        )
        return made.id


def _fee_words(probe: ProbeOutcome | None) -> str:
    if probe is None or probe.fee_cents is None:
        return "no estimate yet"
    if probe.fee_cents == "0":
        return "less than a US cent, an estimate"
    if not probe.fee_cents.isdecimal():
        return f"about {probe.fee_cents} US cents, an estimate"
    return f"about {dollars(int(probe.fee_cents) * NANOUSD_PER_CENT)}, an estimate"
