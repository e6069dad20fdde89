from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import InvalidField, TapError
from services import card_crypto
from tests.mutations import ANY_TEXT, mutated
from tests.vector_files import rows, vectors

FILE = "boltcard.json"
BOUNDED = settings(max_examples=300, deadline=None, database=None)
K1 = bytes.fromhex("f7870b1c4020621b14dd31e01901fee7")
K2 = bytes.fromhex("92c61dab4c78bd067443356c80e963de")
UID = bytes.fromhex("04112233445566")
HEX = "0123456789abcdefABCDEF"
UIDS = st.binary(min_size=7, max_size=7)
KEYS = st.binary(min_size=16, max_size=16)


def read(k1: bytes, k2: bytes, p: str, c: str) -> card_crypto.PiccData | None:
    """A whole tap check, as a till would cause it."""
    tap = card_crypto.parse_tap(p, c)
    picc = card_crypto.decrypt_picc(k1, tap.p)
    if picc is None or not card_crypto.verify_mac(k2, picc.uid, picc.counter, tap.c):
        return None
    return picc


@pytest.mark.parametrize("row", vectors(FILE, "taps"))
def test_a_tap_is_judged_as_the_vector_expects(row: dict[str, Any]) -> None:
    picc = read(bytes.fromhex(row["k1"]), bytes.fromhex(row["k2"]), row["p"], row["c"])

    assert (picc is not None) == row["valid"]
    if picc:
        assert (picc.uid.hex(), picc.counter) == (row["uid"], row["counter"])


@BOUNDED
@given(st.lists(st.binary(min_size=16, max_size=16), max_size=4), UIDS, st.integers(0, 0xFFFFFF))
def test_what_a_reader_read_before_leaves_no_trace(
    before: list[bytes], uid: bytes, counter: int
) -> None:
    reader = card_crypto.PiccReader(K1)
    for p in before:
        assert reader.read(p) == card_crypto.decrypt_picc(K1, p)

    p, _ = card_crypto.tap_query(K1, K2, uid, counter, bytes(5))

    assert reader.read(bytes.fromhex(p)) == card_crypto.PiccData(uid, counter)


@pytest.mark.parametrize("row", [row for row in vectors(FILE, "taps") if row.values[0]["valid"]])
def test_a_virtual_card_sends_what_the_real_one_sent(row: dict[str, Any]) -> None:
    k1, k2, plaintext = (bytes.fromhex(row[name]) for name in ("k1", "k2", "plaintext"))

    sent = card_crypto.tap_query(k1, k2, bytes.fromhex(row["uid"]), row["counter"], plaintext[11:])

    assert sent == (row["p"].upper(), row["c"].upper())


def test_a_chance_match_of_the_tag_is_found_out_by_the_right_keys() -> None:
    row = next(row for row in rows(FILE, "taps") if "correct_k1" in row)

    picc = read(
        bytes.fromhex(row["correct_k1"]), bytes.fromhex(row["correct_k2"]), row["p"], row["c"]
    )

    assert picc is not None
    assert (picc.uid.hex(), picc.counter) == (row["correct_uid"], row["correct_counter"])


@pytest.mark.parametrize("row", vectors(FILE, "intermediate"))
def test_every_step_towards_the_mac_is_right(row: dict[str, Any]) -> None:
    k2, uid = bytes.fromhex(row["k2"]), bytes.fromhex(row["uid"])
    vector = card_crypto._session_vector(uid, row["counter"])
    session_key = card_crypto._cmac(k2, vector)
    full = card_crypto._cmac(session_key, row.get("mac_input_ascii", "").encode())

    assert vector.hex() == row["sv2"]
    assert session_key.hex() == row["session_key"]
    assert full.hex() == row.get("full_cmac", full.hex())
    assert full[1::2].hex() == row.get("c", full[1::2].hex())


@pytest.mark.parametrize("row", vectors(FILE, "deterministic_keys"))
def test_keys_are_derived_as_the_vector_expects(row: dict[str, Any]) -> None:
    issuer_key, uid = bytes.fromhex(row["issuer_key"]), bytes.fromhex(row["uid"])

    keys = card_crypto.derive_keys(
        issuer_key,
        uid,
        row["version"],
        pull_payment_id=row.get("btcpay_pull_payment_id", ""),
    )

    derived = [key.hex() for key in (keys.k0, keys.k1, keys.k2, keys.k3, keys.k4)]
    assert derived == [row[f"k{number}"] for number in range(5)]
    assert card_crypto.derive_k1(issuer_key).hex() == row["k1"]
    assert card_crypto.derive_card_id(issuer_key, uid).hex() == row["card_id"]


@pytest.mark.parametrize("row", vectors(FILE, "replay_sequences"))
def test_a_sequence_of_taps_verifies_up_to_what_only_the_counter_tells(
    row: dict[str, Any],
) -> None:
    keys = row.get("k2_by_version") or {"0": row["k2"]}
    version, last = str(row.get("start_version", 0)), row["start_last_counter"]
    accepted = 0
    for step in row["steps"]:
        if step.get("op") == "reprogram":
            version, last = str(step["new_version"]), 0
            continue
        picc = read(bytes.fromhex(row["k1"]), bytes.fromhex(keys[version]), step["p"], step["c"])
        assert (picc is None) == (step["expect"] == "reject_cmac")
        is_fresh = picc is not None and picc.counter > last
        accepted += is_fresh
        assert picc is None or picc.counter == step["counter"]
        last = picc.counter if picc and is_fresh else last
        assert last == step["last_after"]
        if not row.get("parallel"):
            assert is_fresh == (step["expect"] == "accept")

    assert accepted == 1 or not row.get("parallel")


@pytest.mark.parametrize("row", vectors(FILE, "malformed_requests"))
def test_a_malformed_query_is_refused(row: dict[str, Any]) -> None:
    with pytest.raises(TapError) as refused:
        card_crypto.tap_from_pairs(parse_qsl(row["query"], keep_blank_values=True))

    assert f"error_{refused.value.reason}" == row["expect"]


def test_a_query_may_hold_other_parameters_but_p_and_c_only_once() -> None:
    p, c = card_crypto.tap_query(K1, K2, UID, 1, bytes(5))
    pairs = [("p", p), ("x", "1"), ("x", "2"), ("c", c)]

    assert card_crypto.tap_from_pairs(pairs) == card_crypto.parse_tap(p.lower(), c.lower())
    with pytest.raises(TapError):
        card_crypto.tap_from_pairs([*pairs, ("p", p)])


@pytest.mark.parametrize("row", vectors(FILE, "lrp_unsupported"))
def test_a_card_in_lrp_mode_is_refused_by_length(row: dict[str, Any]) -> None:
    with pytest.raises(TapError):
        card_crypto.parse_tap(row["p"], row["c"])


@pytest.mark.parametrize("key", [bytes(16), bytes(15) + b"\x01", b"", bytes(15), bytes(17)])
def test_an_issuer_key_that_everybody_knows_is_refused(key: bytes) -> None:
    with pytest.raises(InvalidField):
        card_crypto.check_issuer_key(key)


def test_a_new_issuer_key_is_random_and_passes_its_own_check() -> None:
    first, second = card_crypto.new_issuer_key(), card_crypto.new_issuer_key()

    assert first != second
    assert card_crypto.check_issuer_key(first) == first


def test_a_card_key_is_read_from_hex_and_never_the_factory_s() -> None:
    assert card_crypto.parse_card_key("k1", K1.hex().upper()) == K1
    for text in ("00" * 16, "", K1.hex() + "0", " " + K1.hex(), "zz" * 16):
        with pytest.raises(InvalidField) as refused:
            card_crypto.parse_card_key("k2", text)
        assert refused.value.field == "k2"
        assert not text.strip() or text not in refused.value.message


def test_a_uid_is_read_from_fourteen_hex_digits() -> None:
    assert card_crypto.parse_uid("0411223344556A") == bytes.fromhex("0411223344556a")
    for text in ("", "04112233445566 ", "041122334455", "04:11:22:33:44:55:66"):
        with pytest.raises(InvalidField):
            card_crypto.parse_uid(text)


def test_no_repr_shows_keys_taps_or_uids() -> None:
    issuer_key = card_crypto.new_issuer_key()
    p, c = card_crypto.tap_query(K1, K2, UID, 1, bytes(5))
    tap = card_crypto.parse_tap(p, c)

    assert repr(card_crypto.derive_keys(issuer_key, UID, 0)) == "CardKeys()"
    assert repr(tap) == "TapQuery()"
    assert repr(card_crypto.decrypt_picc(K1, tap.p)) == "PiccData(counter=1)"


@BOUNDED
@given(KEYS, KEYS, UIDS, st.integers(0, 0xFFFFFF), st.binary(min_size=5, max_size=5))
def test_what_a_virtual_card_sends_is_read_back(
    k1: bytes, k2: bytes, uid: bytes, counter: int, padding: bytes
) -> None:
    picc = read(k1, k2, *card_crypto.tap_query(k1, k2, uid, counter, padding))

    assert picc == card_crypto.PiccData(uid, counter)


@BOUNDED
@given(mutated([K1.hex(), K2.hex()], HEX), mutated(["0a8d809fcbd7c09c"], HEX))
def test_a_damaged_tap_raises_nothing_but_tap_error_and_never_verifies(p: str, c: str) -> None:
    try:
        picc = read(K1, K2, p, c)
    except TapError:
        return

    assert picc is None


@BOUNDED
@given(ANY_TEXT, ANY_TEXT)
def test_any_text_raises_nothing_but_tap_error(p: str, c: str) -> None:
    with pytest.raises(TapError):
        card_crypto.parse_tap(p, c)


@BOUNDED
@given(st.integers(0, 127), st.integers(0, 63))
def test_a_single_wrong_bit_is_always_found(p_bit: int, c_bit: int) -> None:
    p, c = card_crypto.tap_query(K1, K2, UID, 1000, bytes(5))

    assert read(K1, K2, p, f"{int(c, 16) ^ 1 << c_bit:016x}") is None
    assert read(K1, K2, f"{int(p, 16) ^ 1 << p_bit:032x}", c) is None
