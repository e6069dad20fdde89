"""The operator's settings: environment or `.env`, prefix FLASH_PAYOUTS_."""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from models.errors import SettingError
from models.flash import FlashConnection

PREFIX = "FLASH_PAYOUTS_"
ADDRESS_LIMIT = 64  # no address is longer, and what is remembered of them stays small
_DATABASES = ("sqlite:///", "postgresql://")


# Independent prices, each as name=address; `{currency}` is put in.
_RATE_SOURCES = (
    (
        "coingecko=https://api.coingecko.com/api/v3/simple/price"
        "?ids=bitcoin&vs_currencies={currency}&include_last_updated_at=true"
    ),
    (
        "coindesk=https://data-api.coindesk.com/index/cc/v1/latest/tick"
        "?market=cadli&instruments=BTC-{currency}&apply_mapping=true"
    ),
    "coinbase=https://api.coinbase.com/v2/prices/BTC-{currency}/spot",
)
_KNOWN_SOURCES = tuple(source.partition("=")[0] for source in _RATE_SOURCES)
_OFF = "off"


class LogFormat(StrEnum):
    """How log lines are written."""

    CONSOLE = "console"
    JSON = "json"


class Settings(BaseSettings):
    """Every setting, with its default; a bad value stops the start with one line."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=".env", extra="ignore", frozen=True, env_ignore_empty=True
    )

    database_url: str = ""
    data_dir: Path = Path("data")
    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    public_url: str = ""
    master_key_file: Path | None = None
    flash_api_url: str = "https://api.flashapp.me/graphql"
    flash_ws_url: str = "wss://ws.flashapp.me/graphql"
    flash_token: SecretStr | None = None
    flash_api_key: SecretStr | None = None
    flash_store: str | None = None
    flash_requests_per_minute: int = Field(default=50, ge=1, le=1_000_000)
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = ()
    outbound_allow: Annotated[tuple[str, ...], NoDecode] = ()
    rate_sources: Annotated[tuple[str, ...] | None, NoDecode] = None
    auto_release: bool = False
    log_format: LogFormat = LogFormat.CONSOLE
    metrics: bool = True

    @field_validator("trusted_proxies", "outbound_allow", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip().lower() for part in value.split(",") if part.strip())
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _known_proxies(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for part in value:
            try:
                is_known = ip_network(part).prefixlen > 0
            except ValueError:
                is_known = False
            if not is_known:
                # Whoever is trusted may say that a visitor comes from anywhere.
                msg = "write the addresses or networks of your proxies, such as 127.0.0.1"
                raise ValueError(msg)
        return value

    @field_validator("rate_sources", mode="before")
    @classmethod
    def _named_sources(cls, value: object) -> object:
        if isinstance(value, str):
            value = () if value.strip().lower() == _OFF else value.split(",")
        if not isinstance(value, tuple | list):
            return value
        named = tuple(str(part).strip() for part in value if str(part).strip())
        for source in named:
            name, _, url = source.partition("=")
            if name not in _KNOWN_SOURCES or urlsplit(url).scheme not in {"http", "https"}:
                msg = f"write off, or name=address with {', '.join(_KNOWN_SOURCES)}"
                raise ValueError(msg)
        return named

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        if value and not value.startswith(_DATABASES):
            msg = "write sqlite:///path or postgresql://user@host/name"
            raise ValueError(msg)
        return value

    @field_validator("public_url")
    @classmethod
    def _origin(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and (parts.scheme not in {"http", "https"} or not parts.netloc or parts.query):
            msg = "write an address such as https://pay.example.com"
            raise ValueError(msg)
        return value.rstrip("/")

    @field_validator("flash_api_url", "flash_ws_url")
    @classmethod
    def _flash_url(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https", "ws", "wss"} or not parts.netloc:
            msg = "write an address such as https://api.flashapp.me/graphql"
            raise ValueError(msg)
        if parts.scheme in {"http", "ws"} and not is_loopback(parts.hostname or ""):
            msg = "use https or wss: the wallet's credential must not travel in clear text"
            raise ValueError(msg)
        return value

    @model_validator(mode="after")
    def _public_is_safe(self) -> Self:
        if not is_loopback(self.host) and not self.public_url.startswith("https://"):
            msg = "PUBLIC_URL must be an https address unless HOST is loopback"
            raise ValueError(msg)
        return self

    @property
    def database(self) -> str:
        """Return the database URL, by default a SQLite file in the data folder."""
        return self.database_url or f"sqlite:///{self.data_dir / 'payouts.db'}"

    @property
    def key_file(self) -> Path:
        """Return the file of the master key."""
        return self.master_key_file or self.data_dir / "master.key"

    @property
    def base_url(self) -> str:
        """Return the address that links, cards and callbacks are made with."""
        return self.public_url or f"http://{_bracketed(self.host)}:{self.port}"

    @property
    def prices(self) -> list[tuple[str, str]]:
        """Return name and address of each independent price.

        By default none beside a Flash on this machine, which is the sandbox: it makes prices up.
        """
        sources = self.rate_sources
        if sources is None:
            is_real = self.flash and not is_loopback(urlsplit(self.flash_api_url).hostname or "")
            sources = _RATE_SOURCES if is_real else ()
        return [(name, url) for name, _, url in (each.partition("=") for each in sources)]

    @property
    def flash(self) -> FlashConnection | None:
        """Return the operator's connection to Flash, if there is a credential."""
        token = None if self.flash_token is None else self.flash_token.get_secret_value()
        api_key = None if self.flash_api_key is None else self.flash_api_key.get_secret_value()
        if not token and not api_key:
            return None
        return FlashConnection(self.flash_api_url, self.flash_ws_url, token, api_key)


def is_loopback(host: str) -> bool:
    """Tell whether a host can only be reached from this machine."""
    return len(host) <= ADDRESS_LIMIT and _is_loopback(host)


@lru_cache(maxsize=1024)
def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def load_settings(**overrides: object) -> Settings:
    """Read the settings.

    Raises:
        SettingError: A value that cannot be, with the name of its setting.
    """
    try:
        return Settings(**overrides)  # type: ignore[arg-type]  # checked by pydantic
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = "_".join(str(part) for part in first["loc"]).upper()
        message = first["msg"].removeprefix("Value error, ")
        if not name:
            name, _, message = message.partition(" ")
        raise SettingError(PREFIX + name, message) from None
