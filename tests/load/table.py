"""Tables of plain text, and the numbers by which a sample of latencies is told."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

Cell = str | int | float | None


@dataclass(slots=True)
class Sample:
    """Latencies of one kind of request, and how long all of them took together."""

    seconds: list[float] = field(default_factory=list)
    elapsed_s: float = 0.0

    @property
    def per_s(self) -> float:
        return len(self.seconds) / self.elapsed_s if self.elapsed_s else 0.0

    def ms(self, percent: float) -> float:
        """Return a percentile in milliseconds, by the nearest rank."""
        if not self.seconds:
            return 0.0
        ordered = sorted(self.seconds)
        place = min(len(ordered) - 1, int(len(ordered) * percent / 100))
        return ordered[place] * 1000


def shown(cell: Cell) -> str:
    if cell is None:
        return "-"
    if isinstance(cell, str):
        return cell
    if isinstance(cell, int) or abs(cell) >= 1000:
        return f"{cell:,.0f}"
    return f"{cell:.3g}" if abs(cell) < 10 else f"{cell:.1f}"


def print_table(title: str, head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
    """Print a table in Markdown, columns in line, so that it reads well here and in a report."""
    cells = [list(head), *([shown(cell) for cell in row] for row in rows)]
    widths = [max(len(row[place]) for row in cells) for place in range(len(head))]
    print(f"\n### {title}\n")
    for number, row in enumerate(cells):
        print("| " + " | ".join(map(_padded, row, widths)) + " |")
        if number == 0:
            print("|" + "|".join("-" * (width + 2) for width in widths) + "|")
    print(flush=True)


def _padded(text: str, width: int) -> str:
    is_number = text[:1].isdigit() or text == "-"
    return text.rjust(width) if is_number else text.ljust(width)
