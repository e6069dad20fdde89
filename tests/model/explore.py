"""A walk through everything that can happen, breadth first: the first way found is the shortest."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable
from typing import NamedTuple, Protocol, TypeVar

from models.states import PayoutState


class Known(Protocol):
    """A world that has one payout in it."""

    @property
    def state(self) -> PayoutState: ...

    def __hash__(self) -> int: ...


W = TypeVar("W", bound=Known)


class Found(NamedTuple):
    """How a walk ended: what went wrong and by which way, or which states are dead ends."""

    wrong: str | None
    way: list[str]
    states: int
    stuck: int
    edges: set[tuple[PayoutState, PayoutState]]


def explore(
    first: W,
    steps: Callable[[W], Iterable[tuple[str, W]]],
    wrong_with: Callable[[W], str | None],
    closed: Collection[PayoutState],
) -> Found:
    """Walk until something is wrong, or until everything was seen."""
    seen: dict[W, tuple[W, str] | None] = {first: None}
    back: dict[W, list[W]] = {}
    edges: set[tuple[PayoutState, PayoutState]] = set()
    waiting = deque([first])
    while waiting:
        world = waiting.popleft()
        if (wrong := wrong_with(world)) is not None:
            return Found(wrong, _way(seen, world), len(seen), 0, edges)
        for label, after in steps(world):
            if after.state is not world.state:
                edges.add((world.state, after.state))
            back.setdefault(after, []).append(world)
            if after not in seen:
                seen[after] = (world, label)
                waiting.append(after)
    return Found(None, [], len(seen), _stuck(seen, back, closed), edges)


def _way(seen: dict[W, tuple[W, str] | None], world: W) -> list[str]:
    way: list[str] = []
    while (step := seen[world]) is not None:
        world, label = step
        way.append(label)
    return way[::-1]


def _stuck(
    seen: dict[W, tuple[W, str] | None], back: dict[W, list[W]], closed: Collection[PayoutState]
) -> int:
    """Count the states from which no final state can be reached."""
    fine = {world for world in seen if world.state in closed}
    waiting = deque(fine)
    while waiting:
        for before in back.get(waiting.popleft(), ()):
            if before not in fine:
                fine.add(before)
                waiting.append(before)
    return len(seen) - len(fine)
