"""The first run: a link that works once, and lets whoever has it become the first owner."""

from __future__ import annotations

import secrets
from datetime import timedelta

from models.errors import InvalidField, NotFoundError
from models.ids import LINK, Ids
from models.instants import Clock
from models.person import Link, LinkPurpose
from models.store import DatabaseKind
from services.database import Database
from services.passwords import Passwords, check_new_password
from services.storage import link as links
from services.storage.statement import Transaction
from services.stores import NewStore, StoreAndOwner, Stores, checked
from services.vault import token_hash

LIFE = timedelta(hours=1)
GONE = "This link was used, or its time is over. Start the service again for a new one."


class SetUp:
    """Makes the set-up link of a database that nobody owns, and takes it once."""

    def __init__(
        self, database: Database, clock: Clock, ids: Ids, stores: Stores, passwords: Passwords
    ) -> None:
        self._database = database
        self._clock = clock
        self._ids = ids
        self._stores = stores
        self._passwords = passwords

    async def begin(self) -> str | None:
        """Return a new link's token if nobody owns this database; links of before end."""
        token = secrets.token_urlsafe(32)

        def begin(tx: Transaction) -> bool:
            if links.has_owner(tx):
                return False
            now = self._clock.utc_now()
            links.drop_set_ups(tx)
            made = Link(
                id=self._ids.new(LINK),
                purpose=LinkPurpose.SET_UP,
                store_id=None,
                email=None,
                role=None,
                made_by=None,
                created_at=now,
                expires_at=now + LIFE,
                used_at=None,
            )
            links.add_link(tx, made, token_hash(token))
            return True

        return token if await self._database.write(begin) else None

    async def check(self, token: str) -> None:
        """Refuse a link that does not work.

        Raises:
            NotFoundError: It is unknown, used or over.
        """
        await self._database.read(self._live, token)

    async def finish(self, token: str, wanted: NewStore, kind: DatabaseKind) -> StoreAndOwner:
        """Make the first store and its owner, and use the link up.

        Raises:
            NotFoundError: The link is unknown, used or over.
            InvalidField: A word that cannot be.
        """
        await self.check(token)
        wanted = checked(wanted)
        if wanted.password is None:
            raise InvalidField("password", "choose a password")
        check_new_password(wanted.password, wanted.owner_email)
        hashed = await self._passwords.hash(wanted.password)

        def finish(tx: Transaction) -> StoreAndOwner:
            link = self._live(tx, token)
            if links.has_owner(tx) or not links.use_link(tx, link, self._clock.utc_now()):
                raise NotFoundError(GONE)
            return self._stores.make(tx, wanted, kind, hashed)

        return await self._database.write(finish)

    def _live(self, tx: Transaction, token: str) -> Link:
        link = links.find_link(tx, LinkPurpose.SET_UP, token_hash(token))
        if link is None or not link.is_live(self._clock.utc_now()):
            raise NotFoundError(GONE)
        return link
