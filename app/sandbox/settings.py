"""What a sandbox is started with; nothing here is read from the environment."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

Profile = Literal["2026-08", "2025-08"]

HOST: Final = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxSettings:
    """One sandbox: where it listens, where its ledger lies, and how fast its world turns."""

    ledger: Path
    port: int = 0
    ws_port: int = 0
    profile: Profile = "2026-08"
    seed: int = 1
    # Off, the limiters let everything through and payments settle at once.
    pace: bool = True
    token: str | None = None
    api_key: str | None = None
    opening_cents: int = 1_000_000
    latency_ms: tuple[int, int] = (20, 60)
    row_delay_ms: int = 1_000
    # How long a second call with the same idempotency key waits before it is told "busy".
    lock_wait_ms: int = 1_500
    price_period_ms: int = 30_000
    ping_period_ms: int = 12_000
    init_timeout_ms: int = 3_000
    ws_burst: int = 20
    http_burst: int = 2_400

    @property
    def settle_ms(self) -> tuple[int, int]:
        """Return the shortest and the longest time a payment takes."""
        return self.latency_ms if self.pace else (0, 0)

    @property
    def visible_ms(self) -> int:
        """Return how long a settled payment stays out of the list of transactions."""
        return self.row_delay_ms if self.pace else 0
