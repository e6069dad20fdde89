"""What each answer of Flash to a send means: one table, no network.

A send is settled, refused for certain, not executed, pending, or unknown; and unknown splits in
two: silence (which may be repeated with the same key) and an error (which may not, because Flash
keeps no errors under a key and would run the payment anew).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from models.flash import Pause, ProbeOutcome, SendOutcome
from models.payout import SendAnswer

LIMITED = frozenset({"TOO_MANY_REQUEST", "TOO_MANY_REQUESTS"})
AUTH = frozenset({"NOT_AUTHENTICATED", "NOT_AUTHORIZED", "UNAUTHENTICATED"})
_AUTH_MESSAGES = ("API key missing required scope", "API keys cannot access", "Not authorized")
_REFUSED = frozenset({"INSUFFICIENT_BALANCE", "INVALID_LNURL"})
# Of a probe; a payout that a person approved waits for its money, as the send's answer says.
_TELLS_NOTHING_OF_A_WAY = frozenset({"INSUFFICIENT_BALANCE", "INTERNAL_SERVER_ERROR"})
_VALIDATION = (
    "Cannot query field",
    "Unknown argument",
    "Unknown type",
    "is not defined by type",
    "not to include unknown field",
)
_BUSY_LOCK = "ResourceAttemptsLockServiceError"
_ALREADY_GOING = "pending payment"
MESSAGE_LIMIT = 300
WAIT_MOST_S = 3_600
_FEE_MOST_CENTS = 10**9

_WORDS = {
    "INSUFFICIENT_BALANCE": "The wallet does not hold enough for this payout.",
    "INVALID_LNURL": "Flash does not accept this destination.",
    "payment_failed": "The payment could not be delivered.",
    "limited": "Flash asked to slow down; the payout waits.",
    "unauthenticated": "Flash does not accept the wallet's credential.",
    "unsupported": "This Flash server does not know this kind of payment.",
    "rejected": "Flash rejected the request before any payment.",
}

Errors = Sequence[Mapping[str, Any]]


def classify(payload: Mapping[str, Any] | None, errors: Errors | None) -> SendOutcome:
    """Judge a readable answer: the mutation's payload, or the top-level errors without one."""
    if payload is None:
        return _without_payload(errors or ())
    status = payload.get("status")
    listed = listed_errors(payload.get("errors"))
    code, message = first_error(listed)
    match status:
        case "SUCCESS":
            return SendOutcome(SendAnswer.SETTLED, None, None)
        case "PENDING":
            return SendOutcome(SendAnswer.PENDING, None, None)
        case "FAILURE" if not listed and not errors:
            return _outcome(SendAnswer.REFUSED, "payment_failed")
        case "FAILURE":
            return _failure(code, message)
        case None if code in LIMITED:
            return _limited(errors=listed)
        case None if listed and not errors:
            return _outcome(SendAnswer.REFUSED, code or "rejected", message)
        case None:
            return unreadable("no_status")
        case _:
            # ALREADY_PAID and anything newer: somebody's payment went, perhaps ours.
            return _outcome(SendAnswer.ERROR, str(status)[:64], message)


def _failure(code: str | None, message: str) -> SendOutcome:
    if code in LIMITED:
        return _limited(errors=())
    if code in _REFUSED or (code == "INVALID_INPUT" and _ALREADY_GOING not in message.lower()):
        return _outcome(SendAnswer.REFUSED, code, message)
    if _BUSY_LOCK in message:
        return _outcome(SendAnswer.UNKNOWN, "busy_lock", message)
    return _outcome(SendAnswer.ERROR, code or "generic", message)


def _without_payload(errors: Errors) -> SendOutcome:
    code, message = first_error(errors)
    if code in LIMITED:
        return _limited(errors)
    if is_unauthenticated(errors):
        return unauthenticated()
    if is_unsupported(errors):
        return _outcome(SendAnswer.REFUSED, "unsupported", message)
    if not errors:
        return unreadable("empty")
    return _outcome(SendAnswer.ERROR, code or "generic", message)


def is_unauthenticated(errors: Errors) -> bool:
    """Tell whether Flash knows nobody by what we showed."""
    code, message = first_error(errors)
    return code in AUTH or message.startswith(_AUTH_MESSAGES)


def is_unsupported(errors: Errors) -> bool:
    """Tell whether the server rejected the document itself, so that nothing was executed."""
    code, message = first_error(errors)
    return code == "GRAPHQL_VALIDATION_FAILED" or any(sign in message for sign in _VALIDATION)


def not_executed(code: str) -> SendOutcome:
    """Return the outcome of a send that certainly was not executed and may be tried again."""
    return SendOutcome(SendAnswer.NOT_EXECUTED, code, "The request is made again in another form.")


def by_http_status(status: int, retry_after_s: int = 0) -> SendOutcome:
    """Judge an answer of which only the HTTP status can be read."""
    if status == 401:  # noqa: PLR2004
        return unauthenticated()
    if status == 429:  # noqa: PLR2004
        return SendOutcome(
            SendAnswer.NOT_EXECUTED, "limited", _WORDS["limited"], Pause.LIMITED, retry_after_s
        )
    if status == 400:  # noqa: PLR2004
        return _outcome(SendAnswer.REFUSED, "rejected")
    return unreadable(f"http_{status}")


def unreadable(why: str) -> SendOutcome:
    """Return the outcome of silence: no answer, or none that can be read."""
    return SendOutcome(
        SendAnswer.UNKNOWN, why, "Flash gave no clear answer; the payment may have been made."
    )


def unauthenticated() -> SendOutcome:
    """Return the outcome of a send that Flash did not take from us."""
    return SendOutcome(
        SendAnswer.NOT_EXECUTED,
        "unauthenticated",
        _WORDS["unauthenticated"],
        Pause.UNAUTHENTICATED,
    )


def judge_probe(payload: Mapping[str, Any] | None, errors: Errors | None) -> ProbeOutcome:
    """Judge a fee probe: only errors in its own payload, other than limits, are a refusal."""
    if payload is None or errors:
        return ProbeOutcome(refused=False)
    listed = listed_errors(payload.get("errors"))
    code, message = first_error(listed)
    if not any(listed) or code in LIMITED | AUTH | _TELLS_NOTHING_OF_A_WAY:
        return ProbeOutcome(refused=False, fee_cents=_fee_cents(payload.get("amount")))
    return ProbeOutcome(
        refused=True,
        code="probe_refused",
        message=_WORDS.get(code or "", "No way was found to deliver this payment.")
        if code != "generic"
        else message,
    )


def listed_errors(found: Any) -> list[Mapping[str, Any]]:
    """Return a list of errors; what stands there and is no error still is not nothing."""
    if found is None:
        return []
    entries = found if isinstance(found, list | tuple) else [found]
    return [entry if isinstance(entry, Mapping) else {} for entry in entries]


def first_error(errors: Errors) -> tuple[str | None, str]:
    """Return code and message of the first error; the code stands in one of two places."""
    for error in errors:
        extensions = error.get("extensions")
        code = error.get("code")
        if code is None and isinstance(extensions, Mapping):
            code = extensions.get("code")
        # Whole, as what tells an unknown field stands behind the input that is repeated there.
        return (None if code is None else str(code)), str(error.get("message", ""))
    return None, ""


def _fee_cents(amount: Any) -> str | None:
    if isinstance(amount, bool) or not isinstance(amount, int | Decimal):
        return None
    fee = Decimal(amount)
    return str(amount) if fee.is_finite() and 0 <= fee < _FEE_MOST_CENTS else None


def _limited(errors: Errors) -> SendOutcome:
    wait_s = 0
    for error in errors:
        extensions = error.get("extensions")
        if isinstance(extensions, Mapping):
            found = extensions.get("retryAfterSeconds")
            wait_s = max(0, min(found, WAIT_MOST_S)) if isinstance(found, int) else 0
    return SendOutcome(SendAnswer.NOT_EXECUTED, "limited", _WORDS["limited"], Pause.LIMITED, wait_s)


def _outcome(answer: SendAnswer, code: str | None, message: str = "") -> SendOutcome:
    words = _WORDS.get(code or "", message[:MESSAGE_LIMIT])
    return SendOutcome(answer, code, words or "Flash did not accept this payment.")
