"""How far a new store is on the way to its first payout."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class WalletSign(StrEnum):
    """How the store's connection to a Flash wallet is."""

    MISSING = "missing"
    CONNECTING = "connecting"
    SILENT = "silent"
    CONNECTED = "connected"


@dataclass(frozen=True, slots=True)
class FirstSteps:
    """The four steps, each as it is now; `trouble` is what Flash said last, if it is silent."""

    wallet: WalletSign
    has_pull_payment: bool
    has_card: bool
    has_keys_out: bool
    has_tap: bool
    trouble: str | None = None
    is_over: bool = False


def sign_of(*, is_configured: bool, is_connected: bool, trouble: str | None) -> WalletSign:
    """Return how a connection is, from what is known of it."""
    if is_connected:
        return WalletSign.CONNECTED
    if not is_configured:
        return WalletSign.MISSING
    return WalletSign.CONNECTING if trouble is None else WalletSign.SILENT
