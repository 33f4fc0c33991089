"""The journal of a portfolio: entries, lots and what was sold of them."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import strawberry

from app.domains.trading.journal import loaders, model
from app.engine.declarations.nodes import Node, node_type, record_type
from app.engine.declarations.pages import Connection
from app.engine.declarations.relations import paged
from app.schema.context import Info
from app.schema.currencies import Currency
from app.schema.enums import declare_enum

IN_CURRENCY = "In the currency of the portfolio."

declare_enum(
    model.EntryKind,
    name="JournalEntryKind",
    description="Why cash or coins moved.",
    OPENING="A life of the portfolio began, with its initial balance.",
    DEPOSIT="Money was paid in; to a live portfolio, at its exchange.",
    WITHDRAWAL="Money was paid out; of a live portfolio, at its exchange.",
    FILL="An order was filled.",
    RESET="A life ended, because the portfolio was reset.",
    CLOSING="The last life ended, because the portfolio was deleted.",
    CORRECTION="Moneta corrected an error. The memo says which.",
    TRANSFER="Coins came from elsewhere or went there, at an exchange and without an order. The memo says which.",
)
declare_enum(
    model.Account,
    name="JournalAccount",
    description="An account of the journal. CASH and POSITION are the portfolio's, the others Moneta's.",
    CASH="The cash of the portfolio.",
    POSITION="The coins of the portfolio.",
    HOUSE="What Moneta trades with.",
    FEES="Fees that were paid to Moneta.",
    FX="What Moneta changes currencies with.",
    EXTERNAL="The world outside: what is paid in comes from there.",
    ROUNDING="What is left where amounts are rounded, always against the portfolio.",
)


@record_type(model.JournalLine)
class JournalLine:
    """What an entry moves into or out of one account. The lines of an entry add up to 0 in each asset."""

    line_no: int = strawberry.field(name="number", description="The place in the entry. 1 is the first.")
    account: model.Account = strawberry.field(description="The account.")
    asset: str = strawberry.field(description="What moves: a currency such as USD, or the symbol of a token.")
    amount: Decimal = strawberry.field(
        description="The amount, in the currency or in coins of the token. Positive into the account, negative out of"
        " it."
    )


def _parse(text: str) -> int:
    """The number of an entry, in its one form. Raises ValueError."""
    number = int(text)
    if not 0 < number < 2**63 or str(number) != text:
        raise ValueError("not the number of an entry")
    return number


@node_type(by=loaders.entry_by_id, parse=_parse)
class JournalEntry(Node):
    """Something that moved cash or coins of a portfolio, at once. Never changed, and kept for ever."""

    kind: model.EntryKind = strawberry.field(description="Why it happened.")
    life: int = strawberry.field(description="The life of the portfolio that it belongs to. 1 is the first.")
    memo: str | None = strawberry.field(description="What Moneta says of it, at most 200 characters. Null: nothing.")
    created_at: datetime = strawberry.field(description="When it was posted.")
    lines: Connection[JournalLine] = paged(
        loaders.lines_by_entry,
        key="id",
        description="What moved. A fill has at most nine lines; the end of a life has two for each token.",
    )


@record_type(model.Lot)
class Lot:
    """A quantity of a token that was bought at once. What is sold is taken from the oldest lots first."""

    symbol: str = strawberry.field(description="The token's symbol.")
    life: int = strawberry.field(description="The life of the portfolio that it belongs to. 1 is the first.")
    currency: Currency = strawberry.field(description="The currency of the portfolio, and of the costs.")
    quantity: Decimal = strawberry.field(description="The quantity that was bought, in coins.")
    remaining: Decimal = strawberry.field(
        name="remainingQuantity", description="The quantity that has not been sold, in coins."
    )
    cost: Decimal = strawberry.field(description=f"What was paid for the quantity, fees included. {IN_CURRENCY}")
    remaining_cost: Decimal = strawberry.field(description=f"The cost of what has not been sold. {IN_CURRENCY}")
    average_cost: Decimal = strawberry.field(description=f"The cost of one coin. {IN_CURRENCY}")
    acquired_at: datetime = strawberry.field(description="When it was bought.")


@record_type(model.Disposal)
class Disposal:
    """A part of a lot that was sold: a closed round trip."""

    symbol: str = strawberry.field(description="The token's symbol.")
    life: int = strawberry.field(description="The life of the portfolio that it belongs to. 1 is the first.")
    currency: Currency = strawberry.field(description="The currency of the portfolio, and of the amounts.")
    quantity: Decimal = strawberry.field(description="The quantity that was sold, in coins.")
    cost: Decimal = strawberry.field(description=f"What had been paid for it, fees included. {IN_CURRENCY}")
    proceeds: Decimal = strawberry.field(description=f"What was received for it, less fees. {IN_CURRENCY}")
    pnl: Decimal = strawberry.field(name="realizedPnl", description=f"Proceeds less cost. {IN_CURRENCY}")
    acquired_at: datetime = strawberry.field(description="When it was bought.")
    disposed_at: datetime = strawberry.field(description="When it was sold.")


@strawberry.input
class JournalEntryFilter:
    """Filters entries by all fields that are given. A field that is null or omitted matches all."""

    kind: model.EntryKind | None = strawberry.field(default=None, description="Why it happened.")
    life: int | None = strawberry.field(default=None, description="The life of the portfolio; 1 is the first.")
    since: datetime | None = strawberry.field(default=None, description="Posted at this time or later.")
    until: datetime | None = strawberry.field(default=None, description="Posted before this time.")


@strawberry.input
class LotFilter:
    """Filters lots by all fields that are given. A field that is null or omitted matches all."""

    symbol: str | None = strawberry.field(default=None, description="The token's symbol, in any case.")
    open: bool | None = strawberry.field(default=None, description="Whether something of it is unsold.")

    def conditions(self) -> dict[str, Any]:
        """The filters of the loader."""
        return vars(self) | {"symbol": None if self.symbol is None else self.symbol.strip().upper()}


@strawberry.input
class DisposalFilter:
    """Filters disposals by all fields that are given. A field that is null or omitted matches all."""

    symbol: str | None = strawberry.field(default=None, description="The token's symbol, in any case.")

    def conditions(self) -> dict[str, Any]:
        """The filters of the loader."""
        return {"symbol": None if self.symbol is None else self.symbol.strip().upper()}


async def read_entry(info: Info, id: int) -> Any:
    """Returns an entry that was just posted, for a payload."""
    return await info.context.reads.one(loaders.entry_by_id, id)
