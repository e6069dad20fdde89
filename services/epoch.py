"""Keeps a number outside the database that follows one inside it, to know an old copy by.

The number rises before anything goes on the wire, first in the database and then in the file. So
a database that is behind its file lacks a send that was made: it is a copy from before.
"""

from __future__ import annotations

import asyncio
import os
from datetime import datetime
from pathlib import Path

import structlog

from models.epoch import Epoch
from models.errors import UnavailableError
from models.instants import Clock
from services.database import Database
from services.recovery import Recovery
from services.storage import epoch as epochs
from services.storage.statement import Transaction

_log = structlog.get_logger(__name__)

EPOCH_FILE = "epoch"  # in the data folder
FOLLOW_S = 5.0
INSTALLATIONS = 16  # databases that have shared one data folder


class EpochFile:
    """A line for each installation: its name and how far it has come, the latest last."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def keep(self, epoch: Epoch) -> None:
        """Write down how far an installation has come; it never goes back."""
        known = self.read()
        reached = max(known.pop(epoch.installation, 0), epoch.number)
        known[epoch.installation] = reached
        kept = list(known.items())[-INSTALLATIONS:]
        text = "".join(f"{name} {number}\n" for name, number in kept)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        draft = self._path.with_name(f"{self._path.name}.{os.getpid()}.new")
        with draft.open("w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._path)
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def read(self) -> dict[str, int]:
        """Return how far each installation has come that was served from this folder.

        Raises:
            UnavailableError: The file is damaged: an old copy could not be told by it.
        """
        try:
            text = self._path.read_text()
        except FileNotFoundError:
            return {}
        try:
            pairs = [line.split() for line in text.splitlines()]
            return {name: int(number) for name, number in pairs}
        except ValueError:
            msg = f"{self._path} is damaged; see the README on restoring a copy."
            raise UnavailableError(msg) from None


class Epochs:
    """Raises the number, and tells a database that is behind it."""

    def __init__(self, database: Database, clock: Clock, recovery: Recovery, folder: Path) -> None:
        self._database = database
        self._clock = clock
        self._recovery = recovery
        self.file = EpochFile(folder.joinpath(EPOCH_FILE))
        self._lock = asyncio.Lock()
        self._installation: str | None = None
        self._reached = 0
        self._asked = 0
        self._done = 0

    async def check(self) -> bool:
        """Begin a recovery if the database is behind its file; tells whether it was."""
        async with self._lock:
            return await self._check()

    async def advance(self) -> None:
        """Raise the number on both sides; those who ask at once share one rise.

        Raises:
            UnavailableError: It could not be written down, or the database went back in time.
        """
        mine = self._asked = self._asked + 1
        async with self._lock:
            if self._done >= mine:
                return
            covered = self._asked
            if self._installation is None:
                await self._check()
            if await self._raise():
                raise UnavailableError("The database went back in time; nothing is sent.")
            self._done = covered

    async def run(self) -> None:
        """Follow what other instances raise, for ever."""
        while True:
            await asyncio.sleep(FOLLOW_S)
            await self.check()

    async def _check(self) -> bool:
        # The file first: whatever it says was in the database before.
        known = await asyncio.to_thread(self.file.read)
        epoch = await self._database.read(epochs.read_epoch)
        if epoch is None:
            return False
        self._installation = epoch.installation
        is_strange = epoch.installation not in known and epoch.number > 0
        if is_strange and not await self._database.read(epochs.is_served, self._clock.utc_now()):
            # A database came without its file: how far it really got, nobody can say.
            self._reached = max(self._reached, epoch.number)
            await self._recover(epoch)
            return True
        self._reached = max(self._reached, known.get(epoch.installation, 0))
        if self._reached > epoch.number:
            await self._recover(epoch)
            return True
        if known.get(epoch.installation) != epoch.number:
            await self._keep(epoch.number)
        return False

    async def _raise(self) -> bool:
        """Raise the number; tells whether it turned out that the database went back in time."""
        now = self._clock.utc_now()
        found = await self._database.write(_raise_unless_behind, self._reached, now)
        if isinstance(found, Epoch):
            await self._recover(found)
            return True
        await self._keep(found)
        return False

    async def _recover(self, copied: Epoch) -> None:
        # The number comes last: cut off before it, the next start begins again.
        await self._recovery.begin(copied, self._reached)
        now, least = self._clock.utc_now(), self._reached + 1
        await self._keep(await self._database.write(epochs.raise_epoch, least, now))

    async def _keep(self, number: int) -> None:
        if self._installation is None:
            return  # a database that is for nothing yet sends nothing
        try:
            await asyncio.to_thread(self.file.keep, Epoch(self._installation, number))
        except OSError as error:
            _log.error("epoch.not_kept", detail=str(error))
            msg = "The file DATA_DIR/epoch cannot be written."
            raise UnavailableError(msg) from error
        self._reached = number


def _raise_unless_behind(tx: Transaction, reached: int, now: datetime) -> int | Epoch:
    """Raise the number; of a database that is behind, leave it as it tells of the copy."""
    found = epochs.read_epoch(tx)
    if found is not None and found.number < reached:
        return found
    return epochs.raise_epoch(tx, 0, now)
