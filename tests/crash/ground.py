"""Databases with a store and its key in them, made once and copied for every round."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.support.postgres import PrivatePostgres
from tests.support.warm import Forked

DATABASES = ("sqlite", "postgresql")
_MODEL = "model"
_FILE = "payouts.db"


@dataclass(slots=True)
class Ground:
    """A store in an empty database of one kind, to be copied."""

    kind: str
    folder: Path
    postgres: PrivatePostgres | None
    api_key: str = ""
    _copies: int = 0

    @classmethod
    async def prepare(cls, kind: str, folder: Path, postgres: PrivatePostgres | None) -> Self:
        """Do what an operator does first: migrate, init, api-key create."""
        ground = cls(kind, folder / _MODEL, postgres)
        ground.folder.mkdir(parents=True)
        url = ground._file(ground.folder)
        if postgres is not None:
            url = postgres.create_database(_MODEL)
        env = {"FLASH_PAYOUTS_DATABASE_URL": url, "FLASH_PAYOUTS_DATA_DIR": str(ground.folder)}
        log = folder / "commands.log"
        await _command(env, log, "migrate")
        init = ("init", "--store", "Corner Café", "--owner", "alice@example.com")
        made = await _command(env, log, *init)
        store_id = json.loads(made)["store_id"]
        key = await _command(
            *(env, log, "api-key", "create"),
            *("--store", store_id, "--name", "till", "--role", "owner"),
        )
        ground.api_key = key.strip()
        return ground

    def copy(self, folder: Path) -> str:
        """Copy the database and the master key; returns the copy's address."""
        shutil.copytree(self.folder, folder)
        if self.postgres is None:
            return self._file(folder)
        self._copies += 1
        return self.postgres.create_database(f"round_{self._copies}", template=_MODEL)

    def drop(self, url: str) -> None:
        """Remove a copy that lives in a server; files go with their folder."""
        if self.postgres is not None:
            self.postgres.drop_database(url.rpartition("/")[2])

    @staticmethod
    def _file(folder: Path) -> str:
        return f"sqlite:///{folder / _FILE}"


async def _command(env: dict[str, str], log: Path, *words: str) -> str:
    command = Forked("app", *words, env=os.environ | env, log=log)
    said = await asyncio.to_thread(command.rest)
    if await asyncio.to_thread(command.wait) != 0:
        raise RuntimeError(f"flash-payouts {words[0]}: {await asyncio.to_thread(log.read_text)}")
    return said
