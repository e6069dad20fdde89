"""Boltcards over HTTP."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import Field, StrictBool, StrictStr
from starlette.responses import Response

from app.answers import json_answer, to_json
from app.auth import Caller, Creator, Programmer, Reader, Services
from app.container import Container
from app.http.card_keys import card_base, shown_link, wipe_json
from app.http.cursor import read_cursor, write_cursor
from app.http.pull_payments import PageQuery
from app.http.seen import note_card_numbers
from app.http.shapes.boltcard import CardShape, CardsShape, LinkShape, TapsShape, WipeShape
from app.http.shapes.shape import answers
from app.http.strict import Strict
from app.idempotency import Once, keep_after, once
from models.card import Card, CardState
from models.card_link import LinkAction, MadeLink
from models.ids import CARD
from models.permission import Permission
from services.boltcards import NewCard
from services.card_crypto import parse_card_key, parse_uid
from services.card_link import check_card_base
from services.payouts import mask_uid
from services.storage.statement import Transaction

router = APIRouter(tags=["boltcards"])
Alias = Annotated[StrictStr, Field(min_length=1, max_length=60)]


class CardBody(Strict):
    """A new card; keys and UID in hex, made or learnt by us where they are left out."""

    alias: Alias
    pull_payment_id: StrictStr
    uid: StrictStr | None = None
    k1: StrictStr | None = None
    k2: StrictStr | None = None


class LinkBody(Strict):
    """What a link is made for."""

    action: LinkAction


class CardPatch(Strict):
    """What may be changed; fields that are left out stay."""

    alias: Alias | None = None
    active: StrictBool | None = None
    pull_payment_id: StrictStr | None = None


@router.post("/boltcards", status_code=201, **answers(CardShape, 201, key="taken"))
async def create(request: Request, services: Services, caller: Creator, body: CardBody) -> Response:
    """Add a card to a pull payment."""
    wanted = NewCard(
        alias=body.alias,
        pull_payment_id=body.pull_payment_id,
        uid=None if body.uid is None else parse_uid(body.uid),
        k1=None if body.k1 is None else parse_card_key("k1", body.k1),
        k2=None if body.k2 is None else parse_card_key("k2", body.k2),
    )

    async def act(keyed: Once) -> tuple[bytes, int]:
        def keep(tx: Transaction, made: Card) -> None:
            keyed.keep(tx, to_json(shown(services, caller, made)), 201)

        made = await services.boltcards.create(caller.store_id, wanted, caller.actor, keep)
        return to_json(shown(services, caller, made)), 201

    return await once(request, services, caller, act)


@router.get("/boltcards", **answers(CardsShape))
async def list_boltcards(
    services: Services, caller: Reader, query: Annotated[PageQuery, Query()]
) -> Response:
    """List cards, newest first."""
    before = read_cursor(query.cursor, CARD)
    found = await services.boltcards.page(caller.store_id, query.limit + 1, before)
    items = found[: query.limit]
    following = None
    if len(found) > query.limit:
        following = (items[-1].created_at, items[-1].id)
    bodies = [shown(services, caller, item) for item in items]
    await note_card_numbers(services, caller, (body["uid"] for body in bodies), "boltcards")
    return json_answer({"items": bodies, "next_cursor": write_cursor(following)})


@router.get("/boltcards/{card_id}", **answers(CardShape))
async def read(services: Services, caller: Reader, card_id: str) -> Response:
    """Return one card."""
    body = shown(services, caller, await services.boltcards.read(caller.store_id, card_id))
    await note_card_numbers(services, caller, [body["uid"]], "boltcards")
    return json_answer(body)


@router.get("/boltcards/{card_id}/taps", **answers(TapsShape))
async def taps(services: Services, caller: Reader, card_id: str) -> Response:
    """Return the newest accepted taps of a card, and what came of them."""
    story = await services.card_views.story(caller.store_id, card_id)
    items = [
        {
            "at": tap.at,
            "key_version": tap.version,
            "counter": tap.counter,
            "payout_id": tap.payout_id,
            "status": tap.status,
            "amount_sats": tap.amount_sats,
        }
        for tap in story.newest
    ]
    return json_answer({"items": items})


@router.post("/boltcards/{card_id}/links", status_code=201, **answers(LinkShape, 201, key="taken"))
async def make_link(
    request: Request, services: Services, caller: Programmer, card_id: str, body: LinkBody
) -> Response:
    """Make a short-lived link that lets the programmer app fetch the card's keys once."""
    check_card_base(card_base(services))

    async def act(keyed: Once) -> tuple[bytes, int]:
        def keep(tx: Transaction, made: MadeLink) -> None:
            keyed.keep(tx, to_json(shown_link(services, made)), 201)

        made = await services.card_links.make(
            caller.store_id, card_id, body.action, caller.actor, keep
        )
        return to_json(shown_link(services, made)), 201

    return await once(request, services, caller, act)


@router.post("/boltcards/{card_id}/wipe-keys", **answers(WipeShape, key="taken"))
async def wipe_keys(
    request: Request, services: Services, caller: Programmer, card_id: str
) -> Response:
    """Return the keys of a card that cannot be read any more, as the app takes them to reset it."""

    async def act(keyed: Once) -> tuple[bytes, int]:
        handed = await services.card_links.show_keys(caller.store_id, card_id, caller.actor)
        return await keep_after(keyed, to_json(wipe_json(handed)), 200)

    return await once(request, services, caller, act)


@router.patch("/boltcards/{card_id}", **answers(CardShape, key="taken"))
async def change(
    request: Request, services: Services, caller: Creator, card_id: str, body: CardPatch
) -> Response:
    """Rename a card, switch it on or off, or have it draw from another pull payment."""

    async def act(keyed: Once) -> tuple[bytes, int]:
        changed = await services.boltcards.change(
            caller.store_id,
            card_id,
            caller.actor,
            alias=body.alias,
            active=body.active,
            pull_payment_id=body.pull_payment_id,
        )
        return await keep_after(keyed, to_json(shown(services, caller, changed)), 200)

    return await once(request, services, caller, act)


def shown(services: Container, caller: Caller, card: Card) -> dict[str, Any]:
    """Return a card as the API tells of it: no key, and the whole UID for managers only."""
    uid = services.boltcards.uid_of(card)
    if uid is not None and not caller.may(Permission.SEE_UIDS):
        uid = mask_uid(uid)
    return {
        "id": card.id,
        "store_id": card.store_id,
        "alias": card.alias,
        "pull_payment_id": card.pull_payment_id,
        "uid": uid,
        "active": card.state is CardState.ACTIVE,
        "lnurlw_base": card_base(services),
        "created_at": card.created_at,
        "last_used_at": card.last_used_at,
    }
