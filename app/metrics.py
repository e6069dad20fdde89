"""The figures for Prometheus; they tell of stores by their ids and of nobody by name."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from nicegui import Client
from prometheus_client import CollectorRegistry, Gauge, generate_latest

from app.container import Container
from models.flash import SocketState
from models.payout_filter import PayoutFilter
from models.wallet import Gate
from services.backups import last_backup
from services.storage import epoch as epochs
from services.storage import wallet as wallets
from services.storage.health import count_states, oldest_unknown


async def render(services: Container) -> bytes:
    """Return all figures in Prometheus' text format."""
    registry = CollectorRegistry()

    def gauge(name: str, says: str, *labels: str) -> Gauge:
        return Gauge(f"flash_payouts_{name}", says, labels, registry=registry)

    read, now = services.database.read, services.clock.utc_now()
    payouts = gauge("payouts", "Payouts of all time", "store", "status")
    for store in await services.stores.all():
        figures = await services.figures.stats(store.id, PayoutFilter())
        for status, figure in figures.by_status.items():
            payouts.labels(store.id, status).set(figure.count)
    open_payouts = gauge("open_payouts", "Payouts that are not closed", "state")
    for state, count in (await read(count_states)).items():
        open_payouts.labels(state).set(count)
    since = await read(oldest_unknown)
    unknown_s = 0 if since is None else (now - since).total_seconds()
    gauge("oldest_unknown_seconds", "Age of the oldest unknown").set(unknown_s)
    gauge("outbox_waiting", "Alerts not told yet").set(await read(wallets.count_alerts))
    epoch = await read(epochs.read_epoch)
    gauge("epoch", "How far the database has come").set(0 if epoch is None else epoch.number)
    open_gate = gauge("gate_open", "1 if open", "store")
    stopped = gauge("stopped", "1 if a person stopped the sends", "store")
    for wallet in await read(wallets.read_wallets):
        open_gate.labels(wallet.store_id).set(wallet.gate is Gate.OPEN)
        stopped.labels(wallet.store_id).set(wallet.stopped_at is not None)
    socket = gauge("socket_live", "1 if live", "store")
    reached = gauge("flash_connected", "1 if Flash answers and takes the credential", "store")
    pace = gauge("pace_free", "Requests free now", "store")
    for store_id, connected in services.connected.items():
        socket.labels(store_id).set(services.socket_state(store_id) is SocketState.LIVE)
        reached.labels(store_id).set(connected.worker.health.connected)
        pace.labels(store_id).set(connected.pace.free)
    waiting = gauge("database_waiting", "Work that waits for a database thread", "lane")
    for lane, count in services.database.waiting.items():
        waiting.labels(lane).set(count)
    await _tell_checks(services, gauge)
    made_at = await asyncio.to_thread(last_backup, services.settings.data_dir)
    if made_at is not None:
        age_s = (now - made_at).total_seconds()
        gauge("backup_age_seconds", "Since the last backup from here").set(age_s)
    pages = sum(client.has_socket_connection for client in list(Client.instances.values()))
    gauge("open_pages", "Pages that a browser has open").set(pages)
    gauge("loop_lag_seconds", "Worst of the last minute").set(services.lag.worst_s)
    restarts = gauge("loop_restarts", "Restarts", "loop")
    down = gauge("loops_down", "Loops that do not come back")
    for health in services.supervisor.health.values():
        restarts.labels(health.name.split(" ")[0]).inc(health.restarts)
    down.set(len(services.supervisor.down()))
    return generate_latest(registry)


async def _tell_checks(services: Container, gauge: Callable[..., Gauge]) -> None:
    """Tell of each store when its books were last checked, and what that found."""
    found = gauge("audit_findings", "What the standing audits found", "store")
    payouts = gauge("audit_payouts", "Payouts that an audit looked at", "store", "scope")
    age_s = gauge("audit_age_seconds", "Since an audit began", "store", "scope")
    off = gauge("reconciliation_differences", "Missing, extra or different", "store", "span")
    now = services.clock.utc_now()
    for store in await services.stores.all():
        checked = await services.engine.night_watch.checked(store.id)
        found.labels(store.id).set(checked.found)
        for report in checked.audits:
            run = report.run
            payouts.labels(store.id, run.scope).set(run.payouts)
            age_s.labels(store.id, run.scope).set((now - run.started_at).total_seconds())
        for kept in checked.reconciliations:
            off.labels(store.id, kept.span).set(kept.differences)
