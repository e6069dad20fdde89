"""Passwords: hashed and checked with argon2id, a few at a time."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from argon2 import PasswordHasher, Type
from argon2.exceptions import Argon2Error, InvalidHashError

from models.errors import InvalidField, RateLimited
from services.password_policy import objection

# Each check takes this much memory while it runs, so few may run at once; the rest waits or is
# turned away, and a flood of sign-ins takes no more memory than two.
MEMORY_KIB = 32 * 1024
ROUNDS = 3
AT_ONCE = 2
WAITING_LIMIT = 32
NICENESS = 5
_HASHER = PasswordHasher(
    time_cost=ROUNDS, memory_cost=MEMORY_KIB, parallelism=1, hash_len=32, type=Type.ID
)


def hash_password(password: str) -> str:
    """Hash a password; blocks for a twentieth of a second."""
    return _HASHER.hash(password)


def is_password(password_hash: str, password: str) -> bool:
    """Tell whether a password is the one that was hashed; blocks as long."""
    try:
        return _HASHER.verify(password_hash, password)
    except (Argon2Error, InvalidHashError):
        return False


def check_new_password(password: str, email: str) -> None:
    """Refuse a password that would be guessed.

    Raises:
        InvalidField: What is wrong with it.
    """
    found = objection(password, email)
    if found is not None:
        raise InvalidField("password", found)


class Passwords:
    """Hashes and checks in two threads of its own, so that neither pages nor taps wait."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(AT_ONCE, "passwords", _yield_to_others)
        self._waiting = 0
        self._nobodys: str | None = None

    @contextmanager
    def place(self) -> Iterator[None]:
        """Take a place among those who wait, before anything is read or written for them.

        Raises:
            RateLimited: Too many wait already.
        """
        if self._waiting >= WAITING_LIMIT:
            raise RateLimited(2, "Too many sign in at this moment; try again shortly.")
        self._waiting += 1
        try:
            yield
        finally:
            self._waiting -= 1

    async def hash(self, password: str) -> str:
        """Hash a password.

        Raises:
            RateLimited: Too many wait already.
        """
        with self.place():
            return str(await self._run(hash_password, password))

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """Tell whether a password is right, for whoever has a place; as slowly for nobody's."""
        return bool(await self._run(self._verify, password_hash, password))

    def is_outdated(self, password_hash: str) -> bool:
        """Tell whether a hash was made with other settings than today's."""
        return _HASHER.check_needs_rehash(password_hash)

    def _verify(self, password_hash: str | None, password: str) -> bool:
        if self._nobodys is None:
            self._nobodys = hash_password("nobody has this password")
        is_right = is_password(password_hash or self._nobodys, password)
        return is_right and password_hash is not None

    async def _run(self, function: object, *words: str | None) -> object:
        assert callable(function)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, function, *words)


def _yield_to_others() -> None:
    """Let the thread that serves pages and taps go first; only Linux knows a thread's own rank."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
