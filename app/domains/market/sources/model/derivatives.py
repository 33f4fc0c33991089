"""Futures on a token, at all exchanges."""

from datetime import datetime
from decimal import Decimal

import msgspec


class Venue(msgspec.Struct, frozen=True):
    """The contracts of one exchange."""

    name: str
    open_interest_usd: Decimal
    volume_24h_usd: Decimal


class Derivatives(msgspec.Struct, frozen=True):
    """Perpetual contracts on a token."""

    symbol: str
    at: datetime
    """When the data was fetched."""
    contracts: int
    open_interest_usd: Decimal
    volume_24h_usd: Decimal
    funding_rate_percentage: float | None
    """What long positions pay short ones in a funding period, weighted by open interest; null if not reported."""
    basis_percentage: float | None
    """How far the contracts are above the index, weighted by open interest; null if not reported."""
    venues: list[Venue]
    """The largest by open interest, at most 5."""
