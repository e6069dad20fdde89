"""Sealed secrets: AES-256-GCM envelopes bound to the place they are kept in.

Each store has its own data key, sealed by the master key; the master key is a file outside the
database. What must be found again, such as a card's UID, is kept beside it as a keyed hash.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import stat
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from models.errors import SettingError

KEY_BYTES = 32
_NONCE_BYTES = 12
_FORMAT = b"\x01"


def token_hash(token: str) -> str:
    """Return the SHA-256 of a random token, as it is kept; never used for guessable texts."""
    return hashlib.sha256(token.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class KeyFile:
    """What the file of the master key holds; `previous` only while a rotation is under way."""

    current: bytes = field(repr=False)
    previous: bytes | None = field(default=None, repr=False)

    def rotated(self) -> KeyFile:
        """Return the same with a new master key, and this one as the previous."""
        return KeyFile(secrets.token_bytes(KEY_BYTES), self.current)

    def write(self, path: Path) -> None:
        """Put it in the file's place, whole or not at all."""
        lines = [self.current.hex()]
        if self.previous is not None:
            lines.append(f"previous {self.previous.hex()}")
        draft = path.with_name(f"{path.name}.{os.getpid()}.new")
        _write_new(draft, "\n".join(lines) + "\n")
        draft.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def load_master_key(path: Path, *, may_create: bool, is_rotating: bool = False) -> KeyFile:
    """Return the master key of a file; the first start makes one, readable by its owner only.

    Raises:
        SettingError: The file is missing though secrets were sealed with it, is readable by
            others, does not hold 64 hexadecimal digits, or a rotation of it was cut off.
    """
    if not path.exists():
        if not may_create:
            raise SettingError(
                "MASTER_KEY_FILE", f"{path} is missing, and this database holds sealed secrets"
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        _write_new(path, secrets.token_hex(KEY_BYTES) + "\n")
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise SettingError("MASTER_KEY_FILE", f"{path} must be readable by its owner only (0600)")
    try:
        first, *others = path.read_text().strip().splitlines()
        named = dict(line.split() for line in others)
        keys = {name: bytes.fromhex(text) for name, text in {"current": first, **named}.items()}
        found = KeyFile(**keys)
    except (ValueError, TypeError):
        keys = {"current": b""}
        found = KeyFile(b"")
    if any(len(key) != KEY_BYTES for key in keys.values()):
        raise SettingError("MASTER_KEY_FILE", f"{path} must hold 64 hexadecimal digits")
    if found.previous is not None and not is_rotating:
        raise SettingError(
            "MASTER_KEY_FILE", "a rotation was cut off: run `flash-payouts keys rotate` to its end"
        )
    return found


def _write_new(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


class Sealer:
    """Seals and opens the secrets of one store."""

    def __init__(self, data_key: bytes) -> None:
        self._cipher = AESGCM(data_key)

    def seal(self, secret: bytes, place: str) -> bytes:
        """Seal a secret for a place such as `attempts/at_…/invoice`; it opens nowhere else."""
        nonce = os.urandom(_NONCE_BYTES)
        return _FORMAT + nonce + self._cipher.encrypt(nonce, secret, place.encode())

    def open(self, sealed: bytes, place: str) -> bytes:
        """Open what was sealed for this place.

        Raises:
            ValueError: It was sealed by another key or for another place, or was changed.
        """
        body = bytes(sealed)
        if body[:1] != _FORMAT:
            msg = "not a sealed value"
            raise ValueError(msg)
        nonce, text = body[1 : 1 + _NONCE_BYTES], body[1 + _NONCE_BYTES :]
        try:
            return self._cipher.decrypt(nonce, text, place.encode())
        except InvalidTag as error:
            msg = f"sealed value does not open at {place.rsplit('/', 1)[-1]}"
            raise ValueError(msg) from error

    def seal_text(self, secret: str, place: str) -> bytes:
        """Seal a text."""
        return self.seal(secret.encode(), place)

    def open_text(self, sealed: bytes, place: str) -> str:
        """Open a sealed text."""
        return self.open(sealed, place).decode()


class Vault:
    """Holds the master key and the data keys of all stores."""

    def __init__(self, master: KeyFile | bytes) -> None:
        keys = KeyFile(master) if isinstance(master, bytes) else master
        master_key = keys.current
        self._master = Sealer(_derive(master_key, b"seal data keys"))
        self.find_key = _derive(master_key, b"find sealed values")
        self.sign_key = _derive(master_key, b"sign claim links")
        # People belong to no one store, so their secrets have a key of their own.
        self.people = Sealer(_derive(master_key, b"seal people's secrets"))
        self.token_key = _derive(master_key, b"sign access tokens")
        self._sealers: dict[str, Sealer] = {}

    def new_data_key(self, store_id: str, version: int = 1) -> bytes:
        """Make a store's data key and return it sealed, to be kept in the database."""
        data_key = secrets.token_bytes(KEY_BYTES)
        self._sealers[store_id] = Sealer(data_key)
        return self._master.seal(data_key, f"data_keys/{store_id}/{version}")

    def add_data_key(self, store_id: str, version: int, sealed_key: bytes) -> None:
        """Take a data key from the database."""
        data_key = self._master.open(sealed_key, f"data_keys/{store_id}/{version}")
        self._sealers[store_id] = Sealer(data_key)

    def of(self, store_id: str) -> Sealer:
        """Return the sealer of a store."""
        return self._sealers[store_id]

    def knows(self, store_id: str) -> bool:
        """Tell whether a store's data key is here."""
        return store_id in self._sealers

    def find_hash(self, purpose: str, value: bytes) -> str:
        """Return the keyed hash by which a sealed value is found again."""
        message = purpose.encode() + b"\x00" + value
        return hmac.new(self.find_key, message, hashlib.sha256).hexdigest()

    def sign(self, message: bytes) -> bytes:
        """Return a 128-bit signature of a message that only this installation can make."""
        return hmac.new(self.sign_key, message, hashlib.sha256).digest()[:16]


def _derive(master_key: bytes, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=purpose).derive(master_key)
