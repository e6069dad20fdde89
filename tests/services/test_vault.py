"""Secrets open with their own key, at their own place, and nowhere else."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import SettingError
from services.vault import Sealer, Vault, load_master_key, token_hash

MASTER = bytes(range(32))
PLACE = "attempts/at_1/invoice"


@given(st.binary(max_size=500))
def test_what_is_sealed_is_opened(secret: bytes) -> None:
    sealer = Sealer(MASTER)

    assert sealer.open(sealer.seal(secret, PLACE), PLACE) == secret


def test_the_same_secret_is_sealed_differently_each_time() -> None:
    sealer = Sealer(MASTER)

    assert sealer.seal(b"secret", PLACE) != sealer.seal(b"secret", PLACE)
    assert b"secret" not in sealer.seal(b"secret", PLACE)


@pytest.mark.parametrize("place", ["attempts/at_2/invoice", "payouts/at_1/invoice", ""])
def test_it_does_not_open_at_another_place(place: str) -> None:
    sealer = Sealer(MASTER)

    with pytest.raises(ValueError, match="does not open"):
        sealer.open(sealer.seal(b"secret", PLACE), place)


def test_it_does_not_open_with_another_key_and_says_nothing_of_it() -> None:
    sealed = Sealer(MASTER).seal(b"secret", PLACE)

    with pytest.raises(ValueError, match="does not open at invoice") as caught:
        Sealer(bytes(32)).open(sealed, PLACE)

    assert "secret" not in str(caught.value)


@given(st.integers(0, 40), st.integers(1, 255))
def test_a_changed_byte_is_noticed(place: int, flip: int) -> None:
    sealer = Sealer(MASTER)
    sealed = bytearray(sealer.seal(b"0123456789", PLACE))
    sealed[place % len(sealed)] ^= flip

    with pytest.raises(ValueError, match=r"sealed value"):
        sealer.open(bytes(sealed), PLACE)


def test_stores_cannot_open_each_others_secrets() -> None:
    vault = Vault(MASTER)
    for store in ("st_1", "st_2"):
        vault.new_data_key(store)
    sealed = vault.of("st_1").seal_text("secret", PLACE)

    with pytest.raises(ValueError, match="does not open"):
        vault.of("st_2").open_text(sealed, PLACE)


def test_a_data_key_comes_back_from_the_database() -> None:
    vault = Vault(MASTER)
    kept = vault.new_data_key("st_1")
    sealed = vault.of("st_1").seal_text("secret", PLACE)
    restarted = Vault(MASTER)
    assert not restarted.knows("st_1")

    restarted.add_data_key("st_1", 1, kept)

    assert restarted.of("st_1").open_text(sealed, PLACE) == "secret"


def test_another_master_key_opens_no_data_key() -> None:
    kept = Vault(MASTER).new_data_key("st_1")

    with pytest.raises(ValueError, match="does not open"):
        Vault(bytes(32)).add_data_key("st_1", 1, kept)


def test_finding_and_signing_depend_on_key_and_purpose() -> None:
    one, other = Vault(MASTER), Vault(bytes(32))

    assert one.find_hash("uid", b"x") == Vault(MASTER).find_hash("uid", b"x")
    assert one.find_hash("uid", b"x") != one.find_hash("k1", b"x")
    assert one.find_hash("uid", b"x") != other.find_hash("uid", b"x")
    assert one.sign(b"x") != other.sign(b"x")
    assert len(one.sign(b"x")) == 16
    assert token_hash("a") != token_hash("b")


def test_the_first_start_makes_a_key_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "new" / "master.key"

    made = load_master_key(path, may_create=True)

    assert len(made.current) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_master_key(path, may_create=False) == made


def test_a_missing_key_stops_the_start_of_a_database_with_secrets(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="MASTER_KEY_FILE"):
        load_master_key(tmp_path / "master.key", may_create=False)

    assert not (tmp_path / "master.key").exists()


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_a_key_that_others_can_read_stops_the_start(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "master.key"
    path.write_text(secrets.token_hex(32))
    path.chmod(mode)

    with pytest.raises(SettingError, match="0600"):
        load_master_key(path, may_create=False)


@pytest.mark.parametrize("text", ["", "abc", "00" * 31, "00" * 33, "xy" * 32])
def test_what_is_no_key_stops_the_start_and_is_not_shown(tmp_path: Path, text: str) -> None:
    path = tmp_path / "master.key"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    os.write(descriptor, text.encode())
    os.close(descriptor)

    with pytest.raises(SettingError, match="64 hexadecimal digits") as caught:
        load_master_key(path, may_create=False)

    assert not text or text not in str(caught.value)
