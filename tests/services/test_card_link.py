from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import InvalidField
from services import card_link
from tests.vector_files import vectors

FILE = "lnurl.json"
BOUNDED = settings(max_examples=200, deadline=None, database=None)
BASE = "lnurlw://pay.example.com/boltcard"


@pytest.mark.parametrize("row", vectors(FILE, "boltcard_deeplinks"))
def test_a_deeplink_is_the_vector_s(row: dict[str, Any]) -> None:
    assert card_link.card_deeplink(row["action"], row["url"]) == row["deeplink"]


@pytest.mark.parametrize("row", vectors(FILE, "ndef_template_offsets"))
def test_offsets_are_the_vector_s_or_the_base_is_refused(row: dict[str, Any]) -> None:
    base = row["lnurlw_base"]
    assert len(base) == row["base_length"]
    if not row["safe"]:
        with pytest.raises(InvalidField):
            card_link.card_template(base)
        return

    template = card_link.card_template(base)

    assert len(template.url) == row["url_length"]
    assert template.picc_offset == row["picc_offset"]
    assert template.mac_offset == row["mac_offset"]
    assert template.file_length == row["ndef_file_bytes"]


@pytest.mark.parametrize(
    "base",
    [
        "LNURLW://pay.example.com/b",
        "https://pay.example.com/b",
        "lnurlw://",
        "lnurlw:///b",
        f"{BASE}#x",
        f"{BASE} ",
        f"{BASE}\n",
        f"{BASE}\u00e9",
        f"{BASE}?src=1",
        f"{BASE}/p=",
        f"{BASE}/{'x' * 170}",
    ],
)
def test_a_base_that_apps_would_write_wrongly_is_refused(base: str) -> None:
    with pytest.raises(InvalidField) as refused:
        card_link.check_card_base(base)

    assert refused.value.field == "lnurlw_base"


def test_the_sandbox_s_own_base_fits_a_card() -> None:
    template = card_link.card_template("lnurlw://127.0.0.1:8080/boltcard")

    assert template.url.startswith("lnurlw://127.0.0.1:8080/boltcard?p=000")


@BOUNDED
@given(st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=200))
def test_offsets_point_at_the_zeros_whatever_the_base(path: str) -> None:
    try:
        template = card_link.card_template(f"{BASE}/{path}")
    except InvalidField:
        return

    assert template.url[template.picc_offset - 7 :].startswith("0" * 32 + "&c=")
    assert template.url[template.mac_offset - 7 :] == "0" * 16
    assert template.url.index("p=") == template.picc_offset - 9
    assert template.url.index("c=") == template.mac_offset - 9
    assert template.file_length <= 256
