"""Portfolios: what they are, what they hold, what they are worth."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from app.domains.trading.journal.model import Currency
from app.kit.changes import Changes
from app.kit.errors import Problem

DEFAULT_NAME: Final = "Default Portfolio"
INITIAL_BALANCE: Final = Decimal(10_000)
MAX_NAME_CHARS: Final = 100
MAX_AMOUNT: Final = Decimal(1_000_000_000)
"""The most that is paid in or out at once, and that a portfolio begins with."""
MAX_BALANCE: Final = Decimal(100_000_000_000)
"""The most cash that paying in may lead to; trading may earn more."""
HOLDINGS_TOPIC: Final = "holdings"
"""The volatile topic of portfolios whose cash or tokens have changed, by ID."""
MAX_POSITIONS: Final = 300
"""Tokens that a portfolio can have held in one life."""


class Mode(StrEnum):
    """Whether a portfolio has play money or real money."""

    PAPER = "paper"
    LIVE = "live"


class PortfolioStatus(StrEnum):
    """What may be done with a portfolio."""

    OPEN = "open"
    RESETTING = "resetting"
    DELETING = "deleting"
    DELETED = "deleted"


class Portfolio(msgspec.Struct, frozen=True):
    """A portfolio of a user."""

    id: UUID
    user_id: UUID | None
    name: str
    mode: Mode
    currency: Currency
    is_default: bool
    status: PortfolioStatus
    life: int
    life_began_at: datetime
    initial_balance: Decimal
    created_at: datetime
    updated_at: datetime
    exchange_account_id: UUID | None


class CashBalance(msgspec.Struct, frozen=True):
    """The cash of a portfolio, and how much of it open orders may take."""

    portfolio_id: UUID
    currency: Currency
    balance: Decimal
    reserved: Decimal
    available: Decimal
    contributed: Decimal


class Position(msgspec.Struct, frozen=True):
    """A token of a portfolio, at its newest quote. Amounts are in the currency of the portfolio.

    Without a quote there is no price and no value. `weight` is the value's share in what is quoted, cash included.
    """

    portfolio_id: UUID
    symbol: str
    currency: Currency
    quantity: Decimal
    reserved: Decimal
    available: Decimal
    cost: Decimal
    average_cost: Decimal | None
    realized_pnl: Decimal
    opened_at: datetime
    updated_at: datetime
    price: Decimal | None
    quoted_at: datetime | None
    market_value: Decimal | None
    unrealized_pnl: Decimal | None
    weight: Decimal | None


class Holding(msgspec.Struct, frozen=True):
    """The cash of a portfolio and one of the tokens that it holds; null: none. The price is in its currency."""

    user_id: UUID | None
    currency: Currency
    cash: Decimal
    reserved: Decimal
    contributed: Decimal
    symbol: str | None
    quantity: Decimal | None
    cost: Decimal | None
    price: Decimal | None
    quoted_at: datetime | None
    version: str
    """Another after each change of cash or tokens."""


class HeldValue(msgspec.Struct, frozen=True):
    """What is held of a token, and what it is worth; null: it has no quote."""

    symbol: str
    currency: Currency
    quantity: Decimal
    price: Decimal | None
    market_value: Decimal | None
    unrealized_pnl: Decimal | None


class PortfolioValue(msgspec.Struct, frozen=True):
    """What a portfolio is worth, without what has no quote."""

    currency: Currency
    at: datetime
    cash: Decimal
    positions_value: Decimal
    total: Decimal
    contributed: Decimal
    pnl: Decimal
    return_fraction: Decimal | None
    """Null: nothing was given to it."""
    unquoted_symbols: list[str]
    held: list[HeldValue]


class Resolution(StrEnum):
    """How far apart the points of a value's history are."""

    ONE_MINUTE = "1m"
    ONE_HOUR = "1h"
    ONE_DAY = "1d"


KEPT: Final = {Resolution.ONE_MINUTE: timedelta(days=1), Resolution.ONE_HOUR: timedelta(days=31)}
"""How long points are kept; those of a day for ever."""


class ValuePoint(msgspec.Struct, frozen=True):
    """The first value of a portfolio in a minute, an hour or a day."""

    portfolio_id: UUID
    resolution: Resolution
    at: datetime
    life: int
    value: Decimal
    cash: Decimal
    contributed: Decimal
    unquoted: int
    currency: Currency


class PortfolioSummary(msgspec.Struct, frozen=True):
    """All portfolios of a user together, as a job last computed it."""

    user_id: UUID
    portfolio_count: int
    total_value_usd: Decimal
    average_return_fraction: Decimal | None
    updated_at: datetime


class TradingBalances(msgspec.Struct, frozen=True):
    """The cash of a user's portfolios in dollars, by mode."""

    user_id: UUID
    paper: Decimal
    live: Decimal


class LockedPortfolio(msgspec.Struct, frozen=True):
    """A portfolio that the transaction has locked, with its cash."""

    id: UUID
    user_id: UUID | None
    mode: Mode
    currency: Currency
    is_default: bool
    status: PortfolioStatus
    life: int
    initial_balance: Decimal
    cash: Decimal
    reserved: Decimal
    exchange: str | None
    """Where a live portfolio trades. Null: nowhere, or its account is not connected any more."""


class NewPortfolio(msgspec.Struct, frozen=True, kw_only=True):
    """A portfolio to create. Without an initial balance it begins with the usual one of its mode."""

    name: str | None = None
    mode: Mode = Mode.PAPER
    currency: Currency = Currency.USD
    initial_balance: Decimal | None = None
    exchange_account_id: UUID | None = None
    """The account that a live portfolio belongs to."""


class PortfolioChanges(Changes, frozen=True, kw_only=True):
    """Changes to a portfolio. UNSET leaves a field unchanged."""

    name: str | UnsetType = UNSET
    default: bool | UnsetType = UNSET


class Finding(msgspec.Struct, frozen=True):
    """Something in the books that does not agree."""

    subject: str
    message: str


class BooksReport(msgspec.Struct, frozen=True):
    """What was compared, and what does not agree: the first findings of each comparison."""

    portfolios: int
    entries: int
    lines: int
    findings: Sequence[Finding]


class PortfolioLimitReached(Problem):
    """There can be no further portfolio."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"A user has at most {limit} portfolios.")
        self.limit = limit


class LastPortfolio(Problem):
    """The last portfolio of a user cannot be deleted."""

    def __init__(self) -> None:
        super().__init__("A user has at least one portfolio. Reset it to empty it.")


class InsufficientCash(Problem):
    """There is not enough available cash."""

    field = "amount"

    def __init__(self, available: Decimal, currency: Currency) -> None:
        super().__init__(f"{available:f} {currency} are available.")
        self.available = available
        self.currency = currency


class LiveTradingUnavailable(Problem):
    """The portfolio belongs to no connected account at an exchange."""


class PaperPortfolioRequired(Problem):
    """The portfolio has real money, and this is for play money."""


class PortfolioNotOpen(Problem):
    """The portfolio is being reset or deleted."""
