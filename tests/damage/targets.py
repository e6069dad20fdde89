"""What reads texts of strangers, each with texts that are good before they are damaged."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from random import Random
from typing import Any

import orjson

from app.http.cursor import read_cursor, write_cursor
from app.http.filters import read_values
from models.errors import GatewayError, InvalidField, InvoiceError, TapError
from models.ids import PAYOUT
from services import bech32, bolt11, card_crypto, card_link, jwt, lnurl, lnurl_pay
from services.destinations import read_destination
from services.lnurl_verify import VerifyOutcome, judge_verify
from services.rate_sources import READERS, read_rate
from services.success_action import decrypt_message
from tests.damage.damage import BECH32, damaged_text, damaged_value
from tests.damage.flash import DamagedFlash
from tests.support.builders import a_store, new_id
from tests.support.clock import NOON
from tests.vector_files import rows

_INVOICES = [row["invoice"] for row in rows("bolt11.json", "valid")]
_LINKS = [
    *(row["lnurl"] for row in rows("lnurl.json", "lud01_bech32")),
    *(row["input"] for row in rows("lnurl.json", "lud17_schemes")),
    *(row["address"] for row in rows("lnurl.json", "lud16_addresses")),
    "https://service.com/pay/7",
    "Carol_7",
]
_OFFER: dict[str, Any] = {
    "tag": "payRequest",
    "callback": "https://x.example/cb?id=7",
    "minSendable": 1000,
    "maxSendable": 1_000_000,
    "metadata": '[["text/plain","a"],["text/identifier","kim@x.example"]]',
    "commentAllowed": 5,
    "payerData": {"name": {"mandatory": False}},
}
_ACTIONS: list[dict[str, Any]] = [
    {"tag": "message", "message": "Thanks"},
    {"tag": "url", "description": "See", "url": "https://x.example/1"},
    {"tag": "aes", "description": "See", "ciphertext": "AAAA", "iv": "A" * 22 + "=="},
]
_ANSWER: dict[str, Any] = {
    "pr": _INVOICES[0],
    "routes": [],
    "verify": "https://x.example/verify/1",
    "status": "OK",
}
_VERIFIES = rows("lnurl.json", "lud21_verify")
_PRICES: list[tuple[str, dict[str, Any]]] = [
    ("coingecko", {"bitcoin": {"usd": 98765.43, "last_updated_at": 1_700_000_000}}),
    ("coindesk", {"Data": {"BTC-USD": {"VALUE": 9.5, "VALUE_LAST_UPDATE_TS": 1_700_000_000}}}),
    ("coinbase", {"data": {"amount": "98765.43", "base": "BTC", "currency": "USD"}}),
]
_SECRET = rows("lnurl.json", "lud10_aes")[0]
_K1, _K2 = bytes(range(16)), bytes(range(16, 32))
_TAP = card_crypto.tap_query(_K1, _K2, bytes(range(7)), 5, bytes(5))
_BASES = [row["lnurlw_base"] for row in rows("lnurl.json", "ndef_template_offsets")]
_STORE = a_store()
_QUERY = {
    "status": "pending,completed",
    "state": "approved",
    "card": "till 7",
    "min_sats": "1",
    "max_sats": "1000",
    "q": "window cleaner",
    "from": "2026-11-01",
    "to": "2026-11-20T21:00:00.000Z",
    "sort": "amount",
}
_CURSOR = write_cursor((NOON, new_id(PAYOUT)))
_CLAIMS = {"aud": "api", "sub": "us_1", "exp": 1_760_000_600, "iat": 1_760_000_000}
_OFFER_READ = lnurl_pay.read_offer(orjson.dumps(_OFFER))


def _invoice(random: Random) -> None:
    text = random.choice(_INVOICES)
    if random.randrange(2):
        # Under a right checksum, so that what stands behind it is reached.
        prefix, _, letters = text.lower().rpartition("1")
        letters = "".join(each for each in damaged_text(random, letters[:-6]) if each in BECH32)
        text = bech32.join(prefix, bech32.letters_to_digits(letters))
    else:
        text = damaged_text(random, text)
    with suppress(InvoiceError):
        bolt11.decode(text)


def _destination(random: Random) -> None:
    text = damaged_text(random, random.choice([*_LINKS, *_INVOICES]))
    with suppress(InvalidField, InvoiceError):
        read_destination(text, flash_host="flashapp.me")
    with suppress(InvalidField):
        assert lnurl.resolve(text).url.lower().startswith(("https://", "http://"))


def _offer(random: Random) -> None:
    with suppress(GatewayError, InvalidField):
        lnurl_pay.read_offer(_body(random, _OFFER))


def _answer(random: Random) -> None:
    whole = _ANSWER | {"successAction": random.choice(_ACTIONS)}
    with suppress(GatewayError, InvalidField):
        lnurl_pay.read_pay_answer(_body(random, whole), _OFFER_READ)


def _verify(random: Random) -> None:
    row = random.choice(_VERIFIES)
    payment_hash = row.get("payment_hash", "00" * 32)
    verdict = judge_verify(_body(random, row["json"]), payment_hash)
    assert (verdict.outcome is VerifyOutcome.SETTLED) == (verdict.preimage is not None)


def _rate(random: Random) -> None:
    name, answer = random.choice(_PRICES)
    rate = read_rate(name, READERS[name], _body(random, answer), "USD", NOON)
    assert rate is None or rate.numerator > 0


def _secret(random: Random) -> None:
    sealed, iv = _SECRET["ciphertext_base64"], _SECRET["iv_base64"]
    with suppress(GatewayError):
        decrypt_message(
            bytes.fromhex(_SECRET["preimage"]), damaged_text(random, sealed), _maybe(random, iv)
        )


def _tap(random: Random) -> None:
    p, c = _maybe(random, _TAP[0]), damaged_text(random, _TAP[1])
    try:
        tap = card_crypto.parse_tap(p, c)
    except TapError:
        return
    picc = card_crypto.decrypt_picc(_K1, tap.p)
    if picc is not None and card_crypto.verify_mac(_K2, picc.uid, picc.counter, tap.c):
        # Letters of another case and nothing else: the tap itself.
        assert (p.lower(), c.lower()) == (_TAP[0].lower(), _TAP[1].lower())


def _card_base(random: Random) -> None:
    with suppress(InvalidField):
        card_link.card_template(damaged_text(random, random.choice(_BASES)))


def _filter(random: Random) -> None:
    named = random.sample(sorted(_QUERY), random.randint(1, 4))
    with suppress(InvalidField):
        read_values({name: _maybe(random, _QUERY[name]) for name in named}, _STORE)


def _cursor(random: Random) -> None:
    with suppress(InvalidField):
        read_cursor(damaged_text(random, _CURSOR or ""), PAYOUT)


def _token(random: Random) -> None:
    token = jwt.sign(_CLAIMS, _K1)
    damaged = damaged_text(random, token)
    found = jwt.read(damaged, _K1, audience="api", now_s=1_760_000_001)
    assert found is None or damaged == token


def _body(random: Random, good: Any) -> bytes:
    """Return an answer damaged in its values or in its letters."""
    if random.randrange(2):
        return damaged_text(random, orjson.dumps(good).decode()).encode("utf-8", "surrogatepass")
    return json.dumps(damaged_value(random, good), default=str).encode("utf-8", "surrogatepass")


def _maybe(random: Random, text: str) -> str:
    return damaged_text(random, text) if random.randrange(2) else text


STRIKES: dict[str, Callable[[Random], object]] = {
    "invoices": _invoice,
    "destinations": _destination,
    "offers of LNURL-pay": _offer,
    "answers of LNURL-pay": _answer,
    "verdicts of LUD-21": _verify,
    "prices": _rate,
    "sealed messages": _secret,
    "taps": _tap,
    "card addresses": _card_base,
    "filters": _filter,
    "cursors": _cursor,
    "tokens": _token,
}


@contextmanager
def strikes() -> Iterator[dict[str, Callable[[Random], object]]]:
    """Yield what can be struck; Flash's answers need a loop, which ends with it."""
    flash = DamagedFlash()
    try:
        yield STRIKES | {"answers of Flash": flash.ask}
    finally:
        flash.close()
