"""What a new password must not be: short, or made of what everybody tries first."""

from __future__ import annotations

from functools import cache
from pathlib import Path

MIN_LENGTH = 12
MAX_LENGTH = 200
# So much of it must be left when common words, runs and repeats are taken away, unless it holds
# at least four such words: then their number makes up for it.
MIN_REST = 5
MANY_WORDS = 4
MIN_DIFFERENT = 5
_LEET = str.maketrans("@4301!$57", "aaeoiisst")
_LIST = Path(__file__).with_name("common_passwords.txt")
_RUNS = ("0123456789", "9876543210", "abcdefghijklmnopqrstuvwxyz", "qwertyuiop", "asdfghjkl")
_OWN = ("flashpayouts", "flashpayout")


@cache
def common_passwords() -> frozenset[str]:
    """Return the words and passwords that guessers begin with; the file is made for this use."""
    return frozenset(_LIST.read_text().split()) | frozenset(_OWN)


def objection(password: str, email: str) -> str | None:
    """Return why a password cannot be used, or nothing if it can."""
    if len(password) < MIN_LENGTH:
        return f"choose at least {MIN_LENGTH} characters"
    if len(password) > MAX_LENGTH:
        return f"choose at most {MAX_LENGTH} characters"
    if len(set(password)) < MIN_DIFFERENT:
        return "choose more different characters"
    plain = password.casefold()
    for name in (email.casefold(), email.casefold().partition("@")[0]):
        if len(name) >= MIN_DIFFERENT and name in plain and len(plain) - len(name) < MIN_LENGTH:
            return "choose one that does not contain your e-mail address"
    if is_common(plain) or is_common(plain.translate(_LEET)):
        return "choose one that is harder to guess; four unrelated words are good"
    return None


def is_common(plain: str) -> bool:
    """Tell whether a text is nothing but one to three common words, runs and a few characters."""
    known, words, rest, place = common_passwords(), 0, 0, 0
    if plain in known:
        return True
    while place < len(plain):
        length = _run(plain, place) or _word(plain, place, known)
        words += length > 0
        rest += length == 0 and plain[place].isalnum()
        place += length or 1
    return words < MANY_WORDS and rest < MIN_REST


def _word(plain: str, place: int, known: frozenset[str]) -> int:
    """Return the length of the longest common word that begins here."""
    for length in range(min(24, len(plain) - place), 2, -1):
        if plain[place : place + length] in known:
            return length
    return 0


def _run(plain: str, place: int) -> int:
    """Return the length of a run such as 2345 or aaaa, or of digits such as a year."""
    digits = place
    while digits < len(plain) and plain[digits].isdigit():
        digits += 1
    if digits > place:
        return digits - place
    same = place
    while same < len(plain) and plain[same] == plain[place]:
        same += 1
    longest = same - place if same - place > 2 else 0  # noqa: PLR2004
    for run in _RUNS:
        for length in range(len(plain) - place, 3, -1):
            if plain[place : place + length] in run:
                longest = max(longest, length)
                break
    return longest
