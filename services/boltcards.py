"""Boltcards: how they are added, and what a tap of one proves (NT4H2421Gx, Boltcard)."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import structlog

from models.card import Card, CardState, KeySet, Tap, TapState
from models.errors import InvalidField, LimitReached, NotFoundError, TapError
from models.ids import CARD, TAP, Ids
from models.instants import Clock
from models.pull_payment import PullPayment
from models.store import Actor
from services.audit import audit
from services.card_crypto import PiccData, PiccReader, TapQuery, verify_mac
from services.database import Database
from services.key_sets import KEY_BYTES, KeySets
from services.plain_text import plain_text
from services.storage import card as cards
from services.storage import pull_payment as pull_payments
from services.storage import store as stores
from services.storage.statement import Transaction
from services.vault import Vault, token_hash

_log = structlog.get_logger(__name__)

ALIAS_LIMIT = 60
K1_LIFE = timedelta(seconds=60)  # long enough to type a PIN at a till
# A tap is tried against each distinct K1, and against each card that has not shown its UID yet.
DISTINCT_K1_LIMIT = 1000
UNBOUND_LIMIT = 500
RELOAD_EVERY = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class NewCard:
    """What a card is made from; keys that are not given are made here."""

    alias: str
    pull_payment_id: str
    uid: bytes | None = None
    k1: bytes | None = field(default=None, repr=False)
    k2: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class OpenTap:
    """An accepted tap: what it may draw, and the k1 that draws it."""

    k1: str = field(repr=False)
    card: Card
    pull_payment: PullPayment


@dataclass(frozen=True, slots=True)
class _Reading:
    """What `p` says if it was made with a certain K1."""

    k1_hash: str
    uid_hash: str
    picc: PiccData


class Boltcards:
    """Adds cards and takes taps."""

    def __init__(self, database: Database, vault: Vault, clock: Clock, ids: Ids) -> None:
        self._database = database
        self._vault = vault
        self._clock = clock
        self._ids = ids
        self.key_sets = KeySets(vault, ids)
        self._k1s: dict[str, PiccReader] = {}
        self._loaded_at: datetime | None = None

    async def load_keys(self) -> None:
        """Read the distinct K1s of all cards, to try taps against."""
        for key_set in await self._database.read(cards.one_key_set_per_k1):
            self.learn_k1(key_set)

    async def create(
        self,
        store_id: str,
        wanted: NewCard,
        actor: Actor,
        also: Callable[[Transaction, Card], None] | None = None,
    ) -> Card:
        """Add a card to a pull payment; `also` runs in the same transaction.

        Raises:
            InvalidField: The alias or UID is taken, or the pull payment is not this store's.
        """
        alias = plain_text(wanted.alias, ALIAS_LIMIT + 1)
        if not 1 <= len(alias) <= ALIAS_LIMIT:
            raise InvalidField("alias", f"give a name of 1 to {ALIAS_LIMIT} characters")
        if len(self._k1s) >= DISTINCT_K1_LIMIT:
            raise LimitReached("k1", "There are too many cards with a K1 of their own.")
        card, key_set = await self._database.write(
            self._create, store_id, replace(wanted, alias=alias), actor, also
        )
        self.learn_k1(key_set)
        return card

    async def read(self, store_id: str, card_id: str) -> Card:
        """Return a card.

        Raises:
            NotFoundError: This store has no such card.
        """
        found = await self._database.read(cards.read_card, store_id, card_id)
        if found is None:
            raise NotFoundError("There is no such card.")
        return found

    async def page(
        self, store_id: str, limit: int, before: tuple[datetime, str] | None
    ) -> list[Card]:
        """Return cards, newest first."""
        return await self._database.read(cards.page_cards, store_id, limit, before)

    async def change(
        self,
        store_id: str,
        card_id: str,
        actor: Actor,
        *,
        alias: str | None = None,
        active: bool | None = None,
        pull_payment_id: str | None = None,
    ) -> Card:
        """Rename a card, switch it on or off, or have it draw from another pull payment.

        Raises:
            NotFoundError: This store has no such card.
            InvalidField: The alias is taken, or the pull payment is not this store's.
        """
        return await self._database.write(
            self._change, store_id, card_id, actor, alias, active, pull_payment_id
        )

    async def take_tap(self, query: TapQuery, hint: str | None) -> OpenTap:
        """Accept a read of a card and open a withdrawal for it.

        Raises:
            TapError: Unknown card, replayed counter, or a card that is switched off.
        """
        k1 = secrets.token_hex(KEY_BYTES)
        try:
            return await self._try_tap(query, k1, hint)
        except TapError as error:
            if error.reason != "unknown_card" or not await self._load_new_keys():
                raise
            return await self._try_tap(query, k1, hint)

    async def _try_tap(self, query: TapQuery, k1: str, hint: str | None) -> OpenTap:
        readings = self._read_with_all_keys(query)
        if not readings:
            raise TapError("unknown_card", "This card is not known here.")
        return await self._database.write(self._take_tap, query, readings, k1, hint)

    async def _load_new_keys(self) -> bool:
        """Look for cards that another instance added; seldom, as anybody can show a wrong card."""
        now = self._clock.utc_now()
        if self._loaded_at is not None and now - self._loaded_at < RELOAD_EVERY:
            return False
        self._loaded_at = now
        known = len(self._k1s)
        for store_id, version, sealed in await self._database.read(stores.read_data_keys):
            if not self._vault.knows(store_id):
                self._vault.add_data_key(store_id, version, sealed)
        await self.load_keys()
        return len(self._k1s) > known

    def uid_of(self, card: Card) -> str | None:
        """Return a card's UID in hex, if it has shown one."""
        if card.uid_sealed is None:
            return None
        return self.key_sets.open_uid(card.store_id, card.id, card.uid_sealed).hex()

    def uid_hash(self, uid: bytes) -> str:
        """Return the keyed hash by which a UID is found."""
        return self.key_sets.hash_uid(uid)

    def learn_k1(self, key_set: KeySet) -> None:
        """Try the K1 of a key set against taps from now on."""
        self._k1s[key_set.k1_hash] = PiccReader(self.key_sets.open(key_set).k1)

    def _read_with_all_keys(self, query: TapQuery) -> list[_Reading]:
        readings = []
        for k1_hash, reader in self._k1s.items():
            picc = reader.read(query.p)
            # A wrong K1 shows the right tag once in 256: only the MAC decides.
            if picc is not None:
                readings.append(_Reading(k1_hash, self.uid_hash(picc.uid), picc))
        return readings

    def _take_tap(
        self,
        tx: Transaction,
        query: TapQuery,
        readings: list[_Reading],
        k1: str,
        hint: str | None,
    ) -> OpenTap:
        now = self._clock.utc_now()
        for reading in readings:
            found = self._find_card(tx, reading, query)
            if found is not None:
                card, key_set = found
                break
        else:
            raise TapError("unknown_card", "This card is not known here.")
        if card.state is not CardState.ACTIVE:
            raise TapError("card_disabled", "This card is switched off.")
        counter = reading.picc.counter
        if not cards.advance_counter(tx, key_set, counter, now):
            _log.warning("tap.replayed", card_id=card.id, counter=counter)
            raise TapError("replay", "This tap was used before; tap again.")
        pull_payment = pull_payments.read_pull_payment(tx, card.store_id, card.pull_payment_id)
        assert pull_payment is not None
        cards.add_tap(
            tx,
            Tap(
                id=self._ids.new(TAP),
                store_id=card.store_id,
                card_id=card.id,
                key_set_id=key_set.id,
                pull_payment_id=pull_payment.id,
                counter=counter,
                state=TapState.OPEN,
                k1_hash=token_hash(k1),
                payout_id=None,
                hint=hint,
                at=now,
                expires_at=now + K1_LIFE,
            ),
        )
        return OpenTap(k1, card, pull_payment)

    def _find_card(
        self, tx: Transaction, reading: _Reading, query: TapQuery
    ) -> tuple[Card, KeySet] | None:
        """Return the card whose K2 made `c`; the MAC is checked before any counter is touched."""
        card = cards.find_uid(tx, reading.uid_hash)
        if card is not None:
            key_set = cards.current_keys(tx, card.store_id, card.id)
            if key_set is not None and self._made_by(key_set, reading, query):
                return card, key_set
            return None
        for key_set in cards.unbound_key_sets(tx, reading.k1_hash, UNBOUND_LIMIT):
            if self._made_by(key_set, reading, query):
                return self._bind(tx, key_set, reading), key_set
        return None

    def _made_by(self, key_set: KeySet, reading: _Reading, query: TapQuery) -> bool:
        if key_set.k1_hash != reading.k1_hash:
            return False
        k2 = self.key_sets.open(key_set).k2
        return verify_mac(k2, reading.picc.uid, reading.picc.counter, query.c)

    def _bind(self, tx: Transaction, key_set: KeySet, reading: _Reading) -> Card:
        """Give a card the UID of its first good tap."""
        sealed = self.key_sets.seal_uid(key_set.store_id, key_set.card_id, reading.picc.uid)
        cards.bind_uid(tx, key_set.store_id, key_set.card_id, reading.uid_hash, sealed)
        card = cards.read_card(tx, key_set.store_id, key_set.card_id)
        assert card is not None
        return card

    def _create(
        self,
        tx: Transaction,
        store_id: str,
        wanted: NewCard,
        actor: Actor,
        also: Callable[[Transaction, Card], None] | None,
    ) -> tuple[Card, KeySet]:
        now = self._clock.utc_now()
        if pull_payments.read_pull_payment(tx, store_id, wanted.pull_payment_id) is None:
            raise InvalidField("pull_payment_id", "there is no such pull payment")
        if cards.find_alias(tx, store_id, wanted.alias) is not None:
            raise InvalidField("alias", "another card has this name")
        uid_hash = None if wanted.uid is None else self.uid_hash(wanted.uid)
        if uid_hash is not None and cards.find_uid(tx, uid_hash) is not None:
            raise InvalidField("uid", "this card has been added before")
        card_id = self._ids.new(CARD)
        card = Card(
            id=card_id,
            store_id=store_id,
            pull_payment_id=wanted.pull_payment_id,
            alias=wanted.alias,
            state=CardState.ACTIVE,
            uid_hash=uid_hash,
            uid_sealed=None
            if wanted.uid is None
            else self.key_sets.seal_uid(store_id, card_id, wanted.uid),
            created_at=now,
            last_used_at=None,
        )
        keys = self.key_sets.new_keys(tx, store_id, wanted.uid)
        keys = replace(keys, k1=wanted.k1 or keys.k1, k2=wanted.k2 or keys.k2)
        # Whoever names both keys has them on a card already.
        is_by_hand = wanted.k1 is not None and wanted.k2 is not None
        key_set = self.key_sets.new_set(
            store_id, card_id, keys, version=0, now=now, handed_at=now if is_by_hand else None
        )
        cards.add_card(tx, card)
        cards.add_key_set(tx, key_set)
        after = {"alias": card.alias, "pull_payment_id": card.pull_payment_id}
        audit(tx, store_id, actor, "card.created", now=now, subject_id=card_id, after=after)
        if also is not None:
            also(tx, card)
        return card, key_set

    def _change(
        self,
        tx: Transaction,
        store_id: str,
        card_id: str,
        actor: Actor,
        alias: str | None,
        active: bool | None,
        pull_payment_id: str | None,
    ) -> Card:
        old = cards.lock_card(tx, store_id, card_id)
        if old is None:
            raise NotFoundError("There is no such card.")
        new = old
        if alias is not None:
            alias = plain_text(alias, ALIAS_LIMIT + 1)
            if not 1 <= len(alias) <= ALIAS_LIMIT:
                raise InvalidField("alias", f"give a name of 1 to {ALIAS_LIMIT} characters")
            other = cards.find_alias(tx, store_id, alias)
            if other is not None and other.id != old.id:
                raise InvalidField("alias", "another card has this name")
            new = replace(new, alias=alias)
        if active is not None:
            new = replace(new, state=CardState.ACTIVE if active else CardState.DISABLED)
        if pull_payment_id is not None:
            if pull_payments.read_pull_payment(tx, store_id, pull_payment_id) is None:
                raise InvalidField("pull_payment_id", "there is no such pull payment")
            new = replace(new, pull_payment_id=pull_payment_id)
        cards.change_card(tx, new)
        audit(
            tx,
            store_id,
            actor,
            "card.changed",
            now=self._clock.utc_now(),
            subject_id=card_id,
            before={"alias": old.alias, "state": old.state, "pull_payment_id": old.pull_payment_id},
            after={"alias": new.alias, "state": new.state, "pull_payment_id": new.pull_payment_id},
        )
        return new
