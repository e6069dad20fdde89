"""Lets `python -m app` be `flash-payouts`."""

from app.cli import main

main()
