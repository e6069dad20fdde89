"""Putting keys on cards and taking them off: short-lived links for the programmer app.

A link is for one card and one act, gives its keys once, and is kept as a hash. To program, the app
says which card it holds; to reset, it has to show a fresh read, because wrong keys lock a chip.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

import structlog

from models.card import Card, CardState, KeySet
from models.card_keys import CardKeys
from models.card_link import CardLink, HandedKeys, LinkAction, MadeLink
from models.errors import CardLinkError, DuplicateRow, NotFoundError, TapError
from models.ids import CARD_LINK, Ids
from models.instants import Clock
from models.store import Actor, ActorKind
from services.audit import audit
from services.boltcards import Boltcards
from services.card_crypto import PiccData, TapQuery, decrypt_picc, tap_from_pairs, verify_mac
from services.database import Database
from services.storage import card as cards
from services.storage import card_link as links
from services.storage.statement import Transaction
from services.vault import token_hash

_log = structlog.get_logger(__name__)

LINK_LIFE = timedelta(minutes=15)
REPEAT = timedelta(minutes=2)  # an app that lost the answer may ask again
MOST_TRIES = 12
MOST_VERSIONS = 100
TOKEN_BYTES = 16
_TOKEN = re.compile(r"[A-Za-z0-9_-]{22}\Z")
_READ_LIMIT = 512


class CardLinks:
    """Makes links, and gives keys out for them."""

    def __init__(self, database: Database, clock: Clock, ids: Ids, boltcards: Boltcards) -> None:
        self._database = database
        self._clock = clock
        self._ids = ids
        self._boltcards = boltcards
        self._key_sets = boltcards.key_sets

    async def make(
        self,
        store_id: str,
        card_id: str,
        action: LinkAction,
        actor: Actor,
        also: Callable[[Transaction, MadeLink], None] | None = None,
    ) -> MadeLink:
        """Make a link for a card; an earlier one that is still open ends.

        Raises:
            NotFoundError: This store has no such card.
            CardLinkError: There is nothing on the card to take off.
        """
        token = secrets.token_urlsafe(TOKEN_BYTES)
        return await self._database.write(self._make, store_id, card_id, action, actor, token, also)

    async def program(self, token: str, uid: bytes | None, address: str | None) -> HandedKeys:
        """Give out the keys to put on a card; the card with this UID is the one from now on.

        Without a UID, which some apps do not say, the card shows it at its first tap.

        Raises:
            NotFoundError: No link has this token.
            CardLinkError: The link is used or over, or is for another card.
        """
        hashed = await self._count_try(token)
        try:
            handed, key_set = await self._database.write(self._program, hashed, uid, address)
        except DuplicateRow:
            raise _taken() from None
        self._boltcards.learn_k1(key_set)
        _log.info("card.keys_handed_out", card_id=key_set.card_id, version=key_set.version)
        return handed

    async def reset(self, token: str, read: str, address: str | None) -> HandedKeys:
        """Give out the keys to take off a card, against a fresh read of it; it is blocked.

        Raises:
            NotFoundError: No link has this token.
            CardLinkError: The link is used or over.
            TapError: The read is not of this card, or not fresh.
        """
        query = _read_of(read)
        hashed = await self._count_try(token)
        handed, card_id = await self._database.write(self._reset, hashed, query, address)
        _log.info("card.keys_handed_out", card_id=card_id, version=handed.version, to_wipe=True)
        return handed

    async def show_keys(self, store_id: str, card_id: str, actor: Actor) -> HandedKeys:
        """Give out the current keys of a card that cannot be read any more; it is blocked.

        Raises:
            NotFoundError: This store has no such card.
        """
        return await self._database.write(self._show_keys, store_id, card_id, actor)

    async def _count_try(self, token: str) -> str:
        """Count a try in a transaction of its own, so that a refusal counts as well."""
        hashed = token_hash(token)
        if _TOKEN.match(token) is None or not await self._database.write(
            links.count_try, hashed, MOST_TRIES
        ):
            raise NotFoundError("This link is not known or over; make a new one.")
        return hashed

    # What follows runs inside the transaction.

    def _make(
        self,
        tx: Transaction,
        store_id: str,
        card_id: str,
        action: LinkAction,
        actor: Actor,
        token: str,
        also: Callable[[Transaction, MadeLink], None] | None,
    ) -> MadeLink:
        now = self._clock.utc_now()
        card = cards.lock_card(tx, store_id, card_id)
        if card is None:
            raise NotFoundError("There is no such card.")
        current = cards.current_keys(tx, store_id, card_id)
        assert current is not None
        if action is LinkAction.RESET and current.handed_at is None:
            raise CardLinkError("nothing_to_reset", "This card has not been programmed yet.")
        link = CardLink(
            id=self._ids.new(CARD_LINK),
            store_id=store_id,
            card_id=card_id,
            action=action,
            token_hash=token_hash(token),
            tries=0,
            created_at=now,
            expires_at=now + LINK_LIFE,
            used_at=None,
            key_set_id=None,
            uid_hash=None,
        )
        links.add_link(tx, link)
        after = {"link": link.id, "action": action, "expires_at": link.expires_at}
        audit(tx, store_id, actor, "card.link_made", now=now, subject_id=card_id, after=after)
        made = MadeLink(link.id, token, action, link.expires_at)
        if also is not None:
            also(tx, made)
        return made

    def _program(
        self, tx: Transaction, hashed: str, uid: bytes | None, address: str | None
    ) -> tuple[HandedKeys, KeySet]:
        now = self._clock.utc_now()
        link, card = self._open(tx, hashed, LinkAction.PROGRAM)
        uid_hash = None if uid is None else self._key_sets.hash_uid(uid)
        if link.used_at is not None:
            is_same = uid_hash is not None and uid_hash == link.uid_hash
            if not is_same or now - link.used_at > REPEAT:
                raise _used()
            return self._again(tx, link, card)
        current = cards.current_keys(tx, card.store_id, card.id)
        assert current is not None
        if uid is not None and uid_hash is not None and card.uid_hash != uid_hash:
            self._bind(tx, card, current, uid, uid_hash)
        key_set = current
        if current.handed_at is not None or current.first_tap_at is not None:
            key_set = self._renew(tx, card, current, now)
        links.mark_handed(tx, key_set, now)
        if current.wiped_at is not None:
            cards.change_card(tx, _with_state(card, CardState.ACTIVE))
        if not links.use_link(tx, link, key_set.id, uid_hash, now):
            raise _over()
        self._audit(tx, link, "card.keys_handed_out", key_set.version, now, address)
        return HandedKeys(card.alias, key_set.version, self._key_sets.open(key_set)), key_set

    def _reset(
        self, tx: Transaction, hashed: str, query: TapQuery, address: str | None
    ) -> tuple[HandedKeys, str]:
        now = self._clock.utc_now()
        link, card = self._open(tx, hashed, LinkAction.RESET)
        key_set, picc, keys = self._made_by(tx, card, query)
        handed = HandedKeys(card.alias, key_set.version, keys)
        if link.used_at is not None:
            if link.key_set_id != key_set.id or now - link.used_at > REPEAT:
                raise _used()
            return handed, card.id
        # A retired key set pays nothing any more, so its counter guards nothing either.
        if key_set.is_current and not cards.advance_counter(tx, key_set, picc.counter, now):
            raise TapError("replay", "This read was used before; hold the card again.")
        if not links.use_link(tx, link, key_set.id, card.uid_hash, now):
            raise _over()
        self._block_wiped(tx, card, key_set, now)
        self._audit(tx, link, "card.keys_handed_out_to_wipe", key_set.version, now, address)
        return handed, card.id

    def _show_keys(self, tx: Transaction, store_id: str, card_id: str, actor: Actor) -> HandedKeys:
        now = self._clock.utc_now()
        card = cards.lock_card(tx, store_id, card_id)
        if card is None:
            raise NotFoundError("There is no such card.")
        key_set = cards.current_keys(tx, store_id, card_id)
        assert key_set is not None
        self._block_wiped(tx, card, key_set, now)
        after = {"version": key_set.version}
        audit(tx, store_id, actor, "card.keys_shown", now=now, subject_id=card_id, after=after)
        return HandedKeys(card.alias, key_set.version, self._key_sets.open(key_set))

    def _open(self, tx: Transaction, hashed: str, action: LinkAction) -> tuple[CardLink, Card]:
        link = links.lock_link(tx, hashed)
        if link is None:
            raise NotFoundError("This link is not known or over; make a new one.")
        if link.action is not action:
            raise CardLinkError("other_action", f"This link is there to {link.action} a card.")
        if link.used_at is None and link.expires_at <= self._clock.utc_now():
            raise _over()
        card = cards.lock_card(tx, link.store_id, link.card_id)
        assert card is not None
        return link, card

    def _again(self, tx: Transaction, link: CardLink, card: Card) -> tuple[HandedKeys, KeySet]:
        for key_set in links.read_key_sets(tx, card.store_id, card.id, MOST_VERSIONS):
            if key_set.id == link.key_set_id:
                keys = self._key_sets.open(key_set)
                return HandedKeys(card.alias, key_set.version, keys), key_set
        raise _used()

    def _bind(
        self, tx: Transaction, card: Card, current: KeySet, uid: bytes, uid_hash: str
    ) -> None:
        """Have the card that is held to the phone be the one; a card in use keeps its own."""
        is_settled = current.version > 0 or current.first_tap_at is not None
        if card.uid_hash is not None and is_settled:
            raise CardLinkError("other_card", "This is not the card that this link is for.")
        other = cards.find_uid(tx, uid_hash)
        if other is not None:
            self._release(tx, other, card)
        sealed = self._key_sets.seal_uid(card.store_id, card.id, uid)
        links.rebind_uid(tx, card, uid_hash, sealed)

    def _release(self, tx: Transaction, other: Card, card: Card) -> None:
        """Let a chip that was wiped begin anew under another name."""
        keys = cards.current_keys(tx, other.store_id, other.id)
        if other.store_id != card.store_id or keys is None or keys.wiped_at is None:
            raise _taken()
        links.rebind_uid(tx, other, None, None)

    def _renew(self, tx: Transaction, card: Card, current: KeySet, now: datetime) -> KeySet:
        """Give a card new keys: taps made with the old ones are refused from now on."""
        links.retire_keys(tx, card)
        keys = self._key_sets.new_keys(tx, card.store_id)
        key_set = self._key_sets.new_set(
            card.store_id, card.id, keys, version=current.version + 1, now=now, handed_at=now
        )
        cards.add_key_set(tx, key_set)
        return key_set

    def _made_by(
        self, tx: Transaction, card: Card, query: TapQuery
    ) -> tuple[KeySet, PiccData, CardKeys]:
        """Return the key set that made a read, be it an old one: that is what has to come off."""
        for key_set in links.read_key_sets(tx, card.store_id, card.id, MOST_VERSIONS):
            keys = self._key_sets.open(key_set)
            picc = decrypt_picc(keys.k1, query.p)
            if picc is None or not verify_mac(keys.k2, picc.uid, picc.counter, query.c):
                continue
            if card.uid_hash in {None, self._key_sets.hash_uid(picc.uid)}:
                return key_set, picc, keys
        raise TapError("unknown_card", "This is not the card that this link is for.")

    def _block_wiped(self, tx: Transaction, card: Card, key_set: KeySet, now: datetime) -> None:
        if key_set.is_current:
            cards.change_card(tx, _with_state(card, CardState.DISABLED))
            links.mark_wiped(tx, key_set, now)

    def _audit(
        self,
        tx: Transaction,
        link: CardLink,
        action: str,
        version: int,
        now: datetime,
        address: str | None,
    ) -> None:
        """Record what a link did; who made the link is recorded under its id."""
        actor = Actor(ActorKind.SYSTEM, link.id, address)
        after = {"link": link.id, "version": version}
        audit(tx, link.store_id, actor, action, now=now, subject_id=link.card_id, after=after)


def _read_of(text: str) -> TapQuery:
    """Return what a card's whole address, as an app read it, says in `p` and `c`."""
    try:
        pairs = parse_qsl(urlsplit(text[:_READ_LIMIT]).query, max_num_fields=8)
    except ValueError:
        pairs = []
    return tap_from_pairs(pairs)


def _with_state(card: Card, state: CardState) -> Card:
    return Card(**{name: getattr(card, name) for name in card.__slots__} | {"state": state})


def _used() -> CardLinkError:
    return CardLinkError("used", "This link was used before; make a new one.")


def _over() -> CardLinkError:
    return CardLinkError("over", "This link is over; make a new one.")


def _taken() -> CardLinkError:
    return CardLinkError("known_card", "This card is in use here already; reset it there first.")
