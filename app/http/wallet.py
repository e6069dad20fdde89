"""The wallet over HTTP: how it stands, stop and resume."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from app.answers import json_answer
from app.auth import Reader, Resumer, Services, Stopper
from app.container import Container
from app.http.shapes.shape import answers
from app.http.shapes.wallet import StandingShape, WalletShape
from models.wallet import Wallet

router = APIRouter(tags=["wallet"])


@router.get("/wallet", **answers(WalletShape))
async def read(services: Services, caller: Reader) -> Response:
    """Return how the wallet, its gate and its connection stand."""
    return json_answer(shown(services, await services.wallets.read(caller.store_id)))


@router.get("/wallet/standing", **answers(StandingShape))
async def read_standing(services: Services, caller: Reader) -> Response:
    """Return what the wallet covers: committed, free, for how long, and the budgets' rest."""
    store = await services.stores.read(caller.store_id)
    assert store is not None
    standing = await services.standings.read(store)
    return json_answer(
        {
            "as_of": standing.as_of,
            "balance_nanousd": standing.balance_nanousd,
            "balance_at": standing.balance_at,
            "waiting": asdict(standing.waiting),
            "unsettled": asdict(standing.unsettled),
            "committed_nanousd": standing.committed_nanousd,
            "free_nanousd": standing.free_nanousd,
            "short_nanousd": standing.short_nanousd,
            "cover_tenths_of_a_day": standing.cover_tenths,
            "paid_sats_in_14_days": standing.paid_sats,
            "rate_at": standing.newest_rate_at,
            "budgets": [
                asdict(budget) | {"remaining": budget.remaining} for budget in standing.budgets
            ],
        }
    )


@router.post("/wallet/stop", **answers(WalletShape))
async def stop(services: Services, caller: Stopper) -> Response:
    """Let no new send or repeat start."""
    await services.wallets.stop(caller.store_id, caller.actor)
    return json_answer(shown(services, await services.wallets.read(caller.store_id)))


@router.post("/wallet/resume", **answers(WalletShape))
async def resume(services: Services, caller: Resumer) -> Response:
    """Let sends start again."""
    await services.wallets.resume(caller.store_id, caller.actor)
    return json_answer(shown(services, await services.wallets.read(caller.store_id)))


@router.post("/wallet/open-gate", **answers(WalletShape))
async def open_gate(services: Services, caller: Resumer) -> Response:
    """Open a gate that is shut, before it opens by itself."""
    await services.wallets.open_gate(caller.store_id, caller.actor)
    return json_answer(shown(services, await services.wallets.read(caller.store_id)))


def shown(services: Container, wallet: Wallet) -> dict[str, Any]:
    """Return a wallet as the API tells of it."""
    connected = services.connected.get(wallet.store_id)
    return {
        "id": wallet.id,
        "store_id": wallet.store_id,
        "currency": wallet.currency,
        "balance_nanousd": wallet.balance_nanousd,
        "balance_at": wallet.balance_at,
        "gate": wallet.gate,
        "gate_reason": wallet.gate_reason,
        "stopped": wallet.stopped_at is not None,
        "stopped_at": wallet.stopped_at,
        "short_since": wallet.short_since,
        "connected": connected is not None and connected.worker.reaches_flash(wallet),
        "socket": services.socket_state(wallet.store_id),
        "account_events": None
        if connected is None
        else ("limited" if connected.account.health.limited else connected.account.health.state),
    }
