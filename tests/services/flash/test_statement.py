"""The export of a wallet's whole statement: only its newest rows are kept, however long it is."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest

from services.flash import statement
from services.flash.statement import read_csv

HEAD = (
    "Id, Wallet Id, Type, Direction, Amount, Display Amount, Fee, Display Fee, Currency,"
    " Timestamp, Status, Memo"
)
START = datetime(2026, 11, 1, 23, 59, 30, tzinfo=UTC)


def line(
    number: int, at: datetime, wallet: str = "w-1", amount: str = "-1.5", memo: str = ""
) -> str:
    shown = at.strftime("%a %b %d %Y %H:%M:%S GMT+0000 (Coordinated Universal Time)")
    return f"row-{number},{wallet},x,SEND,1,{amount},0,0.01,USD,{shown},SUCCESS,{memo}"


def export(*lines: str) -> str:
    return base64.b64encode("\n".join((HEAD, *lines)).encode()).decode()


def at(seconds: int) -> datetime:
    return START + timedelta(seconds=seconds)


LONG = export(*(line(number, at(number * 37 % 5_000)) for number in range(5_000)))


@pytest.mark.parametrize("piece", [4, 1024, 64 * 1024])
def test_all_rows_since_a_moment_come_newest_first_in_pieces_of_any_size(
    monkeypatch: pytest.MonkeyPatch, piece: int
) -> None:
    monkeypatch.setattr(statement, "PIECE", piece)
    lines = [
        line(1, at(1), memo='"two\nlines, 你好 🙂"'),
        line(2, at(40)),
        "",
        line(3, at(20), memo='"a ""quoted"" word"'),
        line(4, at(30), wallet="w-2"),
    ]

    found = read_csv(export(*lines), "w-1", at(1), 0)

    assert [(row.id, row.at) for row in found] == [
        ("row-2", at(40)),
        ("row-3", at(20)),
        ("row-1", at(1)),
    ]
    assert found[0].signed_nanousd == -1_500_000_000
    assert found[0].fee_nanousd == 10_000_000


@pytest.mark.parametrize(
    ("since", "least", "count"), [(4_990, 3, 10), (4_990, 100, 100), (9**5, 7, 7)]
)
def test_of_a_long_export_only_the_newest_rows_are_kept(since: int, least: int, count: int) -> None:
    found = read_csv(LONG, "w-1", at(since), least)

    assert [row.at for row in found] == [at(second) for second in range(4_999, 4_999 - count, -1)]


def test_what_is_older_is_passed_over_unread() -> None:
    damaged = export(line(1, at(1), amount="a lot"), line(2, at(50)))

    assert [row.id for row in read_csv(damaged, "w-1", at(50), 1)] == ["row-2"]
    with pytest.raises(ArithmeticError):
        read_csv(damaged, "w-1", at(50), 2)


@pytest.mark.parametrize(
    "damaged",
    [
        "not base64",
        base64.b64encode(b"\xff\xfe").decode(),
        export("row-1,w-1"),
        base64.b64encode(f"Id, Timestamp\nrow-1,{at(1)}".encode()).decode(),
        export(line(1, at(1)).replace("23:59:31", "23:59:3x")),
        export(line(1, at(1)).replace("23:59:31", "25:59:31")),
        export(line(1, at(1)).replace("Nov 01", "Nov 31")),
        export(line(1, at(1)) + "," * 200_000 + '"' + "x" * 200_000),
    ],
)
def test_what_is_no_export_is_refused_by_name(damaged: str) -> None:
    with pytest.raises((KeyError, ValueError, ArithmeticError)):
        read_csv(damaged, "w-1", at(0), 1)
