from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services import bech32

DIGITS = "0123456789abcdefghijklmnopqrstuv"
PREFIXES = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=20)
REST_OF_83 = "thenumber1andtheexcludedcharactersbio1tt5tgs"
BOUNDED = settings(max_examples=200, deadline=None, database=None)


def symbol_by_symbol(prefix: str, digits: str) -> int:
    """The checksum state as BIP 173 writes it down."""
    symbols = [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]
    state = 1
    for symbol in symbols + [int(digit, 32) for digit in digits]:
        top = state >> 25
        state = (state & 0x1FFFFFF) << 5 ^ symbol
        for bit, coefficient in enumerate(bech32._GENERATOR):
            state ^= coefficient if top >> bit & 1 else 0
    return state


@BOUNDED
@given(PREFIXES, st.text(DIGITS, max_size=400))
def test_the_checksum_is_that_of_bip_173(prefix: str, digits: str) -> None:
    assert bech32._checksum_state(prefix, digits) == symbol_by_symbol(prefix, digits)


@pytest.mark.parametrize("length", [990, 1010, 1023, 1024, 1100, 2046, 2100, 4096])
def test_the_checksum_holds_beyond_its_period(length: int) -> None:
    digits = (DIGITS * 128)[:length]

    assert bech32._checksum_state("lnbc", digits) == symbol_by_symbol("lnbc", digits)


@BOUNDED
@given(st.binary(max_size=400))
def test_bytes_come_back_from_a_joined_text(data: bytes) -> None:
    text = bech32.join("lnurl", bech32.bytes_to_digits(data))

    prefix, digits = bech32.split(text.upper())

    assert prefix == "lnurl"
    assert bech32.digits_to_bytes(bech32.check(prefix, digits)) == data


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a12uel5l", None),
        ("A12UEL5L", None),
        (f"an83characterlonghumanreadablepartthatcontains{REST_OF_83}", None),
        ("abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw", None),
        ("split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w", None),
        ("\x201nwldj5", "bad_char"),
        ("\x7f1axkwrx", "bad_char"),
        ("pzry9x0s0muk", "no_separator"),
        ("1pzry9x0s0muk", "no_separator"),
        ("x1b4n0q5v", "bad_char"),
        ("li1dgmt3", "too_short"),
        ("A1G7SGD8", "bad_checksum"),
        ("A12uEL5L", "mixed_case"),
    ],
)
def test_the_examples_of_bip_173_are_judged_as_written_there(text: str, reason: str | None) -> None:
    try:
        bech32.check(*bech32.split(text))
        judged = None
    except bech32.Bech32Error as error:
        judged = error.reason

    assert judged == reason
