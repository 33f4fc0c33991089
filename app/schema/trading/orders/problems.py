"""Why an order is not placed or changed."""

from decimal import Decimal
from uuid import UUID

import strawberry

from app.domains.trading.orders import loaders, model
from app.engine.declarations.problems import Problem, problem_type
from app.engine.declarations.relations import related
from app.schema.trading.orders.kinds import Reason
from app.schema.trading.orders.orders import Order


@problem_type(model.MarketClosed)
class MarketClosed(Problem):
    """The market of the token is closed. Orders that are open wait for it to open again."""

    reason: Reason = strawberry.field(description="Why it is closed.")


@problem_type(model.OrderRefused)
class OrderRefused(Problem):
    """The exchange would not take the order on."""

    reason: Reason = strawberry.field(description="Why not.")


@problem_type(model.InsufficientPosition)
class InsufficientPosition(Problem):
    """The portfolio has fewer coins available. What open orders sell is not available."""

    available: Decimal = strawberry.field(name="availableQuantity", description="The available quantity, in coins.")
    symbol: str = strawberry.field(description="The token's symbol.")


@problem_type(model.DuplicateClientOrderId)
class DuplicateClientOrderId(Problem):
    """Another order of the portfolio has this client order ID. Use the idempotency key to repeat a request."""

    order_id: strawberry.Private[UUID]
    existing_order: Order | None = related(
        loaders.order_by_id, key="order_id", description="The other order. Null if it is no longer stored."
    )


@problem_type(model.OrderNotOpen)
class OrderNotOpen(Problem):
    """The order is no longer open."""


@problem_type(model.TradingHalted)
class TradingHalted(Problem):
    """The viewer has halted trading. See `resumeTrading`."""


@problem_type(model.TooManyPositions)
class TooManyPositions(Problem):
    """The portfolio has held as many tokens in its life as it can."""

    limit: int = strawberry.field(description="The maximum number of tokens.")
