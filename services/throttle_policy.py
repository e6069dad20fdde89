"""How long a sign-in has to wait after so many failures."""

from __future__ import annotations

from datetime import timedelta

FREE_TRIES = 5
FIRST_WAIT_S = 5
LONGEST_WAIT_S = 900
# After so long without a try, the count begins anew.
FORGET_AFTER = timedelta(hours=1)


def wait_after(fails: int) -> timedelta:
    """Return the pause after so many failures: none at first, then doubled each time."""
    over = fails - FREE_TRIES
    if over < 0:
        return timedelta()
    return timedelta(seconds=min(LONGEST_WAIT_S, FIRST_WAIT_S << min(over, 16)))
