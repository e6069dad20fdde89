"""Which cards and links the town holds: the secrets of its people, as a file or message has them.

```json
{"cards": [{"customer": "Amara Okafor", "uid": "04…", "k1": "…", "k2": "…", "counter": 0}],
 "links": {"tips": "claim token"}, "glance": "a viewer's API key, or null"}
```

`links` are by the fund's key among the townsfolk. With `glance` people see how many wait for
approval, as they would see the queue at the counter, and stay away when it is long.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Final, Self

from app.sandbox.townsfolk import FUND_OF

MAX_CARDS: Final = 1_000
_HEX: Final = {"uid": 14, "k1": 32, "k2": 32}


@dataclass(frozen=True, slots=True)
class TownCard:
    """A virtual Boltcard: what the chip holds, and the last counter it showed."""

    customer: str
    uid: str = field(repr=False)
    k1: str = field(repr=False)
    k2: str = field(repr=False)
    counter: int = 0


@dataclass(frozen=True, slots=True)
class Roster:
    """Everything the town may draw with."""

    cards: tuple[TownCard, ...] = ()
    links: dict[str, str] = field(default_factory=dict, repr=False)
    glance: str | None = field(default=None, repr=False)

    @classmethod
    def read(cls, given: dict[str, Any]) -> Self:
        """Read what was written or sent.

        Raises:
            ValueError: It does not look like a roster.
        """
        unknown = set(given) - {"cards", "links", "glance"}
        cards, links = given.get("cards", []), given.get("links", {})
        glance = given.get("glance")
        if unknown or not isinstance(cards, list) or not isinstance(links, dict):
            raise ValueError("a roster has cards, links and a glance")
        if len(cards) > MAX_CARDS or not isinstance(glance, str | None):
            raise ValueError(f"a roster has at most {MAX_CARDS} cards, and a glance is a text")
        if any(fund not in FUND_OF or not isinstance(token, str) for fund, token in links.items()):
            raise ValueError(f"a link belongs to one of {', '.join(FUND_OF)}")
        return cls(tuple(_card(card) for card in cards), dict(links), glance)

    def plain(self) -> dict[str, Any]:
        """Return it as JSON takes it."""
        return asdict(self)


def _card(given: Any) -> TownCard:
    try:
        card = TownCard(**given)
        keys_fit = all(
            len(bytes.fromhex(getattr(card, name))) * 2 == digits for name, digits in _HEX.items()
        )
    except (TypeError, ValueError):
        keys_fit = False
    if not keys_fit or type(card.counter) is not int or not isinstance(card.customer, str):
        raise ValueError("a card has a customer, a uid, k1 and k2 in hexadecimal, and a counter")
    return card
