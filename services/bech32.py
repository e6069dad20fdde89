"""The bech32 text form (BIP 173) without its length limit, as BOLT 11 and LUD-01 use it.

Symbols travel as base-32 digits (`0` to `9`, `a` to `v`), so that `int(digits, 32)` turns any
run of them into a number in one step.
"""

from __future__ import annotations

from typing import Final

_LETTERS: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_DIGITS: Final = "0123456789abcdefghijklmnopqrstuv"
_BITS: Final = 5
_CHECKSUM_LENGTH: Final = 6
_CHECKSUM_BITS: Final = 30
_GENERATOR: Final = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
# In this code x^1023 is 1, so what a symbol does to the checksum repeats every 1,023 symbols.
_PERIOD_BITS: Final = 1023 * _BITS
_PERIOD_MASK: Final = (1 << _PERIOD_BITS) - 1

_TO_DIGITS: Final = str.maketrans(_LETTERS, _DIGITS)
_TO_LETTERS: Final = str.maketrans(_DIGITS, _LETTERS)
_ALPHABET: Final = frozenset(_LETTERS)
# The prefix enters the checksum twice: first the high three bits of each character, then the low
# five (BIP 173).
_HIGH_BITS: Final = {code: _DIGITS[code >> _BITS] for code in range(33, 127)}
_LOW_BITS: Final = {code: _DIGITS[code & 31] for code in range(33, 127)}


class Bech32Error(ValueError):
    """Say why a text is no bech32; `bolt11` and `lnurl` translate it for people."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


def _parity_masks() -> tuple[int, ...]:
    """Return, highest first, which message bits each of the 30 checksum bits is the parity of.

    The checksum is linear over single bits: with these masks one AND and one population count
    give a bit of it, thirty of them the whole, several times faster than symbol by symbol.
    """
    overflow = [0]
    for coefficient in _GENERATOR:
        overflow.extend([value ^ coefficient for value in overflow])
    columns: list[str] = []
    symbol_bits = [1 << bit for bit in range(_BITS)]
    for _ in range(_PERIOD_BITS // _BITS):
        columns.extend(f"{state:030b}" for state in symbol_bits)
        # One more symbol behind: the state times x, modulo the generator.
        symbol_bits = [(s & 0x1FFFFFF) << _BITS ^ overflow[s >> 25] for s in symbol_bits]
    columns.reverse()
    table = "".join(columns)
    return tuple(int(table[row::_CHECKSUM_BITS], 2) for row in range(_CHECKSUM_BITS))


_MASKS: Final = _parity_masks()


def _checksum_state(prefix: str, digits: str) -> int:
    """Return the BIP 173 checksum state over a prefix and base-32 digits."""
    # The state starts as 1, which is the same as a first symbol 1 in front of zeros.
    expanded = f"1{prefix.translate(_HIGH_BITS)}0{prefix.translate(_LOW_BITS)}{digits}"
    message = int(expanded, 32)
    while message > _PERIOD_MASK:
        message = (message & _PERIOD_MASK) ^ (message >> _PERIOD_BITS)
    state = 0
    for mask in _MASKS:
        state = state << 1 | (message & mask).bit_count() & 1
    return state


def split(text: str) -> tuple[str, str]:
    """Return the lower-case prefix and the base-32 digits, checksum included (BIP 173).

    Raises:
        Bech32Error: `bad_char`, `mixed_case`, `no_separator` or `too_short`.
    """
    if not text.isascii() or not text.isprintable() or " " in text:
        raise Bech32Error("bad_char")
    lower = text.lower()
    if text not in {lower, text.upper()}:
        raise Bech32Error("mixed_case")
    prefix, separator, letters = lower.rpartition("1")
    if not separator or not prefix:
        raise Bech32Error("no_separator")
    if not _ALPHABET.issuperset(letters):
        raise Bech32Error("bad_char")
    if len(letters) < _CHECKSUM_LENGTH:
        raise Bech32Error("too_short")
    return prefix, letters.translate(_TO_DIGITS)


def check(prefix: str, digits: str) -> str:
    """Return the digits without their checksum, once it is right (BIP 173).

    Raises:
        Bech32Error: `bad_checksum`.
    """
    if _checksum_state(prefix, digits) != 1:
        raise Bech32Error("bad_checksum")
    return digits[:-_CHECKSUM_LENGTH]


def join(prefix: str, digits: str) -> str:
    """Return the lower-case text for a prefix and base-32 digits, adding the checksum (BIP 173)."""
    state = _checksum_state(prefix, digits + "0" * _CHECKSUM_LENGTH) ^ 1
    letters = (digits + to_digits(state, _CHECKSUM_BITS)).translate(_TO_LETTERS)
    return f"{prefix}1{letters}"


def to_digits(number: int, bits: int) -> str:
    """Return a number of so many bits as base-32 digits, zeros filling up the last one."""
    length = -(-bits // _BITS)
    number <<= length * _BITS - bits
    return "".join(
        _DIGITS[number >> shift & 31] for shift in range((length - 1) * _BITS, -1, -_BITS)
    )


def letters_to_digits(letters: str) -> str:
    """Return bech32 letters as base-32 digits."""
    return letters.translate(_TO_DIGITS)


def bytes_to_digits(data: bytes) -> str:
    """Return bytes as base-32 digits, zeros filling up the last one."""
    return to_digits(int.from_bytes(data), 8 * len(data))


def digits_to_bytes(digits: str) -> bytes:
    """Return the whole bytes within base-32 digits, dropping the bits that fill up the last one."""
    bits = len(digits) * _BITS
    spare = bits % 8
    return (int(digits or "0", 32) >> spare).to_bytes(bits // 8)
