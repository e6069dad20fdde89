"""How long a test waits for what has to come.

A busy machine is slow by a factor, not by a moment; what never comes fails just as well later.
"""

from __future__ import annotations

PATIENCE_S = 60.0
