"""Makes backups of a database that is served, and restores one where nothing is served."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from functools import partial
from pathlib import Path

from models.backup import Manifest
from models.epoch import Epoch
from models.errors import UnavailableError
from models.migrations import run as migrations
from services.database import sqlite_path
from services.epoch import EpochFile
from services.storage.backup import (
    alone_on_sqlite,
    copy_postgres,
    copy_sqlite,
    fill_postgres,
    read_manifest,
)

_SQLITE = "sqlite:"
NOTE = "last-backup"  # in the data folder


def back_up(url: str, target: Path) -> Manifest:
    """Copy a database into a new file that only its owner can read.

    Raises:
        UnavailableError: The file is there already, or nothing is there to copy.
    """
    if target.exists():
        msg = f"{target} is there already; a backup overwrites nothing."
        raise UnavailableError(msg)
    draft = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        draft.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        if url.startswith(_SQLITE):
            path = sqlite_path(url)
            if not Path(path).exists():
                msg = f"{path} is not there."
                raise UnavailableError(msg)
            manifest = copy_sqlite(path, draft)
        else:
            manifest = copy_postgres(url, draft)
        os.link(draft, target)  # never over a file that came meanwhile
    except OSError as error:
        msg = f"{target} cannot be written: {error.strerror}."
        raise UnavailableError(msg) from error
    finally:
        draft.unlink(missing_ok=True)
    return manifest


def note_backup(folder: Path, now: datetime) -> None:
    """Write down that a backup was made, for `doctor` and whoever watches."""
    with suppress(OSError):  # somebody else may make the backups, who may not write here
        folder.joinpath(NOTE).write_text(f"{now.isoformat()}\n")


def last_backup(folder: Path) -> datetime | None:
    """Return when the last backup was made from here, as far as that was written down."""
    try:
        return datetime.fromisoformat(folder.joinpath(NOTE).read_text().strip())
    except (OSError, ValueError):
        return None


def restore(url: str, backup: Path, epoch_file: EpochFile, now: datetime) -> Manifest:
    """Put a backup in place of a SQLite file, or into an empty PostgreSQL database.

    What is there now is moved aside, never deleted. The next start begins in recovery, because
    nobody can say what was paid since the backup was made.

    Raises:
        UnavailableError: It is no backup for this database, or the place is taken.
    """
    manifest = read_manifest(backup)
    wanted = "sqlite" if url.startswith(_SQLITE) else "postgresql"
    if manifest.database != wanted:
        msg = f"This is a backup of {manifest.database}, and DATABASE_URL names {wanted}."
        raise UnavailableError(msg)
    if not migrations.knows(manifest.revision):
        msg = f"This backup was made by a newer version (schema {manifest.revision})."
        raise UnavailableError(msg)
    # Before the copy is in place: cut off in between, recovery begins once too often.
    mark = partial(epoch_file.keep, Epoch(manifest.installation, manifest.epoch + 1))
    if wanted == "sqlite":
        _restore_sqlite(Path(sqlite_path(url)), backup, now, mark)
    else:
        _restore_postgres(url, backup, manifest, mark)
    migrations.upgrade(url)
    return manifest


def _restore_postgres(url: str, backup: Path, manifest: Manifest, mark: Callable[[], None]) -> None:
    found = migrations.current(url)
    if found is not None:
        raise UnavailableError("Restore into a new, empty database; this one has tables.")
    mark()
    migrations.upgrade(url, manifest.revision)
    fill_postgres(url, backup)


def _restore_sqlite(path: Path, backup: Path, now: datetime, mark: Callable[[], None]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with backup.open("rb") as source, draft.open("xb") as target:
            draft.chmod(0o600)
            shutil.copyfileobj(source, target)
            target.flush()
            os.fsync(target.fileno())
        if path.exists():
            aside = path.with_name(f"{path.name}.before-{now:%Y%m%dT%H%M%SZ}")
            with alone_on_sqlite(str(path)):
                mark()
                os.link(path, aside)
                draft.replace(path)
        else:
            mark()
            draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
