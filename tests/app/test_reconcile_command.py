"""`flash-payouts reconcile`: what it prints and how it ends, beside a running service."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.program import Program
from tests.support.sandbox import FlashAccount, Hand, SandboxProcess
from tests.support.shop import Shop

SPAN = ("--from", "2020-01-01", "--to", "2100-01-01")


@pytest.fixture
def sandbox(punctual_sandbox: SandboxProcess) -> SandboxProcess:
    """Keep the machine's time, as the programs here do."""
    return punctual_sandbox


async def test_it_reads_the_list_compares_and_ends_by_what_it_found(
    paying_shop: Shop, hand: Hand, account: FlashAccount, tmp_path: Path
) -> None:
    pull = await paying_shop.pull_payment()
    await paying_shop.claim(pull, (await hand.foreign_invoice(2_000)).pr)
    settings = paying_shop.container.settings
    known = {
        "DATABASE_URL": settings.database,
        "MASTER_KEY_FILE": str(settings.key_file),
        "FLASH_API_URL": hand.sandbox.api_url,
        "FLASH_WS_URL": hand.sandbox.ws_url,
        "FLASH_TOKEN": account.token,
    }
    program = Program(tmp_path, known)

    clean = program.run("reconcile", "--json", *SPAN)
    worded = program.run("reconcile", "--from", "nonsense")

    assert clean.status == 0, clean.err
    told = json.loads(clean.out)
    assert (told["matched"], told["differences"], told["is_whole"]) == (1, [], True)
    assert worded.status == 2
    assert len(worded.err.strip().splitlines()) == 1
