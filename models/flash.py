"""What Flash says, in our words."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from models.payout import SendAnswer


class InvoiceStatus(StrEnum):
    """What Flash says of an invoice when asked for its status."""

    PENDING = "PENDING"
    PAID = "PAID"
    EXPIRED = "EXPIRED"
    NOT_OURS = "NOT_OURS"
    UNSUPPORTED = "UNSUPPORTED"


class Pause(StrEnum):
    """Why a wallet must wait before it sends again."""

    LIMITED = "limited"
    UNAUTHENTICATED = "unauthenticated"


@dataclass(frozen=True, slots=True)
class SendOutcome:
    """What came back for one send: one of our answers, Flash's code, and plain words."""

    answer: SendAnswer
    code: str | None
    message: str | None
    pause: Pause | None = None
    retry_after_s: int = 0


class Mutation(StrEnum):
    """The ways Flash pays an invoice; which one fits follows from invoice and wallet."""

    INVOICE = "lnInvoicePaymentSend"
    NO_AMOUNT_USD = "lnNoAmountUsdInvoicePaymentSend"
    NO_AMOUNT_BTC = "lnNoAmountInvoicePaymentSend"

    @property
    def takes_key(self) -> bool:
        """Tell whether the mutation has a field for an idempotency key."""
        return self is not Mutation.NO_AMOUNT_USD


@dataclass(frozen=True, slots=True)
class SendOrder:
    """What one send asks of Flash; `amount` only where the invoice names none.

    It is in cents as a decimal text for a dollar wallet, in sats for a bitcoin wallet.
    """

    mutation: Mutation
    wallet_id: str
    invoice: str = field(repr=False)
    key: str | None
    amount: str | None = None


@dataclass(frozen=True, slots=True)
class ProbeOutcome:
    """What a fee probe said: an estimate, a refusal, or nothing that counts."""

    refused: bool
    code: str | None = None
    message: str | None = None
    fee_cents: str | None = None


@dataclass(frozen=True, slots=True)
class WalletInfo:
    """The wallet that pays, as Flash shows it; the balance is rounded down."""

    flash_wallet_id: str
    currency: str
    balance_nanousd: int | None


@dataclass(frozen=True, slots=True)
class StatementRow:
    """One row of the wallet's list: a send or a receipt, without any payment hash."""

    id: str
    is_send: bool
    amount_nanousd: int | None
    at: datetime
    # Below zero for a debit; the direction of a very small receipt is not to be believed.
    signed_nanousd: int | None = None
    fee_nanousd: int | None = None


@dataclass(frozen=True, slots=True)
class RowDetails:
    """What Flash tells of one row when asked for it alone."""

    is_completed: bool
    fee_nanousd: int | None


# The id of the connection that the operator's settings make; others have a row of their own.
ENVIRONMENT = "environment"


class CredentialKind(StrEnum):
    """What a wallet's owner gave: the token of a session, or an API key."""

    TOKEN = "token"  # noqa: S105  # a word, not a secret
    API_KEY = "api_key"


@dataclass(frozen=True, slots=True)
class KeptConnection:
    """A credential that is kept for a store, without the credential."""

    store_id: str
    id: str
    kind: CredentialKind
    credential_sealed: bytes = field(repr=False)
    flash_wallet_id: str
    made_by: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ConnectionTest:
    """What a live test of a credential showed."""

    wallet: WalletInfo
    is_sandbox: bool
    reads_statement: bool
    # Nothing where there is no account socket: an API key has none.
    socket_answers: bool
    took_ms: int


@dataclass(frozen=True, slots=True)
class FlashConnection:
    """Where and as whom to reach Flash; the credential is never shown."""

    url: str
    ws_url: str
    token: str | None = None
    api_key: str | None = None

    def __repr__(self) -> str:
        kind = "token" if self.token else "api key" if self.api_key else "anonymous"
        return f"FlashConnection({self.url!r}, {kind})"


class SocketState(StrEnum):
    """How the live connection to Flash is."""

    LIVE = "live"
    CATCHING_UP = "catching-up"
    CUT_OFF = "cut-off"
