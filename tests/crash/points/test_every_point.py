"""Ended at any commit and any call, and begun again: the payee is paid once, or not at all.

Points are found by playing each story once, so that one that is new is ended at as well. On
PostgreSQL a part of them is played; `python -m tests.crash.points` plays all of them there too.
"""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.crash.points.lives import Lives
from tests.crash.points.proof import Proof
from tests.crash.points.stories import STORIES, Story
from tests.support.clock import HandClock
from tests.support.databases import PostgresPool
from tests.support.sandbox import FlashAccount, Hand

_ON_POSTGRES = {"tap": 3, "Lightning Address": 5, "repeat": 5}
# What comes from the socket, or falls due in the background, may not come again.
_MISSED_PARTS = 2


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
async def test_wherever_it_ended_the_payee_is_paid_once_or_not_at_all(
    story: Story, sqlite_url: str, tmp_path: Path, hand: Hand, account: FlashAccount
) -> None:
    await prove(sqlite_url, tmp_path, hand, account, story)


@pytest.mark.postgresql
@pytest.mark.parametrize(
    "story", [each for each in STORIES if each.name in _ON_POSTGRES], ids=lambda story: story.name
)
async def test_so_it_is_on_postgresql(
    story: Story, postgres_pool: PostgresPool, tmp_path: Path, hand: Hand, account: FlashAccount
) -> None:
    with postgres_pool.lend() as url:
        await prove(url, tmp_path, hand, account, story, _ON_POSTGRES[story.name])


@pytest.mark.parametrize(
    "point",
    [
        "commit:withdrawals.reserve:after#1",
        "commit:send_log.log_send:before#1",
        "commit:send_log.log_send:after#1",
        "wire:lnInvoicePaymentSend:after#1",
        "commit:tracking.apply_answer:before#1",
    ],
)
async def test_so_it_is_when_the_system_kills_the_process(
    point: str, database_url: str, tmp_path: Path, hand: Hand, account: FlashAccount
) -> None:
    # Of the other stories the victim would take with it what only a till knows.
    story = next(each for each in STORIES if each.name == "return")
    lives = Lives(database_url, tmp_path, hand, account, HandClock(await hand.now()))
    proof = Proof(lives, story)

    status = await proof.run_killed(point)

    assert status == -signal.SIGKILL
    assert not proof.findings, "\n".join(proof.findings)


async def prove(
    url: str, folder: Path, hand: Hand, account: FlashAccount, story: Story, every: int = 1
) -> None:
    proof = Proof(Lives(url, folder, hand, account, HandClock(await hand.now())), story)

    await proof.run(every)

    print(proof.line())
    assert not proof.findings, "\n".join(proof.findings)
    assert len(proof.missed) * _MISSED_PARTS < len(proof.outcomes), proof.missed
