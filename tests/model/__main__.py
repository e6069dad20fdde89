"""`make model`: every walk there is; of a broken rule the shortest way to what it costs."""

from __future__ import annotations

import sys

from tests.model.checker import check
from tests.model.variants import BROKEN, EVIDENCE


def main() -> int:
    """Print what each walk found; exit status 1 if one did not find what it must."""
    surprises = 0
    for name, walk in {"the rules": check, **EVIDENCE}.items():
        found = walk()
        surprises += found.wrong is not None or found.stuck > 0
        outcome = found.wrong or f"safe, {found.stuck} dead ends"
        print(f"{name:30} {found.states:>8} states  {outcome}", flush=True)
        for step in found.way:
            print(f"    {step}")
    for name, (walk, wrong) in BROKEN.items():
        found = walk()
        surprises += found.wrong not in {wrong, "paid twice"}
        print(f"{name:30} {found.states:>8} states  {found.wrong or 'NOT FOUND'}", flush=True)
        print(f"    {' | '.join(found.way)}")
    return 1 if surprises else 0


if __name__ == "__main__":
    sys.exit(main())
