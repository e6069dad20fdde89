"""The one tree of errors; `app/errors.py` alone turns them into HTTP, LNURL or screen words.

ServiceError
|-- RuleError                the user can act on it
|   |-- InvalidField         one named field is wrong
|   |-- LimitReached         a budget or limit says no
|   |-- InvoiceError         a BOLT11 invoice cannot be accepted
|   |-- TapError             a card read cannot be accepted
|   |-- CardLinkError        a link for a card's keys gives none
|   |-- WithdrawError        a claim cannot be accepted
|   |-- SecondFactorNeeded   the password is right, a code is missing
|   `-- Unauthenticated, Forbidden, RateLimited
|-- ConflictError            the world moved on
|   |-- StateChanged, IdempotencyMismatch
|   |-- StatementUnread      a restored copy may not pay before Flash's list was read
|   `-- DuplicateRow         another transaction wrote it first; look again
|-- NotFoundError
|-- UnavailableError         try again later; nothing was done
|   `-- OutcomeUnknownError  the commit's answer was lost: it may have been done
|-- GatewayError             a question to another server was not answered (never a send)
|   `-- CredentialRefused    Flash knows nobody by our token or key
`-- SettingError             a setting stops the start
"""

from __future__ import annotations

from typing import ClassVar


class ServiceError(Exception):
    """Something went wrong."""

    code: ClassVar[str] = "error"

    def __init__(self, message: str | None = None) -> None:
        self.message = message or (type(self).__doc__ or "").strip().splitlines()[0]
        super().__init__(self.message)


class RuleError(ServiceError):
    """This is not allowed."""

    code = "rule"


class InvalidField(RuleError):
    """A field is not valid."""

    code = "invalid"

    def __init__(self, field: str, message: str) -> None:
        self.field = field
        super().__init__(message)


class LimitReached(RuleError):
    """The limit has been reached."""

    code = "limit_reached"

    def __init__(self, limit: str, message: str | None = None) -> None:
        self.limit = limit
        super().__init__(message)


class InvoiceError(RuleError):
    """This invoice cannot be paid.

    `reason` is a stable word such as `expired`, `bad_checksum` or `no_amount`.
    """

    code = "invalid_invoice"

    def __init__(self, reason: str, message: str) -> None:
        self.reason = reason
        super().__init__(message)


class TapError(RuleError):
    """This card read cannot be accepted; tap again."""

    code = "invalid_tap"

    def __init__(self, reason: str, message: str | None = None) -> None:
        self.reason = reason
        super().__init__(message)


class CardLinkError(RuleError):
    """This link gives no keys; make a new one.

    `reason` is a stable word such as `used`, `over` or `other_card`.
    """

    code = "card_link"

    def __init__(self, reason: str, message: str | None = None) -> None:
        self.reason = reason
        super().__init__(message)


class WithdrawError(RuleError):
    """This withdrawal cannot be accepted."""

    code = "invalid_withdraw"

    def __init__(self, reason: str, message: str | None = None) -> None:
        self.reason = reason
        super().__init__(message)


class Unauthenticated(RuleError):
    """Sign in, or send a valid API key."""

    code = "unauthenticated"


class SecondFactorNeeded(RuleError):
    """A code of the authenticator app is needed too."""

    code = "second_factor_needed"

    def __init__(self, ticket: str) -> None:
        self.ticket = ticket
        super().__init__()


class Forbidden(RuleError):
    """Your role does not allow this."""

    code = "forbidden"


class RateLimited(RuleError):
    """Too many requests; wait a little."""

    code = "rate_limited"

    def __init__(self, retry_after_s: int, message: str | None = None) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(message)


class ExportCancelled(RuleError):
    """The export was cancelled."""

    code = "export_cancelled"


class ConflictError(ServiceError):
    """The world has moved on."""

    code = "conflict"


class StateChanged(ConflictError):
    """It changed meanwhile; look at it again."""

    code = "state_changed"

    def __init__(
        self, subject_id: str, state: str | None = None, message: str | None = None
    ) -> None:
        self.subject_id = subject_id
        self.state = state
        super().__init__(message)


class StatementUnread(ConflictError):
    """Flash's list since the copy was made has not been read whole yet; wait a little."""

    code = "statement_unread"


class DuplicateRow(ConflictError):
    """This is there already."""

    code = "duplicate"

    def __init__(self, constraint: str) -> None:
        self.constraint = constraint
        super().__init__()


class IdempotencyMismatch(ConflictError):
    """This Idempotency-Key was already used for a different request."""

    code = "idempotency_mismatch"


class NotFoundError(ServiceError):
    """There is no such thing here."""

    code = "not_found"


class UnavailableError(ServiceError):
    """This cannot be done right now; nothing was done."""

    code = "unavailable"


class OutcomeUnknownError(UnavailableError):
    """The database did not say whether it kept this; it may have."""

    code = "outcome_unknown"


class GatewayError(ServiceError):
    """The other server gave no usable answer to a question."""

    code = "gateway"


class CredentialRefused(GatewayError):
    """Flash does not accept the credential."""

    code = "credential_refused"


class SettingError(ServiceError):
    """A setting is not valid."""

    code = "setting"

    def __init__(self, name: str, message: str) -> None:
        self.name = name
        super().__init__(f"{name}: {message}")
