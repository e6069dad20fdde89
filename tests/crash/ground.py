"""Databases with a store and its key in them, made once and copied for every round."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.crash.process import ROOT
from tests.support.postgres import PrivatePostgres

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
        await _command(env, "migrate")
        made = await _command(env, "init", "--store", "Corner Café", "--owner", "alice@example.com")
        store_id = json.loads(made)["store_id"]
        key = await _command(
            env, "api-key", "create", "--store", store_id, "--name", "till", "--role", "owner"
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


async def _command(env: dict[str, str], *words: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "app", *words),
        cwd=ROOT,
        env=os.environ | env,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, complaint = await process.communicate()
    if process.returncode != 0:
        raise RuntimeError(f"flash-payouts {words[0]}: {complaint.decode()}")
    return said.decode()
