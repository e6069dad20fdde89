"""Everything that may happen to a house, in any order; after each step nothing may be wrong."""

from __future__ import annotations

import contextlib
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from models.flash import InvoiceStatus
from models.payout_request import PayoutRequest
from models.pull_payment import PullPayment
from models.states import PayoutState
from services import bolt11
from services.card_crypto import parse_tap
from services.pull_payments import NewPullPayment, PullPaymentChange
from services.withdrawals import Claim
from tests.stateful.acts import ACTS, ALICE, PEOPLE, Asked
from tests.stateful.drain import drain, end_payment, mend
from tests.stateful.fake import HOST, USD_PER_BTC
from tests.stateful.house import House, Process
from tests.stateful.invariants import moves, wrongs, wrongs_at_the_end
from tests.stateful.troubles import READ_FAULTS, TROUBLE, TROUBLES
from tests.support.cards import VirtualCard

ANY = st.integers(0, 30)
PERSON = st.sampled_from(sorted(PEOPLE))
# Few, and near each other, so that rows of the statement are hard to tell apart.
SAYS = st.sampled_from((InvoiceStatus.EXPIRED, InvoiceStatus.EXPIRED, *InvoiceStatus))
SATS = st.sampled_from((1_000, 1_000, 1_001, 2_500, 40_000))
EXPIRY_S = st.sampled_from((60, 60, 600, 3_600, 90_000))
LATER = (60, 11 * 60, 16 * 60, 3_600, 21 * 3_600, 25 * 3_600)
TAKEN: Counter[tuple[PayoutState, PayoutState]] = Counter()
STEPS: Counter[str] = Counter()


class Machine(RuleBasedStateMachine):
    """One example: a house, the people around it, and what befalls it."""

    # Lends a migrated database of its own to each example.
    lend: ClassVar[Callable[[Path], AbstractContextManager[str]]]

    def __init__(self) -> None:
        super().__init__()
        self.lent = contextlib.ExitStack()
        self.house: House
        self.pulls: list[PullPayment] = []
        self.cards: list[VirtualCard] = []
        self.claims: list[Claim] = []
        self.invoices = 0
        self.misjudged: set[str] = set()

    @initialize(seed=st.integers(0, 2**32 - 1))
    def open(self, seed: int) -> None:
        folder = Path(self.lent.enter_context(tempfile.TemporaryDirectory()))
        url = self.lent.enter_context(type(self).lend(folder))
        self.house = House(url, folder, seed)
        self._make_budget("SATS", 200_000, auto=True, most=None)

    def teardown(self) -> None:
        with self.lent:
            if not hasattr(self, "house"):
                return
            try:
                self._check(wrongs(self.house, self._excused()))
                drain(self.house)
                self._check(wrongs_at_the_end(self.house, self._excused()))
                TAKEN.update(moves(self.house))
                STEPS.update(self.house.refusals)
                STEPS["examples"] += 1
            finally:
                self.house.close()

    @invariant()
    def nothing_is_wrong(self) -> None:
        if hasattr(self, "house"):
            STEPS["steps"] += 1
            self.house.let_pass(0.05)
            self._check(wrongs(self.house, self._excused()))

    # Budgets, claims and taps.

    @rule(
        currency=st.sampled_from(("SATS", "USD")),
        budget=st.sampled_from((2_500, 100_000)),
        auto=st.booleans(),
        most=st.sampled_from((None, 2_000)),
    )
    def make_budget(self, currency: str, budget: int, auto: bool, most: int | None) -> None:
        self._make_budget(currency, budget, auto=auto, most=most)

    @rule(which=ANY, budget=st.sampled_from((None, 1_000, 50_000)), auto=st.booleans(), who=PERSON)
    def edit_budget(self, which: int, budget: int | None, auto: bool, who: str) -> None:
        change = PullPaymentChange(amount=budget, auto_approve=auto)
        with self._service() as service:
            self.house.ask(
                service.container.pull_payments.change(
                    self.house.store.id, self._pull(which).id, change, PEOPLE[who]
                )
            )

    @rule(which=ANY, sats=SATS, expiry_s=EXPIRY_S, home=st.booleans(), troubles=TROUBLES)
    def claim(
        self, which: int, sats: int, expiry_s: int, home: bool, troubles: list[dict[str, Any]]
    ) -> None:
        self._arm(*troubles)
        with self._service() as service:
            token = service.container.pull_payments.claim_token(self._pull(which))
            offer = self.house.ask(service.container.withdrawals.offer_link(token))
            if offer is not None:
                invoice = bolt11.decode(self._invoice(sats * 1000, expiry_s, home=home))
                self._call_back(service, Claim(offer.k1, invoice, None, token))

    @precondition(lambda self: self.claims)
    @rule(which=ANY, other_invoice=st.booleans())
    def claim_again(self, which: int, other_invoice: bool) -> None:
        claim = self.claims[which % len(self.claims)]
        invoice = claim.invoice
        if other_invoice:
            invoice = bolt11.decode(self._invoice(1_000_000, 600, home=False))
        with self._service() as service:
            again = Claim(claim.k1, invoice, None, claim.claim_token)
            self.house.call(service.container.withdrawals.claim(again))

    @rule(which=ANY, sats=SATS, replayed=st.booleans(), home=st.booleans())
    def tap(self, which: int, sats: int, replayed: bool, home: bool) -> None:
        with self._service() as service:
            if len(self.cards) <= which % 3:
                card = VirtualCard()
                new = card.as_new(f"Card {len(self.cards)}", self._pull(which).id)
                boltcards = service.container.boltcards
                if self.house.ask(boltcards.create(self.house.store.id, new, ALICE)) is None:
                    return
                self.cards.append(card)
            card = self.cards[which % len(self.cards)]
            reading = card.reading(max(1, card.counter)) if replayed else card.read()
            opened = self.house.ask(service.container.boltcards.take_tap(parse_tap(*reading), None))
            if opened is not None:
                invoice = bolt11.decode(self._invoice(sats * 1000, 600, home=home))
                self._call_back(service, Claim(opened.k1, invoice, None, None))

    @rule(
        kind=st.sampled_from(("home", "foreign", "amountless", "address", "user")),
        sats=SATS,
        expiry_s=EXPIRY_S,
        which=st.none() | ANY,
        who=PERSON,
        troubles=TROUBLES,
        is_approved=st.booleans(),
    )
    def request(  # all that a request is made of
        self,
        kind: str,
        sats: int,
        expiry_s: int,
        which: int | None,
        who: str,
        troubles: list[dict[str, Any]],
        is_approved: bool,
    ) -> None:
        self._arm(*troubles)
        amount: int | None = sats
        if kind in {"address", "user"}:
            self.house.flash.world.payee("carol")
            destination = f"carol@{HOST}" if kind == "address" else "carol"
        elif kind == "amountless":
            destination = self._invoice(None, expiry_s, home=False)
        else:
            amount = None
            destination = self._invoice(sats * 1000, expiry_s, home=kind == "home")
        pull = None if which is None else self._pull(which).id
        with self._service() as service:
            wanted, store_id = PayoutRequest(destination, amount, None, pull), self.house.store.id
            create = service.container.engine.requests.create
            made = self.house.ask(create(store_id, wanted, PEOPLE[who]))
            if made is not None and is_approved:
                approve = service.container.payouts.approve
                self.house.call(approve(store_id, made.id, made.revision, PEOPLE[who]))

    # What people decide.

    @rule(
        acts=st.lists(st.sampled_from(sorted(ACTS)), min_size=1, max_size=3),
        which=ANY,
        who=PERSON,
        is_meant=st.integers(0, 5),
    )
    def decide(self, acts: list[str], which: int, who: str, is_meant: int) -> None:
        """Have somebody act on a payout: mostly on one that waits for it, and as it is now."""
        found = self._pick(which, ACTS[acts[0]][0] if is_meant else ())
        if found is None:
            return
        payout_id, revision = found
        for act in acts:
            with self._service() as service:
                asked = Asked(service.container, self.house.store.id, payout_id, PEOPLE[who])
                shown = revision if is_meant else revision - 1
                self.house.call(ACTS[act][1](asked, shown, self.house.wall.utc_now()))
            self.house.let_pass(0.02)

    @rule(which=ANY, who=PERSON, is_wrong=st.booleans())
    def resolve(self, which: int, who: str, is_wrong: bool) -> None:
        found = self._pick(which, ("needs_review", "in_flight"))
        if found is None:
            return
        rows = self.house.raw.rows(
            f"SELECT payment_hash FROM attempts WHERE payout_id = '{found[0]}'"
        )
        is_paid = any(self.house.flash.world.is_paid(row[0]) for row in rows)
        is_open = any(self.house.flash.world.payments.live(row[0]) for row in rows)
        if is_wrong or is_open or self.house.flash.on_the_way:
            self.misjudged.add(found[0])
        with self._service() as service:
            self.house.call(
                service.container.engine.interventions.resolve(
                    self.house.store.id,
                    found[0],
                    PEOPLE[who],
                    is_paid=is_paid != is_wrong,
                    evidence="The recipient says so.",
                )
            )

    @rule(act=st.sampled_from(("stop", "resume", "resume", "open_gate", "open_gate")), who=PERSON)
    def wallet(self, act: str, who: str) -> None:
        with self._service() as service:
            self.house.call(
                getattr(service.container.wallets, act)(self.house.store.id, PEOPLE[who])
            )

    # Time, processes and books.

    @rule(seconds=st.sampled_from((0.3, 2.0, 7.0, 20.0)))
    def wait(self, seconds: float) -> None:
        self.house.let_pass(seconds)

    @rule(seconds=st.sampled_from(LATER), then_s=st.sampled_from((0.0, 7.0)))
    def jump(self, seconds: int, then_s: float) -> None:
        self.house.jump(timedelta(seconds=seconds))
        self.house.let_pass(then_s)

    @rule(
        name=st.sampled_from(("one", "one", "two")),
        what=st.sampled_from(("kill", "stop", "start", "start", "stall", "go_on", "die", "die")),
        fuse=st.integers(0, 30),
    )
    def process(self, name: str, what: str, fuse: int) -> None:
        running = self.house.processes.get(name)
        if what in {"kill", "stop", "start"}:
            getattr(self.house, what)(name)
            self.house.let_pass(1.0 if what == "start" else 0.0)
        elif running is not None and what == "die":
            running.life.fuse = fuse
        elif running is not None:
            getattr(running.life, what)()

    @rule(only_check=st.booleans())
    def look_at_the_books(self, only_check: bool) -> None:
        with self._service() as service:
            engine, store_id = service.container.engine, self.house.store.id
            if only_check or service.connected is None:
                self.house.call(engine.night_watch.check(store_id))
            else:
                keeper = service.connected.worker.tools.bookkeeper
                self.house.call(engine.reconciliations.reconcile(store_id, keeper))

    # What befalls Flash and the way there.

    @rule(trouble=TROUBLE)
    def make_trouble(self, trouble: dict[str, Any]) -> None:
        self._arm(trouble)

    @rule(trouble=st.sampled_from(READ_FAULTS), times=st.sampled_from((1, 3, 20)))
    def spoil_reading(self, trouble: dict[str, Any], times: int) -> None:
        self._arm({**trouble, "times": times})

    @rule(what=st.sampled_from(("flash", "host", "mend", "mend")))
    def go_away(self, what: str) -> None:
        mend(self.house)
        if what != "mend":
            self.house.flash.is_away = what == "flash"
            self.house.flash.host_is_away = True

    @rule(which=ANY, is_settled=st.booleans())
    def end_payment(self, which: int, is_settled: bool) -> None:
        open_ = [row for row in self.house.flash.ledger() if row["state"] == "inflight"]
        if open_:
            end_payment(self.house, open_[which % len(open_)], is_settled=is_settled)

    @rule(which=ANY)
    def pay_as_a_stranger(self, which: int) -> None:
        """Have somebody else pay an invoice that Flash issued and nobody has paid."""
        self.house.pay_as_a_stranger(which)

    @rule(percent=st.sampled_from((-40, -3, 1, 4, 30)), is_told=st.booleans())
    def move_price(self, percent: int, is_told: bool) -> None:
        nanousd = USD_PER_BTC * 10**9 * (100 + percent) // 100
        self.house.loop.do(self.house.flash.world.set_price(nanousd, is_held=True))
        if is_told:
            self.house.loop.call(self.house.flash.tell_price)

    @rule(which=ANY, says=SAYS, is_up=st.integers(0, 3))
    def socket(self, which: int, says: InvoiceStatus, is_up: int) -> None:
        """Cut or mend the line, or tell of some invoice: whatever Flash says but an untrue PAID."""
        query = "SELECT attempts.payment_hash FROM attempts JOIN payouts ON payouts.id = payout_id "
        order = "ORDER BY attempts.created_at, attempts.id"
        open_ = self.house.raw.rows(f"{query} WHERE payouts.state = 'in_flight' {order}")
        rows = open_ or self.house.raw.rows(query + order)
        with self._service() as service:
            if service.socket is None:
                return
            self.house.loop.call(service.socket.reconnect if is_up else service.socket.cut)
            if rows:
                payment_hash = rows[which % len(rows)][0]
                if says is InvoiceStatus.PAID and not self.house.flash.world.is_paid(payment_hash):
                    payment_hash = "00" * 32
                self.house.call(service.socket.tell(payment_hash, says))

    # The parts of those.

    def _excused(self) -> frozenset[str]:
        """Return what people got wrong: it must be told, but cannot be kept from being wrong."""
        decided = self.house.raw.rows(
            "SELECT payout_id FROM payout_events WHERE actor_kind = 'person' "
            "AND source IN ('needs_review', 'in_flight')"
        )
        return frozenset(self.misjudged & {row[0] for row in decided})

    def _check(self, found: list[str]) -> None:
        assert not found, "\n".join(found)

    @contextmanager
    def _service(self) -> Iterator[Process]:
        """Lend the process that people reach."""
        yield self.house.reachable()

    def _pull(self, which: int) -> PullPayment:
        return self.pulls[which % len(self.pulls)]

    def _make_budget(self, currency: str, budget: int, *, auto: bool, most: int | None) -> None:
        wanted = NewPullPayment(
            name="Tips", currency=currency, amount=budget, max_sats=most, auto_approve=auto
        )
        with self._service() as service:
            create = service.container.pull_payments.create
            made = self.house.ask(create(self.house.store.id, wanted, ALICE))
        if made is not None:
            self.pulls.append(made)

    def _invoice(self, amount_msat: int | None, expiry_s: int, *, home: bool) -> str:
        flash = self.house.flash
        if home:
            minted = flash.world.mint("carol", amount_msat, "", expiry_s)
            return self.house.loop.do(minted).request
        self.invoices += 1
        return flash.foreign_invoice(self.invoices, amount_msat, expiry_s)

    def _call_back(self, service: Process, claim: Claim) -> None:
        self.claims.append(claim)
        self.house.call(service.container.withdrawals.claim(claim))

    def _pick(self, which: int, states: tuple[str, ...]) -> tuple[str, int] | None:
        """Return a payout with its revision: one of some states if there is any, else any."""
        rows = self.house.raw.rows(
            "SELECT id, revision, state FROM payouts ORDER BY created_at, id"
        )
        found = [row for row in rows if row[2] in states] or rows
        return (found[which % len(found)][0], found[which % len(found)][1]) if found else None

    def _arm(self, *troubles: dict[str, Any]) -> None:
        flash = self.house.flash
        for trouble in troubles:
            if "way" in trouble:
                flash.ways.extend([trouble["way"]] * trouble["times"])
                flash.late_s = trouble.get("late_s", flash.late_s)
            else:
                flash.world.faults.add(dict(trouble))
