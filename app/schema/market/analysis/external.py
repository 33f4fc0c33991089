"""Derivatives and decentralized finance."""

from datetime import datetime
from decimal import Decimal

import strawberry

from app.domains.market.providers.model import defi, derivatives
from app.domains.market.providers.services.coingecko_shapes import VENUES_SHOWN
from app.engine.declarations.costs import holds
from app.engine.declarations.nodes import record_type


@record_type(derivatives.Venue)
class DerivativesVenue:
    """The perpetual futures on one exchange."""

    name: str = strawberry.field(description="The name of the exchange.")
    open_interest_usd: Decimal = strawberry.field(description="The open interest in dollars.")
    volume_24h_usd: Decimal = strawberry.field(description="The 24-hour trading volume in dollars.")


@record_type(derivatives.Derivatives)
class DerivativesFindings:
    """The perpetual futures on a token, on all exchanges."""

    at: datetime = strawberry.field(description="When the data was requested from the provider.")
    contracts: int = strawberry.field(name="contractCount", description="The number of contracts.")
    open_interest_usd: Decimal = strawberry.field(description="The open interest in dollars.")
    volume_24h_usd: Decimal = strawberry.field(description="The 24-hour trading volume in dollars.")
    funding_rate_percentage: float | None = strawberry.field(
        description="The rate that long positions pay to short positions in a funding period, in percent,"
        " weighted by open interest. Negative if short positions pay. Null if no exchange reports it."
    )
    basis_percentage: float | None = strawberry.field(
        description="The difference between the contract prices and the index, in percent, weighted by open interest. "
        "Null if no exchange reports it."
    )
    venues: list[DerivativesVenue] = strawberry.field(
        metadata=holds(VENUES_SHOWN),
        description=f"The exchanges with the largest open interest. At most {VENUES_SHOWN}.",
    )


@record_type(defi.Defi)
class DefiFindings:
    """The value locked in the protocol behind a token."""

    at: datetime = strawberry.field(description="When the data was requested from the provider.")
    total_value_locked_usd: Decimal = strawberry.field(description="The total value locked in dollars.")
    market_cap_to_tvl: float | None = strawberry.field(
        name="marketCapToTvlRatio",
        description="The market capitalization divided by the total value locked. Null if the provider does not"
        " report it.",
    )
    diluted_valuation_to_tvl: float | None = strawberry.field(
        name="dilutedValuationToTvlRatio",
        description="The fully diluted valuation divided by the total value locked. Null if unknown.",
    )
