"""The API keys of a store: made, replaced and revoked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial

from nicegui import ui

from app.pages.password_again import SureDialog, password_fields, take_password
from app.pages.visit import Visit
from components.act_list import Act, ActList, ActRow
from components.form_dialog import Field, FormDialog, Values
from components.moment import short_day, short_moment
from components.once_dialog import OnceDialog
from components.role_words import role_name, role_options
from models.errors import InvalidField, NotFoundError, ServiceError
from models.permission import SCOPES, Permission, kept_scopes, scopes_of
from models.store import ApiKey, Role
from services.api_keys import GRACE, is_live
from services.stores import KEY_ROLES

_COLUMNS = ("Key", "Role", "Expires", "Last used")
_NOTHING = ("No API key yet", "A program shows one to ask for payouts, or to read them.")
_LIVES = (("30", "30 days"), ("90", "90 days"), ("365", "A year"), ("", "It never expires"))
_TEXT = "Put it where the program reads it. Whoever has it may do what its role allows."
_SCOPES = tuple((each.word, str(each)[:1].upper() + str(each)[1:]) for each in SCOPES)
_SCOPES_HINT = "Tick nothing for all that its role allows."
MOST = 100


class KeysPanel:
    """The list of keys that work, and of those that worked lately."""

    def __init__(self, visit: Visit, once: OnceDialog) -> None:
        self._visit = visit
        self._once = once
        self._sure = SureDialog(visit, Permission.KEYS)
        self._list = ActList(
            "API keys", _COLUMNS, _NOTHING, testid="keys", new=("New key", self._ask)
        )
        self._form = FormDialog("New API key", "Make it", self._make)

    async def show(self) -> None:
        """Read the keys and show them."""
        now = self._visit.container.clock.utc_now()
        keys = await self._visit.container.doors.api_keys.list_of(self._visit.store.id)
        live = sum(is_live(key, now) for key in keys)
        # Those that work come first; of the others the newest.
        keys.sort(key=lambda key: not is_live(key, now))
        with self._visit.client:
            self._list.show([self._row(key, now) for key in keys[:MOST]], f"{live:,} in use")

    def _row(self, key: ApiKey, now: datetime) -> ActRow:
        zone = self._visit.store.time_zone
        until, look = "Never", "soft"
        if key.revoked_at is not None:
            until, look = f"– Revoked {short_day(key.revoked_at, now, zone)}", "is-cancelled"
        elif key.expires_at is not None:
            day = short_moment(key.expires_at, now, zone)
            is_over = key.expires_at <= now
            until, look = (
                f"– Expired {day}" if is_over else day,
                "is-cancelled" if is_over else "num",
            )
        used = key.last_used_at
        only = f" · only {key.scopes.replace(' ', ', ')}" if key.scopes is not None else ""
        acts = (
            Act("Replace", f"Replace the key {key.name}", self._replacing(key)),
            Act("Revoke", f"Revoke the key {key.name}", self._revoking(key)),
        )
        return ActRow(
            key.name,
            f"Made {short_day(key.created_at, now, zone)} · fp_{key.id[:9]}…{only}",
            (
                (role_name(key.role), "fact"),
                (until, look),
                (short_moment(used, now, zone) if used else "Never", "num soft"),
            ),
            acts if is_live(key, now) else (),
        )

    async def _ask(self) -> None:
        caller = self._visit.caller
        # Whoever has less than any of them makes keys that look, as far as they may themselves.
        roles = [role for role in Role if role in KEY_ROLES and caller.may_grant(role)]
        roles = roles or [Role.VIEWER]
        again = await password_fields(self._visit)
        with self._visit.client:
            self._form.open(
                (
                    Field("name", "Name", hint="What uses it, such as Web shop."),
                    Field("role", "Role", "select", value="viewer", options=role_options(roles)),
                    Field("days", "Works for", "select", value="90", options=_LIVES),
                    Field("scope", "Narrowed to", "ticks", _SCOPES_HINT, options=_SCOPES),
                    *again,
                )
            )

    async def _make(self, values: Values) -> bool:
        visit, days = self._visit, values.get("days", "")
        try:
            await take_password(visit, Permission.KEYS, values)
            caller, role = await visit.need(Permission.KEYS), Role(values.get("role", ""))
            ticked = (name.partition(".") for name in values)
            words = [word for name, _, word in ticked if name == "scope" and word]
            scopes = scopes_of(words, role) or caller.narrowed(role)
            caller.need_grant(role, scopes)
            text = await visit.container.stores.create_api_key(
                caller.store_id,
                values.get("name", ""),
                role,
                int(days) if days else None,
                caller.actor,
                scopes,
            )
        except ValueError:
            self._form.show_errors({"": "Choose a role and how long it works."})
            return False
        except ServiceError as error:
            field = error.field if isinstance(error, InvalidField) else ""
            self._form.show_errors({field: error.message})
            return False
        self._once.show(f"The key {values.get('name', '')}", _TEXT, text)
        await self.show()
        return True

    def _replacing(self, key: ApiKey) -> Callable[[], Awaitable[None]]:
        return lambda: self._sure.ask(
            f"Replace the key {key.name}?",
            f"A new key is made. The old one goes on working for {GRACE.days} day.",
            "Replace",
            partial(self._try, partial(self._replace, key)),
        )

    def _revoking(self, key: ApiKey) -> Callable[[], Awaitable[None]]:
        return lambda: self._sure.ask(
            f"Revoke the key {key.name}?",
            "Programs that use it are refused at once.",
            "Revoke",
            partial(self._try, partial(self._revoke, key)),
        )

    async def _replace(self, key: ApiKey) -> None:
        caller = await self._visit.need(Permission.KEYS)
        caller.need_grant(key.role, kept_scopes(key.scopes))
        api_keys = self._visit.container.doors.api_keys
        text = await api_keys.rotate(caller.store_id, key.id, caller.actor)
        with self._visit.client:
            self._once.show(f"The new key {key.name}", _TEXT, text)

    async def _revoke(self, key: ApiKey) -> None:
        caller = await self._visit.need(Permission.KEYS)
        api_keys = self._visit.container.doors.api_keys
        await api_keys.revoke(caller.store_id, key.id, caller.actor)

    async def _try(self, act: Callable[[], Awaitable[None]]) -> None:
        try:
            await act()
        except NotFoundError:
            self._warn("This key works no more already.")
        except ServiceError as error:
            self._warn(error.message)
        await self.show()

    def _warn(self, words: str) -> None:
        with self._visit.client:
            ui.notify(words, type="warning")
