"""The errors the sandbox answers with, in the words and codes that Flash's API uses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from graphql import GraphQLError


@dataclass(frozen=True, slots=True)
class Problem:
    """One entry of a payload's `errors`."""

    message: str
    code: str | None = None

    def shown(self) -> dict[str, Any]:
        """Return it as the schema's Error."""
        return {"message": self.message, "code": self.code, "path": None}


@dataclass(frozen=True, slots=True)
class Reply:
    """What a send answers: a status or none, and at most one error."""

    status: str | None
    problem: Problem | None = None

    def shown(self) -> dict[str, Any]:
        """Return it as the schema's PaymentSendPayload."""
        errors = [] if self.problem is None else [self.problem.shown()]
        return {"status": self.status, "errors": errors}


GENERIC: Final = Problem("An unexpected error occurred. Please try again later.")
IBEX: Final = Problem("An error occurred. Contact support if error persists.", "IBEX_ERROR")
ALREADY_PAID: Final = Problem("Invoice is already paid", "LIGHTNING_PAYMENT_ERROR")
UNDECODABLE: Final = Problem("Unable to decode invoice", "INVOICE_DECODE_ERROR")
NOT_MY_WALLET: Final = Problem("Invalid wallet for account")
WRONG_CURRENCY: Final = Problem("Unsupported operation for wallet's currency.", "INVALID_INPUT")
MISMATCHED: Final = Problem("Sender and recipient currencies differ.", "INVALID_INPUT")
INVALID_LNURL: Final = Problem("Invalid LNURL provided", "INVALID_LNURL")
TOO_MANY_INVOICES: Final = Problem("Too many requests", "TOO_MANY_REQUEST")
CUTOVER: Final = Problem(
    "Cash Wallet cutover is in progress. Please try again shortly.", "INVALID_INPUT"
)
BAD_KEY: Final = Problem("Idempotency key is not a valid UUID-v4", "INVALID_INPUT")
_BUSY_TEXT: Final = "Unexpected error occurred (code: ResourceAttemptsLockServiceError)"

BUSY: Final = Reply("FAILURE", Problem(_BUSY_TEXT, "UNEXPECTED_CLIENT_ERROR"))
KEY_REUSED: Final = Reply(
    "FAILURE",
    Problem("This idempotency key was already used for a different payment.", "INVALID_INPUT"),
)


def insufficient_balance(balance_nanousd: int) -> Problem:
    """Return the error of a wallet that cannot pay this much."""
    shown = max(0, balance_nanousd) // 10_000_000
    message = f"insufficient balance. Current Balance: {shown // 100}.{shown % 100:02d}"
    return Problem(message, "INSUFFICIENT_BALANCE")


def top_level(problem: Problem) -> GraphQLError:
    """Return an error that stands beside `data`, not in a payload."""
    extensions = {} if problem.code is None else {"code": problem.code}
    return GraphQLError(problem.message, extensions=extensions)


def not_authorized() -> GraphQLError:
    """Return what an anonymous caller gets on a field that needs an account."""
    return top_level(Problem("Not authorized", "NOT_AUTHORIZED"))


def not_in_sandbox(field: str) -> GraphQLError:
    """Return the error of a field that exists in the schema but not in the sandbox."""
    return top_level(Problem(f"{field} is not implemented in the sandbox", "NOT_IMPLEMENTED"))


def shown_error(error: GraphQLError) -> dict[str, Any]:
    """Return a top-level error with its code where Flash puts it: beside the message."""
    shown: dict[str, Any] = {"message": error.message}
    if error.locations:
        shown["locations"] = [place.formatted for place in error.locations]
    if error.path is not None:
        shown["path"] = list(error.path)
    code = (error.extensions or {}).get("code")
    if code is not None:
        shown["code"] = code
    return shown
