"""Single HTTP calls by somebody who is patient and keeps nothing from one to the next."""

from __future__ import annotations

from functools import partial

import httpx

from tests.support.patience import PATIENCE_S

get = partial(httpx.get, timeout=PATIENCE_S)
post = partial(httpx.post, timeout=PATIENCE_S)
