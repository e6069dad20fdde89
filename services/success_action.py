"""What a recipient wants shown after a payment (LUD-09), and its encrypted form (LUD-10)."""

from __future__ import annotations

from base64 import b64decode
from typing import Final
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from models.errors import GatewayError, InvalidField
from models.success_action import SuccessAction
from services.lnurl import check_url
from services.plain_text import plain_text

_MAX_TEXT: Final = 144
_MAX_CIPHERTEXT: Final = 4096
_IV_LENGTH: Final = 16
_IV_TEXT_LENGTH: Final = 24  # sixteen bytes in base 64
_BLOCK_BITS: Final = 128


def read_success_action(action: object, callback: str) -> SuccessAction | None:
    """Return an action that may be shown, or None: an odd one does not stop a payout (LUD-09)."""
    match action:
        case {"tag": "message", "message": str(message)}:
            return SuccessAction("message", plain_text(message, _MAX_TEXT))
        case {"tag": "url", "description": str(description), "url": str(url)}:
            if not _is_same_host(url, callback):
                return None
            return SuccessAction("url", plain_text(description, _MAX_TEXT), url)
        case {
            "tag": "aes",
            "description": str(description),
            "ciphertext": str(ciphertext),
            "iv": str(iv),
        } if ciphertext and len(ciphertext) <= _MAX_CIPHERTEXT and len(iv) == _IV_TEXT_LENGTH:
            text = plain_text(description, _MAX_TEXT)
            return SuccessAction("aes", text, ciphertext=ciphertext, iv=iv)
        case _:
            return None


def decrypt_message(preimage: bytes, ciphertext: str, iv: str) -> str:
    """Return the secret of an `aes` action, which the preimage opens (LUD-10).

    Raises:
        GatewayError: If it does not open.
    """
    try:
        if len(ciphertext) > _MAX_CIPHERTEXT:
            raise GatewayError("The recipient's secret message is too long.")
        data, vector = b64decode(ciphertext, validate=True), b64decode(iv, validate=True)
        if len(vector) != _IV_LENGTH:
            raise GatewayError("The recipient's secret message cannot be opened.")
        decryptor = Cipher(algorithms.AES(preimage), modes.CBC(vector)).decryptor()
        padded = decryptor.update(data) + decryptor.finalize()
        unpadder = PKCS7(_BLOCK_BITS).unpadder()
        return (unpadder.update(padded) + unpadder.finalize()).decode()
    except ValueError:
        raise GatewayError("The recipient's secret message cannot be opened.") from None


def _is_same_host(url: str, callback: str) -> bool:
    """Return whether a link stays with the recipient; others could lead anywhere (LUD-09)."""
    try:
        return urlsplit(check_url(url)).hostname == urlsplit(callback).hostname
    except InvalidField:
        return False
