"""What wallets and tills see: HTTP 200 and JSON, whatever they send."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.card import Card
from models.pull_payment import PullPayment
from models.states import PayoutState
from models.store import Actor, ActorKind
from tests.support.api import Api
from tests.support.cards import VirtualCard
from tests.support.databases import Raw
from tests.support.invoices import invoice


@pytest.fixture
async def pull(api: Api) -> PullPayment:
    return await api.shop.pull_payment(auto_approve=False, min_sats=10, max_sats=5_000)


@pytest.fixture
def card() -> VirtualCard:
    return VirtualCard()


@pytest.fixture
async def added(api: Api, pull: PullPayment, card: VirtualCard) -> Card:
    return await api.shop.card(card, pull)


def link(api: Api, pull: PullPayment) -> str:
    return f"/lnurlw/{api.shop.container.pull_payments.claim_token(pull)}"


def body_of(answer: httpx.Response) -> Any:
    """Return the JSON of an answer that every wallet can read."""
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cache-control"] == "no-store"
    return answer.json()


def reason_of(answer: httpx.Response) -> str:
    body = body_of(answer)
    assert set(body) == {"status", "reason"}
    assert body["status"] == "ERROR"
    assert 0 < len(body["reason"]) <= 90
    return str(body["reason"])


async def tapped(api: Api, card: VirtualCard) -> Any:
    p, c = card.read()
    return body_of(await api.http.get("/boltcard", params={"p": p, "c": c}))


async def test_a_link_offers_what_may_be_drawn(api: Api, pull: PullPayment) -> None:
    offer = body_of(await api.http.get(link(api, pull)))

    assert set(offer) == {
        *("tag", "callback", "k1", "defaultDescription"),
        *("minWithdrawable", "maxWithdrawable"),
    }
    assert offer["tag"] == "withdrawRequest"
    assert (offer["minWithdrawable"], offer["maxWithdrawable"]) == (10_000, 5_000_000)
    assert offer["defaultDescription"] == "Tips"
    assert offer["callback"].startswith("http://127.0.0.1:8080/lnurlw/")


async def test_the_callback_does_not_follow_the_host_that_was_asked(
    api: Api, pull: PullPayment
) -> None:
    headers = {"Host": "evil.example", "X-Forwarded-Host": "evil.example"}

    offer = body_of(await api.http.get(link(api, pull), headers=headers))

    assert urlsplit(offer["callback"]).netloc == "127.0.0.1:8080"


async def test_a_tap_offers_and_its_callback_draws(
    api: Api, card: VirtualCard, added: Card
) -> None:
    offer = await tapped(api, card)
    params = {"k1": offer["k1"], "pr": invoice(api.shop.clock)}

    answers = [body_of(await api.http.get(offer["callback"], params=params)) for _ in range(2)]

    assert answers == [{"status": "OK"}] * 2
    (payout,) = (await api.get("payouts"))["items"]
    assert (payout["boltcard_id"], payout["kind"]) == (added.id, "tap")


async def test_hex_may_be_large_or_small_and_the_scheme_may_stand_before_the_invoice(
    api: Api, card: VirtualCard, added: Card
) -> None:
    del added
    p, c = card.read()
    offer = body_of(await api.http.get("/boltcard", params={"p": p.lower(), "c": c.lower()}))
    pr = "LIGHTNING:" + invoice(api.shop.clock).upper()

    answer = await api.http.get(offer["callback"], params={"k1": offer["k1"].upper(), "pr": pr})

    assert body_of(answer) == {"status": "OK"}


REASONS: list[tuple[str, dict[str, Any], str]] = [
    ("no k1", {"k1": None}, "k1 is missing"),
    ("no invoice", {"pr": None}, "invoice (pr) is missing"),
    ("unknown k1", {"k1": "ab" * 16}, "not known"),
    ("garbage", {"pr": "garbage"}, "not a Lightning invoice"),
    ("too small", {"sats": 9}, "below the minimum"),
    ("too large", {"sats": 5_001}, "above the maximum"),
    ("no amount", {"sats": None}, "needs an amount"),
    ("another network", {"network": "tb"}, "another network"),
    ("too late", {"expiry_s": 5}, "expires too soon"),
]


@pytest.mark.parametrize(
    ("changes", "words"), [pytest.param(*row[1:], id=row[0]) for row in REASONS]
)
async def test_a_cashier_reads_what_is_wrong(
    api: Api, card: VirtualCard, added: Card, changes: dict[str, Any], words: str
) -> None:
    del added
    offer = await tapped(api, card)
    wanted = {name: changes[name] for name in ("sats", "network", "expiry_s") if name in changes}
    params = {"k1": offer["k1"], "pr": invoice(api.shop.clock, **wanted)}
    params |= {name: changes[name] for name in ("k1", "pr") if name in changes}

    answer = await api.http.get(
        offer["callback"], params={name: value for name, value in params.items() if value}
    )

    assert words in reason_of(answer)
    assert (await api.get("payouts"))["items"] == []


async def test_a_replayed_unknown_or_forged_tap_is_refused_in_words(
    api: Api, card: VirtualCard, added: Card
) -> None:
    del added
    p, c = card.read()
    await api.http.get("/boltcard", params={"p": p, "c": c})
    stranger = VirtualCard().read()
    forged = (card.read()[0], "00" * 8)

    for (wrong_p, wrong_c), words in (
        ((p, c), "used before"),
        (stranger, "not known"),
        (forged, "not known"),
        (("", ""), "not a card read"),
        (("zz" * 16, c), "not a card read"),
        ((p + "00", c), "not a card read"),
    ):
        answer = await api.http.get("/boltcard", params={"p": wrong_p, "c": wrong_c})
        assert words in reason_of(answer), words


@pytest.mark.parametrize("path", ["/boltcard", "/boltcard/claim"])
async def test_a_parameter_that_comes_twice_is_refused(
    api: Api, card: VirtualCard, added: Card, path: str
) -> None:
    del added
    p, c = card.read()
    pairs = [("p", p), ("c", c), ("p", p), ("k1", "ab" * 16), ("k1", "cd" * 16), ("pr", "x")]

    assert "read" in reason_of(await api.http.get(path, params=pairs))


async def test_a_look_at_the_head_costs_nothing(
    api: Api, pull: PullPayment, card: VirtualCard, added: Card, beneath: Raw
) -> None:
    del added
    p, c = card.read()
    offer = body_of(await api.http.get(link(api, pull)))
    claim = {"k1": offer["k1"], "pr": invoice(api.shop.clock)}

    heads = [
        await api.http.head("/boltcard", params={"p": p, "c": c}),
        await api.http.head(offer["callback"], params=claim),
    ]

    assert all(head.status_code == 200 and head.content == b"" for head in heads)
    assert beneath.value("SELECT last_counter FROM key_sets") == 0
    assert beneath.value("SELECT count(*) FROM payouts") == 0
    assert body_of(await api.http.get("/boltcard", params={"p": p, "c": c}))["k1"]


@pytest.mark.parametrize("where", ["card", "boltcard", "X-Boltcard-UID"])
async def test_what_is_said_of_a_card_is_kept_as_a_hint_that_proves_nothing(
    api: Api, pull: PullPayment, where: str
) -> None:
    said = {where: "04:a1-b2_C3"}
    request = {"headers": said} if where.startswith("X") else {"params": said}
    offer = body_of(await api.http.get(link(api, pull), **request))
    assert parse_qs(urlsplit(offer["callback"]).query)["card"] == ["04:a1-b2_C3"]
    params = {"k1": offer["k1"], "pr": invoice(api.shop.clock), "card": "04:a1-b2_C3"}

    body_of(await api.http.get(offer["callback"], params=params))

    (payout,) = (await api.get("payouts"))["items"]
    assert payout["boltcard_uid"] == "04:a1-b2_C3"
    assert (payout["boltcard_id"], payout["card_verified"]) == (None, False)


@pytest.mark.parametrize("hint", ["x" * 65, "<script>", "a b", "é", "a\n"])
async def test_what_cannot_be_a_hint_is_ignored(api: Api, pull: PullPayment, hint: str) -> None:
    offer = body_of(await api.http.get(link(api, pull), params={"card": hint}))

    assert "card" not in offer["callback"]


async def test_a_hint_never_takes_the_place_of_the_card_that_tapped(
    api: Api, card: VirtualCard, added: Card
) -> None:
    p, c = card.read()
    lie = {"X-Boltcard-UID": "04ffffffffffff"}
    answer = await api.http.get("/boltcard", params={"p": p, "c": c}, headers=lie)
    offer = body_of(answer)
    params = {"k1": offer["k1"], "pr": invoice(api.shop.clock), "card": "04eeeeeeeeeeee"}
    await api.http.get(offer["callback"], params=params, headers=lie)

    (payout,) = (await api.get("payouts"))["items"]

    assert (payout["boltcard_uid"], payout["boltcard_id"]) == (card.uid.hex(), added.id)
    assert payout["card_verified"]


async def test_a_memo_that_names_a_card_is_a_hint_too(api: Api, pull: PullPayment) -> None:
    offer = body_of(await api.http.get(link(api, pull)))
    pr = invoice(api.shop.clock, description="Boltcard 04a1b2c3 at the bar")
    await api.http.get(offer["callback"], params={"k1": offer["k1"], "pr": pr})

    (payout,) = (await api.get("payouts"))["items"]

    assert (payout["boltcard_uid"], payout["card_verified"]) == ("04a1b2c3", False)


async def test_a_rejected_claim_is_told_without_the_words_for_staff(
    api: Api, pull: PullPayment
) -> None:
    offer = body_of(await api.http.get(link(api, pull)))
    params = {"k1": offer["k1"], "pr": invoice(api.shop.clock)}
    await api.http.get(offer["callback"], params=params)
    (payout,) = (await api.get("payouts"))["items"]
    words = {"reason_code": "fraud", "reason": "He looks like a thief."}
    await api.post(f"payouts/{payout['id']}/reject", {"revision": 2} | words)

    reason = reason_of(await api.http.get(offer["callback"], params=params))

    assert "thief" not in reason
    assert "fraud" not in reason


async def test_a_browser_gets_a_page_that_cannot_be_turned_against_it(api: Api) -> None:
    evil = "<script>alert(1)</script>"
    pull = await api.shop.pull_payment(name=evil)

    answer = await api.http.get(link(api, pull), headers={"Accept": "text/html,*/*"})

    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["cache-control"] == "no-store"
    assert "<script" not in answer.text
    assert "lightning:LNURL" in answer.text or "lightning:lnurl" in answer.text


async def test_a_browser_at_an_unknown_link_gets_a_page_as_well(api: Api) -> None:
    answer = await api.http.get("/lnurlw/nobody", headers={"Accept": "text/html"})

    assert answer.status_code == 200
    assert "not known" in answer.text


GARBAGE = st.text(st.characters(codec="utf-8"), max_size=60)


@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    path=st.sampled_from(
        ["/boltcard", "/boltcard/claim", "/lnurlw/nobody", "/lnurlw/nobody/claim"]
    ),
    pairs=st.lists(
        st.tuples(st.sampled_from(["p", "c", "k1", "pr", "card", "x"]) | GARBAGE, GARBAGE),
        max_size=6,
    ),
)
async def test_whatever_is_sent_the_answer_is_an_lnurl_error(
    api: Api, path: str, pairs: list[tuple[str, str]]
) -> None:
    reason_of(await api.http.get(path, params=pairs))


@pytest.mark.parametrize(
    "path", ["/lnurlw/%00", "/lnurlw/%ff", "/lnurlw/" + "x" * 3000, "/boltcard?p=" + "0" * 9_000]
)
async def test_even_what_no_route_would_take_is_an_lnurl_error(api: Api, path: str) -> None:
    reason_of(await api.http.get(path))


async def test_an_archived_pull_payment_offers_nothing_in_the_way_wallets_know(
    api: Api, pull: PullPayment
) -> None:
    await api.call("PATCH", f"pull-payments/{pull.id}", json={"archived": True})

    offer = body_of(await api.http.get(link(api, pull)))

    assert (offer["minWithdrawable"], offer["maxWithdrawable"]) == (0, 0)


async def test_a_cancelled_claim_is_no_promise(api: Api, pull: PullPayment) -> None:
    offer = body_of(await api.http.get(link(api, pull)))
    params = {"k1": offer["k1"], "pr": invoice(api.shop.clock)}
    await api.http.get(offer["callback"], params=params)
    (payout,) = (await api.get("payouts"))["items"]
    actor = Actor(ActorKind.PERSON, "us_alice")
    await api.shop.container.payouts.cancel(api.shop.store.id, payout["id"], actor)

    reason_of(await api.http.get(offer["callback"], params=params))

    assert (await api.shop.payout(payout["id"])).state is PayoutState.CANCELLED
