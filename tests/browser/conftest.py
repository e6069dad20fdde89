"""What holds for every page of a browser."""

from __future__ import annotations

from playwright.sync_api import expect

# A busy machine draws late; what never comes still fails.
expect.set_options(timeout=20_000)
