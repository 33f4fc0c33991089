"""Derivatives and decentralised finance in the graph."""

from datetime import datetime
from decimal import Decimal

import strawberry

from app.domains.market.providers.model import defi, derivatives
from app.domains.market.providers.services.coingecko_shapes import VENUES_SHOWN
from app.engine.limits.extra import holds
from app.engine.nodes import record_type


@record_type(derivatives.Venue, description="The perpetual contracts of one exchange.")
class DerivativesVenue:
    """The perpetual contracts of one exchange."""

    name: str = strawberry.field(description="The exchange.")
    open_interest_usd: Decimal = strawberry.field(description="Dollars in open contracts.")
    volume_24h_usd: Decimal = strawberry.field(description="Dollars traded in 24 hours.")


@record_type(derivatives.Derivatives, description="Perpetual contracts on a token, at all exchanges together.")
class DerivativesFindings:
    """Perpetual contracts on a token."""

    at: datetime = strawberry.field(description="When the provider was asked.")
    contracts: int = strawberry.field(description="How many contracts there are on it.")
    open_interest_usd: Decimal = strawberry.field(description="Dollars in open contracts.")
    volume_24h_usd: Decimal = strawberry.field(description="Dollars traded in 24 hours.")
    funding_rate_percentage: float | None = strawberry.field(
        description="What long positions pay to short ones in a funding period, in per cent, weighed by open interest; "
        "negative: the short ones pay. Null if no exchange says."
    )
    basis_percentage: float | None = strawberry.field(
        description="How far the contracts are above the index, in per cent, weighed by open interest. Null if no "
        "exchange says."
    )
    venues: list[DerivativesVenue] = strawberry.field(
        metadata=holds(VENUES_SHOWN), description=f"The largest by open interest, at most {VENUES_SHOWN}."
    )


@record_type(defi.Defi, description="The value locked in the protocol behind a token.")
class DefiFindings:
    """The value locked in the protocol behind a token."""

    at: datetime = strawberry.field(description="When the provider was asked.")
    total_value_locked_usd: Decimal = strawberry.field(description="Dollars that are locked.")
    market_cap_to_tvl: float | None = strawberry.field(
        description="Market capitalisation over what is locked; null if the provider does not say."
    )
    diluted_valuation_to_tvl: float | None = strawberry.field(
        description="The same of the value that all tokens would have which may ever exist; null if unknown."
    )
