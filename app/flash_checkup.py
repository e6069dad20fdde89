"""Looks at one connection to Flash as `doctor` does: address, clock, wallet, statement, socket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

from models.checkup import Finding, Verdict
from models.errors import GatewayError
from models.flash import FlashConnection
from models.money import NANOUSD_PER_CENT
from services.clock import SystemClock
from services.flash.client import FlashClient
from services.flash.handshake import shake_hands

SKEW_S = 10
STATEMENT_ROWS = 1

_OK, _WARN, _FAIL = Verdict.OK, Verdict.WARN, Verdict.FAIL


async def examine_flash(whose: str, connection: FlashConnection) -> AsyncIterator[Finding]:
    """Ask Flash for everything that payouts lean on; `whose` is put behind each name."""
    client = FlashClient(connection)
    await client.open()
    try:
        async for finding in _answers(client, connection):
            yield replace(finding, name=finding.name + whose)
    finally:
        await client.close()
    socket = await _socket(connection)
    yield replace(socket, name=socket.name + whose)


async def _answers(client: FlashClient, connection: FlashConnection) -> AsyncIterator[Finding]:
    try:
        await client.fetch_price("USD")
    except GatewayError as error:
        if not client.has_answered:
            yield Finding("flash", _FAIL, error.message, "check the network and FLASH_API_URL")
            return
    mark = " (a sandbox)" if client.is_sandbox else ""
    yield Finding("flash", _OK, f"{connection.url} answers{mark}")
    yield _clock(client)
    try:
        info = await client.fetch_wallet()
    except GatewayError as error:
        yield Finding("wallet", _FAIL, error.message, "make a new token or key in Flash")
        return
    cents = "unknown"
    if info.balance_nanousd is not None:
        cents = f"{info.balance_nanousd // NANOUSD_PER_CENT:,} cents"
    yield Finding("wallet", _OK, f"{info.currency}, holds {cents}")
    try:
        await client.fetch_statement(info.flash_wallet_id, STATEMENT_ROWS)
    except GatewayError as error:
        advice = "give the key the scope read_transactions: unknowns are cleared up by the list"
        yield Finding("statement", _FAIL, error.message, advice)
        return
    yield Finding("statement", _OK, "may be read")


def _clock(client: FlashClient) -> Finding:
    theirs = client.server_time
    if theirs is None:
        return Finding("clock", _WARN, "Flash does not say what time it is")
    skew_s = int((SystemClock().utc_now() - theirs).total_seconds())
    if abs(skew_s) <= SKEW_S:
        return Finding("clock", _OK, f"within {SKEW_S} s of Flash's")
    advice = "set this machine's clock (NTP): invoices and one-time codes live by it"
    return Finding("clock", _FAIL, f"{skew_s} s off Flash's", advice)


async def _socket(connection: FlashConnection) -> Finding:
    try:
        await shake_hands(connection)
    except GatewayError as error:
        advice = "check FLASH_WS_URL and the token; without it payouts are only asked about"
        return Finding("socket", _FAIL, error.message, advice)
    limited = "" if connection.token else "; with an API key, no events of the account"
    return Finding("socket", _OK, f"{connection.ws_url} lets us in{limited}")
