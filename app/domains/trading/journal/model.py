"""The journal: entries of lines, what fills are, and what is kept beside them.

Rules count in whole numbers: amounts of cash and coins in units of 1e-8, prices and rates in units of 1e-12.
"""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final
from uuid import UUID

import msgspec

from app.domains.trading.quantities.model import Side


class Currency(StrEnum):
    """The currency of a portfolio. Quotes and fees are in dollars."""

    USD = "USD"
    AUD = "AUD"


class EntryKind(StrEnum):
    """Why something moved."""

    OPENING = "opening"
    DEPOSIT = "deposit"
    WITHDRAWAL = "withdrawal"
    FILL = "fill"
    RESET = "reset"
    CLOSING = "closing"
    CORRECTION = "correction"
    TRANSFER = "transfer"
    """Coins that came from elsewhere, or went there: at an exchange, without an order of ours."""


ENDINGS: Final = frozenset({EntryKind.RESET, EntryKind.CLOSING})
"""Entries that empty a portfolio: its life has ended."""
UNPAID: Final = ENDINGS | {EntryKind.FILL, EntryKind.TRANSFER}
"""Entries by which nothing is paid in or out: whatever they move over the external account is traded there."""


class Account(StrEnum):
    """Where something is. Cash and position are the portfolio's, the others Moneta's."""

    CASH = "cash"
    POSITION = "position"
    HOUSE = "house"
    FEES = "fees"
    FX = "fx"
    EXTERNAL = "external"
    ROUNDING = "rounding"


class Line(msgspec.Struct, frozen=True, gc=False):
    """What an entry moves, in units: positive into the account, negative out of it."""

    account: Account
    asset: str
    amount: int


class Fill(msgspec.Struct, frozen=True, gc=False):
    """A fill of one portfolio. The fee is in units of a dollar; `fx_rate` is the portfolio's currency for a dollar."""

    side: Side
    symbol: str
    quantity: int
    price: int
    fee: int
    currency: Currency = Currency.USD
    fx_rate: int | None = None
    """Null exactly for a portfolio in dollars."""
    paid: int | None = None
    """What a buyer pays without the fee, where rounding up would be more than was reserved: the price rounded down, or
    more. Null: the price rounded up."""
    debit: int | None = None
    """Likewise what a buyer pays in all, in another currency than dollars."""


class ExternalFill(msgspec.Struct, frozen=True):
    """A fill of one portfolio in dollars at an exchange, in units. It cost or brought what the exchange says."""

    side: Side
    symbol: str
    quantity: int
    cost: int
    fee: int
    """In dollars."""
    fee_coins: int = 0
    """A fee that was taken from the coins that were bought."""


class NewEntry(msgspec.Struct, frozen=True, kw_only=True):
    """An entry to post. What it does to balances, positions and lots follows from its lines."""

    kind: EntryKind
    portfolio_id: UUID
    life: int
    lines: tuple[Line, ...]
    at: datetime
    order_id: UUID | None = None
    fill_id: UUID | None = None
    memo: str | None = None


class Effects(msgspec.Struct, frozen=True):
    """What an entry does to its portfolio, in units."""

    cash: int
    contributed: int
    positions: dict[str, int]
    """By symbol."""


class HeldCash(msgspec.Struct):
    """The cash of a portfolio while a batch is posted, in units."""

    balance: int
    reserved: int


class HeldPosition(msgspec.Struct):
    """A position while a batch is posted, in units."""

    quantity: int = 0
    reserved: int = 0
    cost: int = 0
    realized_pnl: int = 0
    opened_at: datetime | None = None


class HeldLot(msgspec.Struct):
    """A lot while a batch is posted, in units. A new one says what made it."""

    id: UUID
    remaining: int
    remaining_cost: int
    acquired_at: datetime
    bought: "Bought | None" = None


class Bought(msgspec.Struct, frozen=True, gc=False):
    """What made a new lot."""

    portfolio_id: UUID
    life: int
    symbol: str
    fill_id: UUID | None
    quantity: int
    cost: int


class Disposed(msgspec.Struct, frozen=True, gc=False):
    """What a sale took of a lot, in units."""

    lot_id: UUID
    fill_id: UUID | None
    portfolio_id: UUID
    life: int
    symbol: str
    quantity: int
    cost: int
    proceeds: int
    acquired_at: datetime
    at: datetime


class CashRow(msgspec.Struct, frozen=True, gc=False):
    """The cash of a portfolio."""

    portfolio_id: UUID
    balance: Decimal
    reserved: Decimal


class PositionRow(msgspec.Struct, frozen=True, gc=False):
    """What a position is, beside its lots."""

    portfolio_id: UUID
    symbol: str
    quantity: Decimal
    reserved: Decimal
    cost: Decimal
    realized_pnl: Decimal
    opened_at: datetime


class LotRow(msgspec.Struct, frozen=True, gc=False):
    """What remains of a lot."""

    portfolio_id: UUID
    symbol: str
    id: UUID
    number: int
    remaining: Decimal
    remaining_cost: Decimal
    acquired_at: datetime


class JournalEntry(msgspec.Struct, frozen=True):
    """A posted entry. A fill names its fill and its order."""

    id: int
    kind: EntryKind
    portfolio_id: UUID | None
    life: int
    order_id: UUID | None
    fill_id: UUID | None
    memo: str | None
    created_at: datetime


class JournalLine(msgspec.Struct, frozen=True):
    """A posted line."""

    entry_id: int
    line_no: int
    account: Account
    asset: str
    amount: Decimal


class PostedEntry(msgspec.Struct, frozen=True):
    """The ID of a new entry, and how many balances it changed."""

    id: int
    balances: int


class Taken(msgspec.Struct, frozen=True, gc=False):
    """What a sale takes of a lot, in units: a quantity, its cost, and its share of the proceeds."""

    lot_id: UUID
    quantity: int
    cost: int
    proceeds: int


class Lot(msgspec.Struct, frozen=True):
    """A quantity that was bought at once. Costs are in the currency of the portfolio, fees included."""

    id: UUID
    portfolio_id: UUID
    life: int
    symbol: str
    number: int
    quantity: Decimal
    remaining: Decimal
    cost: Decimal
    remaining_cost: Decimal
    acquired_at: datetime
    currency: Currency
    average_cost: Decimal


class Disposal(msgspec.Struct, frozen=True):
    """A part of a lot that was sold: a closed round trip, in the currency of the portfolio, less fees."""

    id: int
    portfolio_id: UUID
    life: int
    symbol: str
    quantity: Decimal
    cost: Decimal
    proceeds: Decimal
    pnl: Decimal
    acquired_at: datetime
    disposed_at: datetime
    currency: Currency
