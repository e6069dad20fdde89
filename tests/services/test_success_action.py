from __future__ import annotations

from contextlib import suppress
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given, settings

from models.errors import GatewayError
from models.success_action import SuccessAction
from services.success_action import decrypt_message, read_success_action
from tests.mutations import ANY_TEXT, mutated
from tests.vector_files import rows, vectors

FILE = "lnurl.json"
BOUNDED = settings(max_examples=300, deadline=None, database=None)
SECRET = rows(FILE, "lud10_aes")[0]
CALLBACK = "https://x.example/cb"


@pytest.mark.parametrize("row", vectors(FILE, "lud10_aes"))
def test_a_secret_message_opens_with_the_preimage(row: dict[str, Any]) -> None:
    preimage = bytes.fromhex(row["preimage"])

    opened = decrypt_message(preimage, row["ciphertext_base64"], row["iv_base64"])

    assert opened == row["plaintext"]
    assert sha256(preimage).hexdigest() == row["payment_hash"]


@pytest.mark.parametrize(
    ("preimage", "ciphertext", "iv"),
    [
        (bytes(32), SECRET["ciphertext_base64"], SECRET["iv_base64"]),
        (b"short", SECRET["ciphertext_base64"], SECRET["iv_base64"]),
        (bytes(32), SECRET["ciphertext_base64"][:-4], SECRET["iv_base64"]),
        (bytes(32), "", SECRET["iv_base64"]),
        (bytes(32), SECRET["ciphertext_base64"], "AAEC"),
        (bytes(32), "A" * 5000, SECRET["iv_base64"]),
        (bytes(32), "\u00e9", SECRET["iv_base64"]),
    ],
)
def test_a_secret_that_does_not_open_is_a_gateway_error(
    preimage: bytes, ciphertext: str, iv: str
) -> None:
    with pytest.raises(GatewayError):
        decrypt_message(preimage, ciphertext, iv)


@pytest.mark.parametrize(
    ("action", "shown"),
    [
        ({"tag": "message", "message": "a\u202eb\n"}, SuccessAction("message", "ab")),
        (
            {"tag": "url", "description": "see", "url": "https://X.example/1"},
            SuccessAction("url", "see", "https://X.example/1"),
        ),
        ({"tag": "url", "description": "see", "url": "https://evil.example/1"}, None),
        ({"tag": "url", "description": "see", "url": "javascript:alert(1)"}, None),
        ({"tag": "url", "url": "https://x.example/1"}, None),
        ({"tag": "message", "message": 5}, None),
        ({"tag": "aes", "description": "d", "ciphertext": "", "iv": ""}, None),
        ({"tag": "aes", "description": "d", "ciphertext": "YQ==", "iv": "YQ=="}, None),
        ({"tag": "aes", "description": "d", "ciphertext": "a" * 4097, "iv": "a" * 24}, None),
        (
            {"tag": "aes", "description": "d\n", "ciphertext": "YQ==", "iv": "a" * 24},
            SuccessAction("aes", "d", ciphertext="YQ==", iv="a" * 24),
        ),
        ({"tag": "new"}, None),
        ([], None),
        (None, None),
    ],
)
def test_an_action_is_shown_only_if_it_stays_with_the_recipient(
    action: object, shown: SuccessAction | None
) -> None:
    assert read_success_action(action, CALLBACK) == shown


@BOUNDED
@given(mutated([SECRET["ciphertext_base64"]]), mutated([SECRET["iv_base64"]]))
def test_a_damaged_secret_raises_nothing_but_gateway_error(ciphertext: str, iv: str) -> None:
    with suppress(GatewayError):
        decrypt_message(bytes.fromhex(SECRET["preimage"]), ciphertext, iv)


@BOUNDED
@given(ANY_TEXT)
def test_a_link_to_anywhere_else_is_never_shown(url: str) -> None:
    action = read_success_action({"tag": "url", "description": "x", "url": url}, CALLBACK)

    assert action is None
