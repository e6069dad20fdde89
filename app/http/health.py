"""Is it up, is it ready, and the figures for Prometheus; these tell nothing of any store."""

from __future__ import annotations

from fastapi import APIRouter, Request
from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.responses import PlainTextResponse, Response

from app.answers import json_answer
from app.auth import container_of
from app.container import Container
from models.errors import UnavailableError
from models.flash import SocketState
from services.storage import wallet as wallet_storage
from services.storage.health import count_states, oldest_unknown

router = APIRouter(include_in_schema=False)


@router.get("/healthz")
async def healthz() -> Response:
    """Say that the process answers."""
    return PlainTextResponse("ok\n")


@router.get("/readyz")
async def readyz(request: Request) -> Response:
    """Say whether requests can be served: the database answers."""
    services = container_of(request)
    try:
        await services.database.read(wallet_storage.count_alerts)
    except UnavailableError:
        return json_answer({"ready": False, "database": False}, 503)
    down = [health.name for health in services.supervisor.health.values() if not health.running]
    return json_answer({"ready": True, "database": True, "loops_down": len(down)})


@router.get("/metrics")
async def metrics(request: Request) -> Response:
    """Return the figures in Prometheus' text format."""
    services = container_of(request)
    if not services.settings.metrics:
        return PlainTextResponse("metrics are switched off\n", 404)
    return Response(await _render(services), media_type=CONTENT_TYPE_LATEST)


async def _render(services: Container) -> bytes:
    registry = CollectorRegistry()
    now = services.clock.utc_now()
    open_payouts = Gauge(
        "flash_payouts_open_payouts", "Payouts that are not closed", ["state"], registry=registry
    )
    for state, count in (await services.database.read(count_states)).items():
        open_payouts.labels(state).set(count)
    unknown = Gauge(
        "flash_payouts_oldest_unknown_seconds", "Age of the oldest unknown", registry=registry
    )
    since = await services.database.read(oldest_unknown)
    unknown.set(0 if since is None else (now - since).total_seconds())
    outbox = Gauge("flash_payouts_outbox_waiting", "Alerts not told yet", registry=registry)
    outbox.set(await services.database.read(wallet_storage.count_alerts))
    socket = Gauge("flash_payouts_socket_live", "1 if live", ["store"], registry=registry)
    pace = Gauge("flash_payouts_pace_free", "Requests free now", ["store"], registry=registry)
    gate = Gauge("flash_payouts_gate_open", "1 if open", ["store"], registry=registry)
    for wallet in await services.database.read(wallet_storage.read_wallets):
        gate.labels(wallet.store_id).set(wallet.gate == "open")
    for store_id, connected in services.connected.items():
        socket.labels(store_id).set(connected.socket.state is SocketState.LIVE)
        pace.labels(store_id).set(connected.pace.free)
    restarts = Gauge("flash_payouts_loop_restarts", "Restarts", ["loop"], registry=registry)
    for health in services.supervisor.health.values():
        restarts.labels(health.name.split(" ")[0]).inc(health.restarts)
    return generate_latest(registry)
