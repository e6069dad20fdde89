"""Filters that people keep under a name, each for themselves."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode

from models.errors import DuplicateRow, InvalidField, LimitReached, NotFoundError
from models.ids import SAVED_VIEW, Ids
from models.instants import Clock
from models.saved_view import NAME_LIMIT, QUERY_LIMIT, VIEWS_LIMIT, SavedView
from services.database import Database
from services.plain_text import plain_text
from services.storage import saved_view as views
from services.storage.statement import Transaction

_TRIES = 3


def values_of(view: SavedView) -> dict[str, str]:
    """Return the values of the address that a view keeps; whoever uses them checks them anew."""
    return dict(parse_qsl(view.query, max_num_fields=VIEWS_LIMIT))


class SavedViews:
    """Keeps, shows, renames and removes the views of a person in a store."""

    def __init__(self, database: Database, clock: Clock, ids: Ids) -> None:
        self._database = database
        self._clock = clock
        self._ids = ids

    async def all(self, store_id: str, owner_id: str) -> list[SavedView]:
        """Return a person's views, by name."""
        return await self._database.read(views.read_views, store_id, owner_id)

    async def save(
        self, store_id: str, owner_id: str, name: str, values: dict[str, str]
    ) -> SavedView:
        """Keep the values of an address under a name.

        Raises:
            InvalidField: The name is empty, too long or taken, or there is nothing to keep.
            LimitReached: This person has as many views as one may have.
        """
        name, query = _checked(name), urlencode(values)
        if not 0 < len(query) <= QUERY_LIMIT:
            raise InvalidField("values", "there is no filter to keep")
        for _ in range(_TRIES):
            try:
                return await self._database.write(self._add, store_id, owner_id, name, query)
            except DuplicateRow:
                continue  # another page of this person was first: look again
        raise InvalidField("name", "you have a view of this name")

    async def rename(self, store_id: str, owner_id: str, view_id: str, name: str) -> None:
        """Give a view another name.

        Raises:
            InvalidField: The name is empty, too long or taken.
            NotFoundError: This person has no such view.
        """
        try:
            await self._database.write(_rename, store_id, owner_id, view_id, _checked(name))
        except DuplicateRow:
            raise InvalidField("name", "you have a view of this name") from None

    async def remove(self, store_id: str, owner_id: str, view_id: str) -> None:
        """Remove a view; one that is gone already is no error."""
        await self._database.write(views.remove_view, store_id, owner_id, view_id)

    def _add(
        self, tx: Transaction, store_id: str, owner_id: str, name: str, query: str
    ) -> SavedView:
        known = views.read_views(tx, store_id, owner_id)
        if any(view.name_key == name.casefold() for view in known):
            raise InvalidField("name", "you have a view of this name")
        taken = {view.slot for view in known}
        slot = next((slot for slot in range(1, VIEWS_LIMIT + 1) if slot not in taken), None)
        if slot is None:
            msg = f"You have {VIEWS_LIMIT} saved views; delete one first."
            raise LimitReached("saved_views", msg)
        view = SavedView(
            id=self._ids.new(SAVED_VIEW),
            store_id=store_id,
            owner_id=owner_id,
            slot=slot,
            name=name,
            name_key=name.casefold(),
            query=query,
            created_at=self._clock.utc_now(),
        )
        views.add_view(tx, view)
        return view


def _rename(tx: Transaction, store_id: str, owner_id: str, view_id: str, name: str) -> None:
    if not views.rename_view(tx, store_id, owner_id, view_id, name, name.casefold()):
        raise NotFoundError("This view is gone.")


def _checked(name: str) -> str:
    plain = " ".join(plain_text(name, NAME_LIMIT + 1).split())
    if not 1 <= len(plain) <= NAME_LIMIT:
        raise InvalidField("name", f"give a name of 1 to {NAME_LIMIT} characters")
    return plain
