"""Reads what Flash says of an invoice, in an answer or on the socket."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models.flash import InvoiceStatus
from services.flash.answers import first_error, listed_errors

_KNOWN = {
    str(status): status
    for status in (InvoiceStatus.PENDING, InvoiceStatus.PAID, InvoiceStatus.EXPIRED)
}


def read_status(payload: Any) -> InvoiceStatus | None:
    """Read the payload of `lnInvoicePaymentStatus`; an invoice Flash did not issue is NOT_OURS."""
    if not isinstance(payload, Mapping):
        return None
    status = payload.get("status")
    if isinstance(status, str) and status in _KNOWN:
        return _KNOWN[status]
    code, _ = first_error(listed_errors(payload.get("errors")))
    return InvoiceStatus.NOT_OURS if code == "IBEX_ERROR" else None
