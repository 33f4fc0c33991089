"""Orders at exchanges: what is sent, what exchanges say, and what does not agree."""

from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final
from uuid import UUID

import msgspec

from app.domains.trading.exchange.model import Liquidity, Reason
from app.domains.trading.quantities.model import Side

SEND_WITHIN_S: Final = 3.0
"""What was not handed to the network so long after it was noted as being sent is not sent any more."""
ABSENT_AFTER: Final = timedelta(seconds=60)
"""An order that an exchange does not know so long after it was sent was never taken on. Requests are valid for much
less."""
LOOK_UP_EVERY: Final = timedelta(seconds=1)
CANCEL_AGAIN_AFTER: Final = timedelta(seconds=2)
BUSY_FOR: Final = timedelta(seconds=1)
"""The first pause after an exchange was busy; each further one is twice as long."""
MAX_PAUSE: Final = timedelta(seconds=30)
MAX_PAUSE_ASKED_FOR: Final = timedelta(hours=1)
"""An exchange that asks for more is asked after that whether it means it."""
UNANSWERED_CANCELS: Final = 3
"""After so many attempts to cancel an order its owner hears that it is not cancelled, whatever the exchange said."""
TRADES_OVERLAP: Final = timedelta(minutes=1)
"""How far before the newest trade that was read the next are read: an exchange may list some late."""
RECONCILIATION_RETENTION: Final = timedelta(days=365)
MAX_DIFFERENCES: Final = 100
"""Of one report."""
DELETED_AT_ONCE: Final = 5000


class VenueError(Exception):
    """A call has failed. It says nothing of what was sent: that has signatures in it."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind
        """What the client calls it."""


class OutcomeUnknown(VenueError):
    """Whether the exchange did it is not known."""


class Busy(VenueError):
    """The exchange did not do it, and may if it is asked later."""

    def __init__(self, kind: str, pause: timedelta = timedelta(0)) -> None:
        super().__init__(kind)
        self.pause = pause
        """How long it asks to be left alone; 0 where it does not say."""


class Unsuitable(VenueError):
    """The exchange did not do it, and will not."""


class BadKey(VenueError):
    """The exchange does not accept the credentials, or the key may not do this."""


class NoSuchOrder(VenueError):
    """The exchange does not know such an order, or it is not open any more."""


class VenueOrderState(StrEnum):
    """What has become of what is to be sent for an order."""

    HELD = "held"
    WAITING = "waiting"
    SENDING = "sending"
    OPEN = "open"
    CLOSED = "closed"
    REFUSED = "refused"
    ABSENT = "absent"
    DROPPED = "dropped"


ACTIVE: Final = frozenset(
    {VenueOrderState.HELD, VenueOrderState.WAITING, VenueOrderState.SENDING, VenueOrderState.OPEN}
)


class VenueOrder(msgspec.Struct, frozen=True):
    """What was sent for an order, or is to be: once for each replacement. The ID is what the exchange knows it by."""

    id: UUID
    order_id: UUID
    number: int
    market: str
    quantity: Decimal
    price: Decimal | None
    state: VenueOrderState
    sent_at: datetime | None
    exchange_order_id: str | None
    filled_quantity: Decimal
    cancel_asked_at: datetime | None
    cancel_failed_at: datetime | None
    failure: str | None
    created_at: datetime


class VenueTrade(msgspec.Struct, frozen=True):
    """A trade at an exchange that has been settled."""

    account_id: UUID
    market: str
    trade_id: str
    fill_id: UUID
    fee_asset: str | None
    fee_quantity: Decimal | None
    traded_at: datetime


class DueOrder(msgspec.Struct, frozen=True):
    """Something that is to be sent, looked up, cancelled or followed."""

    id: UUID
    order_id: UUID
    portfolio_id: UUID
    symbol: str
    market: str
    side: Side
    type: str
    time_in_force: str
    post_only: bool
    stop_price: Decimal | None
    quantity: Decimal
    price: Decimal | None
    state: VenueOrderState
    attempts: int
    not_before: datetime | None
    sent_at: datetime | None
    looked_up_at: datetime | None
    missing_since: datetime | None
    exchange_order_id: str | None
    filled_quantity: Decimal
    cancel_asked_at: datetime | None
    cancel_reason: str | None
    cancel_attempts: int
    cancel_not_before: datetime | None
    cancel_failed_at: datetime | None
    is_halted: bool


class RemoteStatus(StrEnum):
    """What an exchange says of an order."""

    OPEN = "open"
    CLOSED = "closed"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REJECTED = "rejected"


class RemoteOrder(msgspec.Struct, frozen=True):
    """An order as an exchange has it."""

    id: str
    client_id: str | None
    market: str
    status: RemoteStatus
    quantity: Decimal | None
    filled: Decimal
    """What of it is filled, as the exchange says: its trades may be listed later."""


class RemoteTrade(msgspec.Struct, frozen=True):
    """A trade of an account as an exchange has it. `cost` is its quantity times its price, without the fee."""

    id: str
    order_id: str | None
    market: str
    quantity: Decimal
    price: Decimal
    cost: Decimal
    fee_asset: str | None
    fee_quantity: Decimal | None
    liquidity: Liquidity
    at: datetime


class OrderRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What is sent to an exchange."""

    client_id: str
    market: str
    type: str
    side: Side
    quantity: Decimal
    price: Decimal | None
    params: dict[str, object]


class Closing(msgspec.Struct, frozen=True):
    """The end of something that was sent, or was to be."""

    id: UUID
    state: VenueOrderState
    status: RemoteStatus
    filled: Decimal | None = None
    """What of it the exchange says is filled. Without all of its trades it is not closed. Null: it does not say."""
    reason: Reason | None = None
    """Why, where nobody asked for it."""
    failure: str | None = None


class ReconciliationStatus(StrEnum):
    """What a comparison has found."""

    ASKED = "asked"
    EQUAL = "equal"
    DIFFERENT = "different"
    FAILED = "failed"


class DifferenceKind(StrEnum):
    """What does not agree."""

    BALANCE = "balance"
    UNKNOWN_ORDER = "unknown_order"
    MISSING_ORDER = "missing_order"
    UNKNOWN_TRADE = "unknown_trade"
    MISSING_TRADE = "missing_trade"


class Reconciliation(msgspec.Struct, frozen=True):
    """A comparison of the books with an exchange."""

    id: UUID
    account_id: UUID
    adopts: bool
    status: ReconciliationStatus
    difference_count: int
    created_at: datetime
    finished_at: datetime | None


class Difference(msgspec.Struct, frozen=True):
    """Something in the books that is not what the exchange says."""

    reconciliation_id: UUID
    number: int
    kind: DifferenceKind
    subject: str
    order_id: UUID | None
    in_books: Decimal | None
    at_exchange: Decimal | None
    is_corrected: bool


class Found(msgspec.Struct, frozen=True):
    """A difference before it is stored."""

    kind: DifferenceKind
    subject: str
    order_id: UUID | None = None
    in_books: Decimal | None = None
    at_exchange: Decimal | None = None
    is_corrected: bool = False


class OpenAccount(msgspec.Struct, frozen=True):
    """An account that is connected, or is being disconnected; with its portfolio, if it has one."""

    id: UUID
    user_id: UUID
    exchange: str
    status: str
    failure: str | None
    portfolio_id: UUID | None
    portfolio_status: str | None
    has_due: bool
    has_asked: bool
    """Whether a reconciliation is asked for."""


class SealedCredentials(msgspec.Struct, frozen=True):
    """The credentials of an account, as they are stored."""

    account_id: UUID
    user_id: UUID
    kek_id: str
    wrapped_key: bytes
    ciphertext: bytes


class KnownTrade(msgspec.Struct, frozen=True):
    """A trade that has been settled, as it is compared."""

    market: str
    trade_id: str


class BooksOfAccount(msgspec.Struct, frozen=True):
    """What the books say of an asset of a live portfolio."""

    asset: str
    quantity: Decimal
    reserved: Decimal
    price: Decimal | None
    """In dollars, at the newest quote. Null: it has none."""


class ConnectingTerms(msgspec.Struct, frozen=True):
    """What decides whether a user may connect an account."""

    tier: str
    accounts: int


class SentRow(msgspec.Struct, frozen=True):
    """Something that was sent, as it is settled; with what is held until it is closed."""

    id: UUID
    order_id: UUID
    portfolio_id: UUID
    account_id: UUID
    market: str
    state: VenueOrderState
    filled_quantity: Decimal
    cancel_reason: str | None
    held_id: UUID | None
    held_quantity: Decimal | None
    held_price: Decimal | None


class AskedReconciliation(msgspec.Struct, frozen=True):
    """A comparison that is asked for."""

    id: UUID
    adopts: bool
    attempts: int
    portfolio_id: UUID | None


class SentNow(msgspec.Struct, frozen=True):
    """Something that is active at an exchange."""

    id: UUID
    order_id: UUID
    market: str
    state: VenueOrderState
    exchange_order_id: str | None
