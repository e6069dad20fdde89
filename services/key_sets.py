"""Key sets: what is sealed on a card's behalf, and how new keys come about."""

from __future__ import annotations

import json
import secrets
from datetime import datetime

from models.card import KeySet
from models.card_keys import CardKeys
from models.ids import KEY_SET, Ids
from services.card_crypto import derive_k1, derive_keys
from services.storage import store as stores
from services.storage.statement import Transaction
from services.vault import Vault

KEY_BYTES = 16


class KeySets:
    """Makes, seals and opens the keys of cards."""

    def __init__(self, vault: Vault, ids: Ids) -> None:
        self._vault = vault
        self._ids = ids

    def new_keys(self, tx: Transaction, store_id: str, uid: bytes | None = None) -> CardKeys:
        """Return keys for a card: derived from the issuer key where a UID is given, else random.

        K1 is one for all cards of an issuer, as it works before the UID is known.
        """
        sealed = stores.read_issuer_key(tx, store_id)
        issuer_key = self._vault.of(store_id).open(sealed, f"stores/{store_id}/issuer_key")
        if uid is not None:
            return derive_keys(issuer_key, uid, 0)
        k0, k2, k3, k4 = (secrets.token_bytes(KEY_BYTES) for _ in range(4))
        return CardKeys(k0, derive_k1(issuer_key), k2, k3, k4)

    def new_set(
        self,
        store_id: str,
        card_id: str,
        keys: CardKeys,
        *,
        version: int,
        now: datetime,
        handed_at: datetime | None,
    ) -> KeySet:
        """Return a current key set of a card that nobody has tapped with yet."""
        return KeySet(
            id=self._ids.new(KEY_SET),
            store_id=store_id,
            card_id=card_id,
            version=version,
            is_current=True,
            k1_hash=k1_hash(self._vault, keys.k1),
            keys_sealed=self._seal(store_id, card_id, keys),
            last_counter=0,
            created_at=now,
            handed_at=handed_at,
        )

    def open(self, key_set: KeySet) -> CardKeys:
        """Return the keys of a set."""
        sealer = self._vault.of(key_set.store_id)
        text = sealer.open_text(key_set.keys_sealed, f"key_sets/{key_set.card_id}/keys")
        return read_keys(text)

    def hash_uid(self, uid: bytes) -> str:
        """Return the keyed hash by which a UID is found."""
        return uid_hash(self._vault, uid)

    def seal_uid(self, store_id: str, card_id: str, uid: bytes) -> bytes:
        """Seal a card's UID."""
        return self._vault.of(store_id).seal(uid, f"cards/{card_id}/uid")

    def open_uid(self, store_id: str, card_id: str, sealed: bytes) -> bytes:
        """Return a card's UID."""
        return self._vault.of(store_id).open(sealed, f"cards/{card_id}/uid")

    def _seal(self, store_id: str, card_id: str, keys: CardKeys) -> bytes:
        text = json.dumps([key.hex() for key in (keys.k0, keys.k1, keys.k2, keys.k3, keys.k4)])
        return self._vault.of(store_id).seal_text(text, f"key_sets/{card_id}/keys")


def read_keys(text: str) -> CardKeys:
    """Return the keys that a set holds, from the text that is sealed."""
    k0, k1, k2, k3, k4 = (bytes.fromhex(key) for key in json.loads(text))
    return CardKeys(k0, k1, k2, k3, k4)


def uid_hash(vault: Vault, uid: bytes) -> str:
    """Return the keyed hash by which a card is found."""
    return vault.find_hash("uid", uid)


def k1_hash(vault: Vault, k1: bytes) -> str:
    """Return the keyed hash by which key sets with the same K1 are found."""
    return vault.find_hash("k1", k1)
