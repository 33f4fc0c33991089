"""What an order and a fill are at the exchange of their portfolio."""

from datetime import datetime
from decimal import Decimal

import strawberry

from app.domains.trading.venues import loaders, model
from app.engine.declarations.extensions import extension_of
from app.engine.declarations.nodes import record_type
from app.engine.declarations.relations import related
from app.schema.enums import declare_enum
from app.schema.trading.orders.fills import Fill
from app.schema.trading.orders.orders import Order

declare_enum(
    model.VenueOrderState,
    name="ExchangeOrderState",
    description="What has become of an order at an exchange.",
    HELD="It is to be sent once the one that it replaces is cancelled.",
    WAITING="It is to be sent.",
    SENDING="It was sent, and the exchange has not said yet whether it has it. It is not sent again.",
    OPEN="The exchange has it.",
    CLOSED="The exchange has ended it, and all that it traded is settled.",
    REFUSED="The exchange did not take it on.",
    ABSENT="The exchange does not have it, and so it was never taken on.",
    DROPPED="It was never sent.",
)


@record_type(model.VenueOrder)
class ExchangeOrder:
    """An order as it was last sent to an exchange, or is to be. A replacement is sent as another."""

    state: model.VenueOrderState = strawberry.field(description="What has become of it.")
    market: str = strawberry.field(description="The market at the exchange, such as BTC/USDT.")
    exchange_order_id: str | None = strawberry.field(
        name="exchangeOrderId", description="The exchange's ID of it. Null until that is known."
    )
    quantity: Decimal = strawberry.field(description="The quantity that was sent, in coins.")
    filled_quantity: Decimal = strawberry.field(description="What of it is filled and settled, in coins.")
    sent_at: datetime | None = strawberry.field(description="When it was sent. Null until it is.")
    cancel_asked_at: datetime | None = strawberry.field(
        name="cancellationAskedAt", description="When its cancellation was asked for. Null if it was not."
    )
    cancel_failed_at: datetime | None = strawberry.field(
        name="cancellationFailedAt",
        description="When its cancellation failed first: the exchange refused it, or several attempts had no effect. It"
        " is tried again. Null if it has not failed.",
    )
    failure: str | None = strawberry.field(
        name="failureCode", description="Why it failed, in one word, such as InsufficientFunds. Null if it did not."
    )


@record_type(model.VenueTrade)
class ExchangeTrade:
    """A fill as the exchange has it."""

    trade_id: str = strawberry.field(name="reference", description="What the exchange calls it.")
    market: str = strawberry.field(description="The market at the exchange, such as BTC/USDT.")
    fee_asset: str | None = strawberry.field(description="What the fee was taken of. Null: there was none.")
    fee_quantity: Decimal | None = strawberry.field(description="How much of it was taken, in coins. Null: nothing.")
    traded_at: datetime = strawberry.field(description="When it was traded, by the clock of the exchange.")


@extension_of(Order)
class OrderAtExchange:
    """The order at the exchange of its portfolio."""

    exchange_order: ExchangeOrder | None = related(
        loaders.venue_order_by_order,
        key="id",
        description="The order at the exchange that its live portfolio belongs to. Null for an order of a paper"
        " portfolio.",
    )


@extension_of(Fill)
class FillAtExchange:
    """The fill at the exchange of its portfolio."""

    exchange_trade: ExchangeTrade | None = related(
        loaders.venue_trade_by_fill,
        key="id",
        description="The trade at the exchange that its live portfolio belongs to. Null for a fill of a paper"
        " portfolio.",
    )
