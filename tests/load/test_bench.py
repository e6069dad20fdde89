"""The bench's own arithmetic: percentiles, and frames taken apart wherever the network cut them."""

from __future__ import annotations

import random
import zlib

import pytest

from tests.load.live import told
from tests.load.sockets import Socket
from tests.load.table import Sample, shown

TEXTS = ["40", '42["update",{"7":"' + "payout " * 40 + '"}]', "2", "é" * 70_000]


def packed(texts: list[str]) -> bytes:
    """Return texts as a server sends them, with one compressor for all of them."""
    deflate = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    found = b""
    for text in texts:
        body = deflate.compress(text.encode()) + deflate.flush(zlib.Z_SYNC_FLUSH)
        body = body.removesuffix(b"\x00\x00\xff\xff")
        size = len(body)
        length = bytes([size]) if size < 126 else b"\x7e" + size.to_bytes(2)
        found += b"\xc1" + length + body
    return found


@pytest.mark.parametrize("seed", range(5))
async def test_frames_are_read_wherever_they_were_cut(seed: int) -> None:
    socket, chance = Socket(), random.Random(seed)
    socket.data_received(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
    stream, place = packed(TEXTS), 0
    while place < len(stream):
        size = chance.randint(1, 90)
        socket.data_received(stream[place : place + size])
        place += size

    assert [text for _, text in socket.texts()] == TEXTS
    assert socket.received_bytes == len(stream)
    assert not list(socket.texts())


async def test_what_was_not_read_is_still_there_the_next_time() -> None:
    socket = Socket()
    socket.data_received(b"HTTP/1.1 101 Switching Protocols\r\n\r\n" + packed(TEXTS))

    _, first = next(socket.texts())

    assert [first, *(text for _, text in socket.texts())] == TEXTS


def test_percentiles_are_those_of_the_nearest_rank() -> None:
    sample = Sample([value / 1000 for value in range(1, 101)])

    assert [sample.ms(percent) for percent in (0, 50, 99)] == pytest.approx([1, 51, 100])
    assert Sample().ms(99) == 0


def test_a_sample_is_told_by_its_median_and_its_tail() -> None:
    times, median, tail, worst = told([float(value) for value in range(1, 101)])

    assert (times, median, worst) == (100, 50.5, 100)
    assert tail == pytest.approx(100)


@pytest.mark.parametrize(
    ("cell", "text"), [(None, "-"), (0.1234, "0.123"), (12.34, "12.3"), (12345.6, "12,346")]
)
def test_numbers_are_shown_with_three_digits_or_whole(cell: float | None, text: str) -> None:
    assert shown(cell) == text
