"""Codes of an authenticator app, asked for beside the password, and codes for when it is lost."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass

from models.errors import InvalidField, StateChanged
from models.instants import Clock, to_seconds
from models.person import SecondFactor
from models.session import Session
from models.store import Actor
from services import totp_policy
from services.audit import audit
from services.database import Database
from services.sessions import Sessions
from services.storage import person as people
from services.storage.statement import Transaction
from services.vault import Vault, token_hash

ISSUER = "Flash Payouts"
RECOVERY_CODES = 10
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
_CODE_LENGTH = 16
_GROUP = 4


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What an authenticator app is told: as an address for a QR code, and to type in."""

    uri: str
    secret: str


class SecondFactors:
    """Sets an authenticator up, asks it, and hands out recovery codes."""

    def __init__(self, database: Database, vault: Vault, clock: Clock, sessions: Sessions) -> None:
        self._database = database
        self._vault = vault
        self._clock = clock
        self._sessions = sessions

    async def enrol(self, session: Session) -> Enrolment:
        """Make a secret for the person's app; it counts once a code has proved it is there.

        Raises:
            Forbidden: The password was given too long ago.
            StateChanged: An authenticator is in use; it has to be removed first.
        """
        self._sessions.need_fresh(session)
        return await self._database.write(self._enrol, session.user_id)

    async def confirm(self, session: Session, code: str, actor: Actor) -> list[str]:
        """Ask for codes from now on, and return the recovery codes, this once.

        Raises:
            Forbidden: The password was given too long ago.
            InvalidField: The code is not right.
        """
        self._sessions.need_fresh(session)
        return await self._database.write(self._confirm, session, code, actor)

    async def renew_codes(self, session: Session, actor: Actor) -> list[str]:
        """Return new recovery codes, this once; those before work no more.

        Raises:
            Forbidden: The password was given too long ago.
        """
        self._sessions.need_fresh(session)
        return await self._database.write(self._renew, session, actor)

    async def drop(self, session: Session, actor: Actor) -> None:
        """Ask for the password only, from now on.

        Raises:
            Forbidden: The password was given too long ago.
        """
        self._sessions.need_fresh(session)

        def drop(tx: Transaction) -> None:
            people.drop_factor(tx, session.user_id)
            self._tell(tx, session, actor, "second_factor.removed", was=True, is_now=False)

        await self._database.write(drop)

    async def is_on(self, user_id: str) -> bool:
        """Tell whether a person is asked for a code beside the password."""
        person = await self._database.read(people.read_person, user_id)
        return person is not None and person.has_second_factor

    async def codes_left(self, user_id: str) -> int:
        """Return how many recovery codes were not used."""
        return await self._database.read(people.count_codes, user_id)

    def is_right(self, tx: Transaction, user_id: str, code: str) -> bool:
        """Tell whether a code is right, and use it up."""
        plain = "".join(code.split()).replace("-", "").lower()
        if plain.isascii() and plain.isdigit() and len(plain) == totp_policy.DIGITS:
            return self._takes(tx, people.read_factor(tx, user_id), plain)
        if len(plain) != _CODE_LENGTH:
            return False
        return people.use_code(tx, user_id, self._hash(user_id, plain), self._clock.utc_now())

    def _takes(self, tx: Transaction, factor: SecondFactor | None, code: str) -> bool:
        if factor is None:
            return False
        secret = self._vault.people.open(factor.secret_sealed, _place(factor.user_id))
        seconds = to_seconds(self._clock.utc_now())
        step = totp_policy.matching_step(secret, code, seconds, factor.last_step)
        return step is not None and people.take_step(tx, factor.user_id, step)

    def _enrol(self, tx: Transaction, user_id: str) -> Enrolment:
        person, found = people.read_person(tx, user_id), people.read_factor(tx, user_id)
        assert person is not None
        if found is not None and found.confirmed_at is not None:
            raise StateChanged(user_id, message="An authenticator is in use; remove it first.")
        secret = os.urandom(totp_policy.SECRET_BYTES)
        sealed = self._vault.people.seal(secret, _place(user_id))
        people.put_factor(tx, SecondFactor(user_id, sealed, self._clock.utc_now(), None, 0))
        uri = totp_policy.provisioning_uri(secret, person.email, ISSUER)
        return Enrolment(uri, totp_policy.as_base32(secret))

    def _confirm(self, tx: Transaction, session: Session, code: str, actor: Actor) -> list[str]:
        factor, plain = people.read_factor(tx, session.user_id), "".join(code.split())
        if factor is None or factor.confirmed_at is not None or not self._takes(tx, factor, plain):
            raise InvalidField("code", "this code is not right; try the next one")
        people.confirm_factor(tx, session.user_id, self._clock.utc_now())
        self._tell(tx, session, actor, "second_factor.added", was=False, is_now=True)
        return self._new_codes(tx, session.user_id)

    def _renew(self, tx: Transaction, session: Session, actor: Actor) -> list[str]:
        self._tell(tx, session, actor, "recovery_codes.renewed", was=True, is_now=True)
        return self._new_codes(tx, session.user_id)

    def _new_codes(self, tx: Transaction, user_id: str) -> list[str]:
        codes = [
            "".join(secrets.choice(_LETTERS) for _ in range(_CODE_LENGTH))
            for _ in range(RECOVERY_CODES)
        ]
        hashes = [self._hash(user_id, code) for code in codes]
        people.put_codes(tx, user_id, hashes, self._clock.utc_now())
        return [_grouped(code) for code in codes]

    def _hash(self, user_id: str, code: str) -> str:
        # Too long to be guessed, and without a key it outlives a rotation.
        return token_hash(f"recovery_codes/{user_id}/{code}")

    def _tell(
        self,
        tx: Transaction,
        session: Session,
        actor: Actor,
        action: str,
        *,
        was: bool,
        is_now: bool,
    ) -> None:
        audit(
            *(tx, session.store_id, actor, action),
            now=self._clock.utc_now(),
            subject_id=session.user_id,
            before={"second_factor": was},
            after={"second_factor": is_now},
        )


def _place(user_id: str) -> str:
    return f"second_factors/{user_id}/secret"


def _grouped(code: str) -> str:
    return "-".join(code[start : start + _GROUP] for start in range(0, len(code), _GROUP))
