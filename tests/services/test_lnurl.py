from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import InvalidField
from services import bech32, lnurl
from tests.mutations import ANY_TEXT, mutated
from tests.vector_files import rows, vectors

FILE = "lnurl.json"
BOUNDED = settings(max_examples=300, deadline=None, database=None)
SANDBOX = frozenset({"127.0.0.1:8081"})
SAFE = re.compile(r"(?i)https://[a-z0-9.-]+\.[a-z][a-z0-9-]*(?:[:/?#].*)?|http://[^/]+\.onion.*")
TEXTS = [
    *(row["lnurl"] for row in rows(FILE, "lud01_bech32")),
    *(row["input"] for row in rows(FILE, "lud17_schemes")),
    *(row["address"] for row in rows(FILE, "lud16_addresses")),
]


def outcome(text: str) -> str | None:
    try:
        return lnurl.resolve(text).url
    except InvalidField:
        return None


@pytest.mark.parametrize("row", vectors(FILE, "lud01_bech32"))
def test_a_bech32_lnurl_is_read_as_the_vector_expects(row: dict[str, Any]) -> None:
    if row["valid"]:
        assert lnurl.decode(row["lnurl"]) == row["url"]
        assert lnurl.resolve(row["lnurl"]) == lnurl.LnurlTarget(row["url"], None)
        return

    with pytest.raises(InvalidField):
        lnurl.decode(row["lnurl"])


@pytest.mark.parametrize("row", [r for r in vectors(FILE, "lud01_bech32") if r.values[0]["valid"]])
def test_the_encoder_writes_what_the_vector_holds(row: dict[str, Any]) -> None:
    assert lnurl.encode(row["url"]) in row["lnurl"].upper()


@pytest.mark.parametrize("row", vectors(FILE, "lud17_schemes"))
def test_a_scheme_leads_where_the_vector_expects(row: dict[str, Any]) -> None:
    assert lnurl.expected_tag(row["input"]) == row["tag_expected"]
    if row["valid"]:
        assert lnurl.to_https(row["input"]) == row["url"]
        assert lnurl.resolve(row["input"]).tag == row["tag_expected"]
        return

    with pytest.raises(InvalidField):
        lnurl.to_https(row["input"])


@pytest.mark.parametrize("row", vectors(FILE, "lud16_addresses"))
def test_a_lightning_address_is_judged_as_the_vector_expects(row: dict[str, Any]) -> None:
    if row["valid"]:
        assert lnurl.lightning_address_url(row["address"]) == row["url"]
        assert lnurl.resolve(row["address"]) == lnurl.LnurlTarget(row["url"], "payRequest")
        return

    with pytest.raises(InvalidField):
        lnurl.lightning_address_url(row["address"])


@pytest.mark.parametrize("row", vectors(FILE, "callback_url_building"))
def test_a_callback_is_built_as_the_vector_expects(row: dict[str, Any]) -> None:
    assert lnurl.callback_url(row["callback"], row["params"]) == row["url"]


@pytest.mark.parametrize(
    ("callback", "url"),
    [
        ("https://x.example/cb?", "https://x.example/cb?k1=1"),
        ("https://x.example/cb?a=1&", "https://x.example/cb?a=1&k1=1"),
        ("https://x.example", "https://x.example?k1=1"),
    ],
)
def test_a_callback_never_gets_two_joints(callback: str, url: str) -> None:
    assert lnurl.callback_url(callback, {"k1": "1"}) == url


@pytest.mark.parametrize(
    "address",
    [
        "alice@localhost",
        "alice@10.0.0.1",
        "alice@0x7f.0.0.1",
        "alice@2130706433",
        "alice@printer.local",
        "alice@metadata.google.internal",
        "alice@example.com.",
        "alice@-example.com",
        "alice@example.com:0",
        "alice@example.com:70000",
        "alice@example.com:",
        "..@example.com",
        ".@example.com",
        "alice+@example.com",
        "alice@b\u00fccher.example",
        "alice\n@example.com",
        "alice@example.com\n",
        "al%69ce@example.com",
        f"alice@{'a' * 64}.com",
        f"{'a' * 5000}@example.com",
    ],
)
def test_an_address_that_names_no_public_server_is_refused(address: str) -> None:
    with pytest.raises(InvalidField) as refused:
        lnurl.lightning_address_url(address)

    assert refused.value.field == "destination"


@pytest.mark.parametrize(
    "url",
    [
        "https://user@example.com/",
        "https://example.com\\@evil.example/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::1]:8081/",
        "https://127.1/",
        "https://exam ple.com/",
        "https://example.com/\t",
        "https:///path",
        "ftp://example.com/",
        "gopher://example.com/",
        "javascript:alert(1)",
        "//example.com/",
        "",
    ],
)
def test_a_url_that_parsers_could_read_in_two_ways_is_refused(url: str) -> None:
    with pytest.raises(InvalidField):
        lnurl.check_url(url)


def test_a_port_a_path_and_a_query_are_kept() -> None:
    url = "https://pay.example.com:8443/a/b?x=1#y"

    assert lnurl.check_url(url) == url
    address = lnurl.lightning_address_url("kim@pay.example.com:4000")
    assert address == "https://pay.example.com:4000/.well-known/lnurlp/kim"


def test_what_the_operator_exempts_is_asked_in_clear_text_on_loopback_only() -> None:
    url = "http://127.0.0.1:8081/lnurlw/1"

    assert lnurl.check_url(url, outbound_allow=SANDBOX) == url
    assert lnurl.to_https("lnurlw://127.0.0.1:8081/lnurlw/1", outbound_allow=SANDBOX) == url
    assert lnurl.decode(lnurl.encode(url), outbound_allow=SANDBOX) == url
    assert (
        lnurl.resolve("kim@127.0.0.1:8081", outbound_allow=SANDBOX).url
        == "http://127.0.0.1:8081/.well-known/lnurlp/kim"
    )
    inside = frozenset({"shop.lan:443"})
    assert lnurl.to_https("lnurlp://shop.lan/x", outbound_allow=inside) == "https://shop.lan/x"
    with pytest.raises(InvalidField):
        lnurl.check_url("http://127.0.0.1:8082/", outbound_allow=SANDBOX)


@pytest.mark.parametrize(
    ("url", "link"),
    [
        ("https://pay.example.com/lnurlw/1?x=1", "lnurlw://pay.example.com/lnurlw/1?x=1"),
        ("HTTPS://pay.example.com/", "lnurlw://pay.example.com/"),
        ("http://127.0.0.1:8080/lnurlw/1", "lnurlw://127.0.0.1:8080/lnurlw/1"),
        ("http://abc.onion/1", "lnurlw://abc.onion/1"),
    ],
)
def test_our_own_url_becomes_a_lower_case_withdraw_link(url: str, link: str) -> None:
    assert lnurl.to_lnurlw(url) == link


@pytest.mark.parametrize("url", ["http://pay.example.com/", "ftp://pay.example.com/", "pay", ""])
def test_a_withdraw_link_is_never_made_from_clear_text(url: str) -> None:
    with pytest.raises(InvalidField):
        lnurl.to_lnurlw(url)


def test_a_withdraw_link_without_slashes_is_read_too() -> None:
    assert lnurl.to_https("lnurlw:pay.example.com/1") == "https://pay.example.com/1"


@pytest.mark.parametrize(
    "text",
    [
        "LNURL1",
        "lightning:",
        "https://service.com/?x=1",
        "https://service.com/?lightning=a&lightning=b",
        bech32.join("lnurl", "00000"),
        bech32.join("lnurl", "v"),
        bech32.join("lnbc", bech32.bytes_to_digits(b"https://example.com")),
        bech32.join("lnurl", bech32.bytes_to_digits("https://b\u00fccher.example".encode())),
        bech32.join("lnurl", bech32.bytes_to_digits(b"https://example.com") + "0"),
        "lnurl1" + "q" * 5000,
    ],
)
def test_what_is_no_lnurl_is_refused(text: str) -> None:
    with pytest.raises(InvalidField):
        lnurl.decode(text)


def test_a_web_address_without_lnurl_is_asked_itself() -> None:
    assert lnurl.resolve("https://pay.example.com/1") == lnurl.LnurlTarget(
        "https://pay.example.com/1", None
    )


def test_only_ascii_is_encoded() -> None:
    with pytest.raises(InvalidField):
        lnurl.encode("https://b\u00fccher.example/")


@BOUNDED
@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=300))
def test_an_encoded_url_is_read_back(path: str) -> None:
    url = f"https://pay.example.com/{path}"

    assert lnurl.decode(lnurl.encode(url)) == url


@BOUNDED
@given(mutated(TEXTS))
def test_damaged_text_leads_to_a_safe_url_or_to_invalid_field(text: str) -> None:
    url = outcome(text)

    assert url is None or SAFE.fullmatch(url)


@BOUNDED
@given(
    ANY_TEXT,
    st.sampled_from(["", "lnurlp://", "https://", "a@", "lightning:", "https://a.b/?lightning="]),
)
def test_any_text_leads_to_a_safe_url_or_to_invalid_field(text: str, start: str) -> None:
    url = outcome(start + text)

    assert url is None or SAFE.fullmatch(url)


@BOUNDED
@given(ANY_TEXT)
def test_any_url_under_a_right_checksum_is_judged(text: str) -> None:
    data = text.encode("utf-8", "surrogatepass")

    url = outcome(bech32.join("lnurl", bech32.bytes_to_digits(data)))

    assert url is None or SAFE.fullmatch(url)


@BOUNDED
@given(ANY_TEXT)
def test_a_parameter_never_breaks_out_of_its_place(value: str) -> None:
    url = lnurl.callback_url("https://x.example/cb", {"comment": value, "amount": "1"})

    assert re.fullmatch(r"https://x\.example/cb\?comment=[\w.~%-]*&amount=1", url, re.ASCII)
