"""One Boltcard: its page, how keys get on it and off it, and its first tap."""

from __future__ import annotations

import json
from collections.abc import Awaitable
from dataclasses import dataclass

from nicegui import background_tasks, ui

from app.http.card_keys import card_base, link_url, wipe_json
from app.pages.boltcard_form import edit_fields, fund_options, refusals
from app.pages.follower import Follower
from app.pages.reach import reach_words
from app.pages.standing_board import Standing
from app.pages.visit import Visit
from components.boltcard_sheet import BoltcardSheet, CardActs
from components.card_programming import ShownLink
from components.confirm_dialog import ConfirmDialog
from components.form_dialog import FormDialog, Values
from components.secret_dialog import SecretDialog
from models.card import CardStage
from models.card_link import LinkAction
from models.card_view import CardStory
from models.errors import NotFoundError, ServiceError
from models.permission import Permission
from services.card_link import card_deeplink, check_card_base

_BEFORE_NEW_KEYS = (
    "The app writes only on a card without keys, so wipe it first. As soon as the app fetches the "
    "new keys, taps with the old ones are refused."
)
_BEFORE_WIPING = (
    "The app reads the card and takes its keys off. The card is blocked then, and can be "
    "programmed anew."
)
_QUESTIONS = {
    LinkAction.PROGRAM: ("Give the card new keys?", _BEFORE_NEW_KEYS),
    LinkAction.RESET: ("Wipe the card?", _BEFORE_WIPING),
}


@dataclass(frozen=True, slots=True)
class _Question:
    """What the page of one asks."""

    card_id: str
    shows_uid: bool


class BoltcardPage:
    """The page of one card, live."""

    def __init__(self, visit: Visit, card_id: str, *, programs: bool) -> None:
        self._visit = visit
        self._id = card_id
        self._programs = programs
        self._story: CardStory | None = None
        acts = CardActs(self._edit, self._block, self._want_link, self._want_keys)
        self._sheet = BoltcardSheet(
            visit.store.time_zone,
            acts if visit.caller.may(Permission.CREATE) else None,
            may_program=visit.caller.may(Permission.PROGRAM),
            reach=reach_words(visit.container),
        )
        self._form = FormDialog("Edit card", "Save", self._save)
        self._confirm = ConfirmDialog()
        self._secret = SecretDialog()
        question = _Question(card_id, visit.caller.may(Permission.SEE_UIDS))

        async def read() -> CardStory:
            return await visit.container.card_views.story(
                visit.store.id, card_id, shows_uid=question.shows_uid
            )

        self._follower: Follower[CardStory] = Follower(visit, question, read, self._show)

    async def connected(self) -> None:
        """Begin to follow, or begin anew after a gap."""
        try:
            await self._follower.join()
        except NotFoundError as error:
            self._follower.leave()
            with self._visit.client:
                ui.notify(error.message, type="warning")
            self._visit.go("/boltcards")
            return
        if self._programs and self._story is not None:
            self._programs = False
            self._visit.rewrite(f"/boltcards/{self._id}")
            if self._story.view.stage is CardStage.UNPROGRAMMED:
                await self._make_link(LinkAction.PROGRAM)

    def gone(self) -> None:
        """Stop following."""
        self._follower.leave()

    def show_standing(self, standing: Standing) -> None:
        """Take how the store stands; this page has no use for it."""

    def _show(self, story: CardStory) -> None:
        self._story = story
        self._sheet.show(story, self._visit.container.clock.utc_now())

    def _want_link(self, action: LinkAction) -> None:
        if self._story is None:
            return
        is_fresh = self._story.view.stage in {CardStage.UNPROGRAMMED, CardStage.WIPED}
        if is_fresh and action is LinkAction.PROGRAM:
            background_tasks.create(self._make_link(action), name="make a card link")
            return
        self._confirm.ask(*_QUESTIONS[action], "Make the link", lambda: self._make_link(action))

    async def _make_link(self, action: LinkAction) -> None:
        await self._try(self._offer_link(action))

    async def _offer_link(self, action: LinkAction) -> None:
        visit = self._visit
        caller = await visit.need(Permission.PROGRAM)
        check_card_base(card_base(visit.container))
        made_at = visit.container.clock.utc_now()
        made = await visit.container.card_links.make(
            caller.store_id, self._id, action, caller.actor
        )
        url = link_url(visit.container, made)
        scan_url = f"{url}/scan" if action is LinkAction.PROGRAM else None
        deeplink = card_deeplink(action.value, url)
        link = ShownLink(action, deeplink, scan_url, made.expires_at, made_at)
        if self._story is not None:
            with visit.client:
                self._sheet.programming.offer(link)
                self._show(self._story)

    def _want_keys(self) -> None:
        self._confirm.ask(
            "Show the keys of this card?",
            "Whoever sees them can copy the card, so it is blocked at once. Use this only to wipe "
            "a card that a link cannot read, and close it again. This is recorded.",
            "Block it and show them",
            lambda: self._try(self._show_keys()),
        )

    async def _show_keys(self) -> None:
        visit = self._visit
        caller = await visit.need(Permission.PROGRAM)
        handed = await visit.container.card_links.show_keys(caller.store_id, self._id, caller.actor)
        with visit.client:
            self._secret.show(
                f"Keys to wipe {handed.alias}",
                "In the Bolt Card programmer app, choose Reset Keys and scan this code.",
                json.dumps(wipe_json(handed), separators=(",", ":")),
            )

    async def _edit(self) -> None:
        if self._story is None:
            return
        card, options = self._story.view.card, await fund_options(self._visit)
        if card.pull_payment_id not in dict(options):
            options = ((card.pull_payment_id, self._story.view.use.pull_payment_name), *options)
        with self._visit.client:
            self._form.open(edit_fields(card, options))

    async def _save(self, values: Values) -> bool:
        try:
            await self._change(
                alias=values.get("alias", ""), pull_payment_id=values.get("pull_payment_id", "")
            )
        except ServiceError as error:
            self._form.show_errors(refusals(error))
            return False
        return True

    async def _block(self) -> None:
        if self._story is not None:
            active = self._story.view.stage is CardStage.BLOCKED
            await self._try(self._change(active=active))

    async def _change(
        self,
        *,
        alias: str | None = None,
        active: bool | None = None,
        pull_payment_id: str | None = None,
    ) -> None:
        visit = self._visit
        caller = await visit.need(Permission.CREATE)
        await visit.container.boltcards.change(
            caller.store_id,
            self._id,
            caller.actor,
            alias=alias,
            active=active,
            pull_payment_id=pull_payment_id,
        )

    async def _try(self, act: Awaitable[None]) -> None:
        try:
            await act
        except ServiceError as error:
            with self._visit.client:
                ui.notify(error.message, type="warning")
