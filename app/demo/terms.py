"""The demo's fixed terms: files of its own, this machine only, and no Flash but its sandbox."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Self

from pydantic_settings import DotEnvSettingsSource, EnvSettingsSource

from app.settings import PREFIX, Settings, load_settings
from models.errors import SettingError, UnavailableError

HOST: Final = "127.0.0.1"
REQUESTS_PER_MINUTE: Final = 60_000
_DRAFT: Final = ".new"
_BESIDE_SQLITE: Final = ("", "-wal", "-shm", "-journal", ".lock")
# What the environment may say without being heard here.
_IGNORED: Final = (
    *("flash_token", "flash_api_key", "flash_api_url", "flash_ws_url", "flash_store"),
    *("flash_requests_per_minute", "database_url", "master_key_file", "host", "public_url"),
    *("trusted_proxies", "outbound_allow", "rate_sources"),
)


@dataclass(frozen=True, slots=True)
class Files:
    """Where a demo keeps its database, its key and its sandbox's ledger."""

    database: str
    path: Path | None
    key: Path
    ledger: Path
    data_dir: Path
    target: Files | None = None

    @classmethod
    def fixed(cls, data_dir: Path) -> Self:
        """Return the files of `make run`."""
        path = data_dir / "demo.db"
        return cls(
            database=f"sqlite:///{path}",
            path=path,
            key=data_dir / "demo.key",
            ledger=data_dir / "demo-sandbox.db",
            data_dir=data_dir,
        )

    @classmethod
    def chosen(cls, settings: Settings) -> Self:
        """Return the same files, or the database and key that the settings name."""
        from services.database import sqlite_path

        files = cls.fixed(settings.data_dir)
        if url := settings.database_url:
            path = Path(sqlite_path(url)) if url.startswith("sqlite:") else None
            files = replace(files, database=url, path=path)
        return replace(files, key=settings.master_key_file or files.key)

    @property
    def settings(self) -> Settings:
        """Return settings that open these files and reach nothing else."""
        return load_settings(**self.overrides())

    @property
    def is_complete(self) -> bool:
        """Tell whether there is a demo to go on with."""
        return all(path.exists() for path in self.main_files)

    @property
    def shown_database(self) -> str:
        """Return where the database is, without a password."""
        return self.database.rpartition("@")[2] if self.path is None else str(self.path)

    def overrides(self, **more: Any) -> dict[str, Any]:
        """Return what the environment must not change."""
        own = {"database_url": self.database, "master_key_file": self.key}
        return fixed_terms() | own | {"data_dir": self.data_dir} | more

    def refuse_existing(self) -> None:
        """Let no history be written over another.

        Raises:
            UnavailableError: There is one.
        """
        for path in self.main_files:
            if path.exists():
                raise UnavailableError(f"{path} is there already; remove it to make a new history.")

    def remove(self) -> None:
        """Remove database and ledger; the key may stay."""
        for path in self.main_files:
            _remove(path)

    def draft(self) -> Files:
        """Return empty files beside these, to be published when they are whole."""
        draft = replace(self, ledger=_beside(self.ledger), target=self)
        if self.path is not None:
            path = _beside(self.path)
            draft = replace(draft, database=f"sqlite:///{path}", path=path)
        self.ledger.parent.mkdir(parents=True, exist_ok=True)
        draft.remove()
        return draft

    def publish(self) -> None:
        """Put a finished draft in its place, the database last: it says that all is there."""
        assert self.target is not None
        targets = self.target.main_files
        for source, target in zip(self.main_files, targets, strict=True):
            source.replace(target)
            _remove(source)
        folder = os.open(self.ledger.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    @property
    def main_files(self) -> tuple[Path, ...]:
        """Return the files without which there is no demo; a server keeps its database itself."""
        return (self.ledger,) if self.path is None else (self.ledger, self.path)


def fixed_terms() -> dict[str, Any]:
    """Return what the demo sets itself, whatever the environment says."""
    nothing = ("flash_token", "flash_api_key", "flash_store", "master_key_file")
    return {
        **dict.fromkeys(nothing),
        "flash_api_url": f"http://{HOST}/",
        "flash_ws_url": f"ws://{HOST}/",
        "flash_requests_per_minute": REQUESTS_PER_MINUTE,
        "database_url": "",
        "host": HOST,
        "public_url": "",
        "trusted_proxies": (),
        "outbound_allow": (),
        "rate_sources": (),
    }


def ignored_settings() -> list[str]:
    """Return the names of settings in the environment or `.env` that the demo does not heed."""
    said = {*EnvSettingsSource(Settings)(), *DotEnvSettingsSource(Settings)()}
    return [PREFIX + name.upper() for name in _IGNORED if name in said]


def demo_port(settings: Settings) -> int:
    """Return the port of the demo; the sandbox takes the two above it.

    Raises:
        SettingError: There are no two above it.
    """
    highest = 65_533
    if settings.port > highest:
        raise SettingError(f"{PREFIX}PORT", f"the demo needs three ports, so at most {highest}")
    return settings.port


def _beside(path: Path) -> Path:
    return path.with_name(path.name + _DRAFT)


def _remove(path: Path) -> None:
    for suffix in _BESIDE_SQLITE:
        path.with_name(path.name + suffix).unlink(missing_ok=True)
