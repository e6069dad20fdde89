"""Tells visits as rows: what the service, its worker and its tracking would have written.

Everything here follows from the scene, the visits and a number, so that several processes can
tell their parts side by side and the same seed tells the same again.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final

from coincurve import PrivateKey

from app.demo.fates import Course, decide, pay
from app.demo.life import PAYEE, Life
from app.demo.plan import Visit
from app.demo.prices import RATE_DENOMINATOR, fee_of, rate_numerator
from app.demo.scene import Decision, Paid, Scene, Told, Waiting
from app.sandbox.amounts import MSAT_PER_BTC, debit_of
from app.sandbox.habits import Basket, basket
from app.sandbox.town_wallets import node_key
from app.sandbox.townsfolk import CUSTOMERS, FUND_OF, Fund
from models.card import TapState
from models.ids import ATTEMPT, PAYOUT, SIGHTING, TAP
from models.money import MSAT_PER_SAT, SATS_CURRENCY, ceil_div
from models.payout import AttemptState, DestinationKind, PayoutKind
from models.rollup import Grain
from models.states import PayoutState
from models.store import ActorKind
from services.bolt11_encode import sign_invoice
from services.boltcards import K1_LIFE
from services.plain_words import search_words
from services.storage.search import DESTINATION_START
from services.vault import Sealer, Vault

_ALPHABET: Final = b"0123456789abcdefghjkmnpqrstvwxyz"
_ANY_LETTER: Final = bytes(_ALPHABET[byte & 31] for byte in range(256))
_SECOND_US: Final = 1_000_000
_QUARTER_US: Final = 900 * _SECOND_US
_DAY_US: Final = 86_400 * _SECOND_US
_TILL_EXPIRY_S: Final = (60, 120, 180, 300)
_LINK_EXPIRY_S: Final = 3_600
_EXPENSE_EXPIRY_S: Final = (3_600, 7_200, 10_800)
_WAITING_EXPIRY_S: Final = (14_400, 21_600, 28_800)
_FENCE: Final = 1
# So long after a payment its row stands in the wallet's statement and has been read.
_STATEMENT_US: Final = 10 * 60 * _SECOND_US


@dataclass(frozen=True, slots=True)
class _Claim:
    """One payout with all that its rows repeat."""

    visit: Visit
    id: str
    fund: Fund
    pull_payment_id: str
    basket: Basket
    amount_sats: int
    units: int
    value_cents: int
    nanousd_per_btc: int
    rate_us: int
    payment_hash: str
    invoice: str
    until_us: int
    life: Life
    course: Course
    tap_id: str | None
    claim_key: str


class Teller:
    """Tells parts of the past, one after the other."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        vault = Vault(scene.master_key)
        vault.add_data_key(scene.store_id, *scene.data_key)
        self._sealer: Sealer = vault.of(scene.store_id)
        self._home_key = PrivateKey(scene.node_key)
        self._owner = (ActorKind.PERSON.value, scene.owner_id)
        self._chance = random.Random()
        self._told = Told()

    def tell(self, number: int, visits: list[Visit]) -> Told:
        """Tell one part; its number keeps its chance apart from the others'."""
        self._chance = random.Random(f"{self._scene.seed}:{number}")
        self._told = told = Told(first_us=visits[0].at_us if visits else 0)
        for visit in visits:
            if visit.makes_payout:
                self._payout(visit)
            else:
                self._tap(visit, self._id(TAP, visit.at_us), None, visit.at_us)
        told.payouts = len(told.rows["payouts"])
        return told

    def _payout(self, visit: Visit) -> None:
        claim = self._claim(visit)
        self._live(claim)
        if claim.tap_id is not None:
            read_us = visit.at_us - self._chance.randrange(90_000, 900_000)
            self._tap(visit, claim.tap_id, claim, read_us)
        self._write(claim)
        self._count(claim)

    def _claim(self, visit: Visit) -> _Claim:
        chance, scene, at_us = self._chance, self._scene, visit.at_us
        customer = CUSTOMERS[visit.customer]
        fund = FUND_OF[customer.fund]
        bought = basket(chance, customer)
        price, rate_us = scene.prices.at(at_us)
        sats = min(max(bought.sats(price), fund.min_sats), fund.max_sats or bought.sats(price))
        cents_floor, cents_ceil = _cents(sats, price)
        payout_id = self._id(PAYOUT, at_us)
        units = sats if fund.currency == SATS_CURRENCY else max(cents_ceil, 1)
        pull_payment_id = scene.funds[fund.key]
        preimage, secret = chance.randbytes(32), chance.randbytes(32)
        payment_hash = sha256(preimage)
        expiry_s = chance.choice(_expiries(visit, fund, has_card=customer.has_card))
        made_s = at_us // _SECOND_US
        username = bought.payee.username
        invoice = sign_invoice(
            self._home_key if username is not None else node_key(bought.payee.key),
            amount_msat=sats * MSAT_PER_SAT,
            payment_hash=payment_hash.digest(),
            payment_secret=secret,
            timestamp_s=made_s,
            expiry_s=expiry_s,
            description=bought.memo,
        )
        money = (units, fund.currency)
        claim = _Claim(
            visit=visit,
            id=payout_id,
            fund=fund,
            pull_payment_id=pull_payment_id,
            basket=bought,
            amount_sats=sats,
            units=units,
            value_cents=cents_floor,
            nanousd_per_btc=price,
            rate_us=rate_us,
            payment_hash=payment_hash.hexdigest(),
            invoice=invoice,
            until_us=(made_s + expiry_s) * _SECOND_US,
            life=Life(
                scene.store_id, payout_id, at_us, pull_payment_id=pull_payment_id, money=money
            ),
            course=Course(),
            tap_id=self._id(TAP, at_us) if customer.has_card else None,
            claim_key=chance.randbytes(32).hex(),
        )
        if visit.waits and username is not None:
            self._keep_open(claim, username, preimage, secret, made_s)
        return claim

    def _keep_open(
        self, claim: _Claim, username: str, preimage: bytes, secret: bytes, made_s: int
    ) -> None:
        self._told.waiting.append(
            Waiting(
                payment_hash=claim.payment_hash,
                request=claim.invoice,
                payee=username,
                preimage=preimage.hex(),
                secret=secret.hex(),
                amount_msat=claim.amount_sats * MSAT_PER_SAT,
                memo=claim.basket.memo,
                created_ms=made_s * 1000,
                expires_ms=claim.until_us // 1000,
            )
        )

    def _live(self, claim: _Claim) -> None:
        """Take a payout through its life."""
        life, course, chance = claim.life, claim.course, self._chance
        at_us: int | None = claim.visit.at_us
        assert at_us is not None
        course.over_us = claim.until_us if claim.until_us < self._scene.now_us else None
        if claim.visit.waits:
            life.step(PayoutState.AWAITING_APPROVAL, at_us, PAYEE, "claimed")
            return
        if claim.fund.auto_approve:
            life.step(PayoutState.APPROVED, at_us, PAYEE, "claimed")
        else:
            at_us = decide(chance, life, course, at_us, claim.until_us, self._owner)
        if at_us is not None:
            payee = claim.basket.payee
            is_home = payee.username is not None
            pay(chance, life, course, at_us, is_home=is_home, is_reachable=payee.is_reachable)

    def _tap(self, visit: Visit, tap_id: str, claim: _Claim | None, at_us: int) -> None:
        """Write a read of a card; without a claim it stays open and runs out."""
        card_id, key_set_id = self._scene.cards[visit.customer]
        fund = CUSTOMERS[visit.customer].fund
        state = TapState.OPEN if claim is None else TapState.USED
        self._told.rows["taps"].append(
            (
                *(tap_id, self._scene.store_id, card_id, key_set_id, self._scene.funds[fund]),
                *(visit.counter, state.value),
                self._chance.randbytes(32).hex() if claim is None else claim.claim_key,
                *(None if claim is None else claim.id, None, at_us),
                at_us + K1_LIFE.seconds * _SECOND_US,
            )
        )

    def _write(self, claim: _Claim) -> None:
        rows, life = self._told.rows, claim.life
        store_id = self._scene.store_id
        rows["payouts"].append(self._payout_row(claim))
        rows["payout_words"] += [(store_id, word, claim.id) for word in _words(claim.basket.memo)]
        rows["payout_events"] += life.events
        rows["ledger"] += life.legs
        self._write_course(claim)

    def _write_course(self, claim: _Claim) -> None:
        rows, course, store_id = self._told.rows, claim.course, self._scene.store_id
        at_us, flash_wallet = claim.visit.at_us, self._scene.flash_wallet_id
        attempt_id = self._id(ATTEMPT, at_us)
        place = f"attempts/{attempt_id}/invoice"
        sealed = self._sealer.seal_text(claim.invoice, place)
        amount_msat = claim.amount_sats * MSAT_PER_SAT
        rows["attempts"].append(
            (
                *(attempt_id, store_id, claim.id, 1, course.attempt, claim.payment_hash, sealed),
                *(amount_msat, claim.until_us, course.home, None, None, at_us),
            )
        )
        for number, (logged_us, answered_us, says, code) in enumerate(course.sends, 1):
            send = (store_id, claim.id, attempt_id, number, flash_wallet, attempt_id, _FENCE)
            rows["sends"].append((*send, logged_us, answered_us, says, code))
        sent = 0
        for source, says, code, seen_us in course.sightings:
            sent += source == "send"
            external_id = f"{attempt_id}:{sent if source == 'send' else says}"
            sighting = (self._id(SIGHTING, seen_us), store_id, claim.id, attempt_id, source)
            rows["sightings"].append((*sighting, external_id, says, code, seen_us))
        for grade, seen_us in course.evidence:
            row = (store_id, claim.id, grade, None, claim.payment_hash, seen_us)
            rows["evidence"].append(row)
        if course.decision is not None:
            self._decide(claim, *course.decision)
        if course.paid_us is not None:
            self._pay(claim, course.paid_us)

    def _decide(self, claim: _Claim, action: str, reason: str | None, at_us: int) -> None:
        waited = {"state": PayoutState.AWAITING_APPROVAL.value, "revision": 2}
        after = {"reason": reason, "amount_sats": claim.amount_sats}
        self._told.decisions.append(
            Decision(at_us, action, claim.id, _as_audited(waited), _as_audited(after))
        )

    def _pay(self, claim: _Claim, at_us: int) -> None:
        amount_msat, username = claim.amount_sats * MSAT_PER_SAT, claim.basket.payee.username
        price, is_settled = claim.nanousd_per_btc, claim.course.is_settled
        money = (amount_msat, *_cost(claim), price)
        self._told.payments.append(
            Paid(claim.payment_hash, *money, at_us // 1000, is_settled, username)
        )

    def _payout_row(self, claim: _Claim) -> tuple[Any, ...]:
        scene, life, course, visit = self._scene, claim.life, claim.course, claim.visit
        card_id = None if claim.tap_id is None else scene.cards[visit.customer][0]
        kind = PayoutKind.CLAIM if claim.tap_id is None else PayoutKind.TAP
        stamps, was_sent = life.stamps.get, bool(course.sends)
        place = f"payouts/{claim.id}/destination"
        sealed = self._sealer.seal_text(claim.invoice, place)
        return (
            *(claim.id, scene.store_id, kind.value, life.state, life.status, life.revision),
            *(claim.pull_payment_id, card_id, card_id is not None, None, claim.tap_id),
            *(claim.units, claim.fund.currency, claim.amount_sats * MSAT_PER_SAT),
            *(claim.amount_sats, claim.value_cents, rate_numerator(claim.nanousd_per_btc)),
            *(RATE_DENOMINATOR, "flash", claim.rate_us, *self._learnt(claim)),
            *(DestinationKind.BOLT11.value, claim.invoice[:DESTINATION_START], sealed),
            *(claim.payment_hash, 1, course.evidence[0][0] if course.evidence else None),
            *(claim.basket.memo, "{}", *life.error, visit.at_us, stamps("eligible_at")),
            *(stamps("approved_at"), stamps("submitted_at"), None, None),
            *(stamps("completed_at"), stamps("closed_at"), None, claim.claim_key),
            *(scene.wallet_id if was_sent else None, _FENCE if was_sent else 0),
        )

    def _learnt(self, claim: _Claim) -> tuple[int, int] | tuple[None, None]:
        """Return fee and debit as the wallet's statement tells them, some time after."""
        paid_us = claim.course.paid_us
        if not claim.course.is_settled or paid_us is None:
            return None, None
        if paid_us > self._scene.now_us - _STATEMENT_US:
            return None, None
        debit_nanousd, fee_nanousd = _cost(claim)
        fee_msat = ceil_div(fee_nanousd * MSAT_PER_BTC, claim.nanousd_per_btc)
        return fee_msat, debit_nanousd + fee_nanousd

    def _count(self, claim: _Claim) -> None:
        told, at_us, place = self._told, claim.visit.at_us, claim.visit.customer
        status, kind = claim.life.status, PayoutKind.TAP if claim.tap_id else PayoutKind.CLAIM
        for grain, length_us in ((Grain.QUARTER, _QUARTER_US), (Grain.DAY, _DAY_US)):
            key = (grain.value, at_us - at_us % length_us, status)
            figures = [told.rollups[*key, kind.value]]
            if claim.tap_id is not None:
                figures.append(told.card_rollups[place, *key])
            for figure in figures:
                figure[0] += 1
                figure[1] += claim.amount_sats
                figure[2] += claim.value_cents
            self._count_fee(claim, key[:2])
        if claim.tap_id is not None:
            told.last_used_us[place] = at_us
        if claim.course.attempt == AttemptState.SETTLED.value:
            told.paid[claim.fund.key] += claim.units
        elif claim.visit.waits:
            told.reserved[claim.fund.key] += claim.units

    def _count_fee(self, claim: _Claim, key: tuple[str, int]) -> None:
        fee_msat = self._learnt(claim)[0]
        if fee_msat is None:
            return
        fees = [self._told.fee_rollups[key]]
        if claim.tap_id is not None:
            fees.append(self._told.card_fee_rollups[claim.visit.customer, *key])
        for fee in fees:
            fee[0] += fee_msat
            fee[1] += 1

    def _id(self, prefix: str, at_us: int) -> str:
        """Return an id of that moment; its last sixteen letters are eighty bits of chance."""
        letters = self._chance.randbytes(16).translate(_ANY_LETTER).decode()
        return f"{prefix}_{_time_letters(at_us // 1000)}{letters}"


@lru_cache(maxsize=4096)
def _time_letters(ms: int) -> str:
    return "".join(chr(_ALPHABET[ms >> shift & 31]) for shift in range(45, -1, -5))


@lru_cache(maxsize=1024)
def _words(memo: str) -> tuple[str, ...]:
    return tuple(search_words(memo))


def _as_audited(fields: dict[str, Any]) -> str:
    return json.dumps(fields, sort_keys=True, separators=(",", ":"))


def _cents(sats: int, nanousd_per_btc: int) -> tuple[int, int]:
    """Return what sats are worth and what they cost, in cents, at the rate the service keeps."""
    product = sats * rate_numerator(nanousd_per_btc)
    return product // RATE_DENOMINATOR, ceil_div(product, RATE_DENOMINATOR)


def _cost(claim: _Claim) -> tuple[int, int]:
    """Return what a payment costs the wallet, and the fee beside it, in nano-dollars."""
    debit_nanousd = debit_of(claim.amount_sats * MSAT_PER_SAT, claim.nanousd_per_btc)
    is_home = claim.basket.payee.username is not None
    return debit_nanousd, 0 if is_home else fee_of(claim.payment_hash, debit_nanousd)


def _expiries(visit: Visit, fund: Fund, *, has_card: bool) -> tuple[int, ...]:
    if visit.waits:
        return _WAITING_EXPIRY_S
    if not fund.auto_approve:
        return _EXPENSE_EXPIRY_S
    return _TILL_EXPIRY_S if has_card else (_LINK_EXPIRY_S,)
