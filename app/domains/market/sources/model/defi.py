"""The value locked in the protocol of a token."""

from datetime import datetime
from decimal import Decimal

import msgspec


class Defi(msgspec.Struct, frozen=True):
    """The value locked in the protocol behind a token."""

    symbol: str
    at: datetime
    """When the data was fetched."""
    total_value_locked_usd: Decimal
    market_cap_to_tvl: float | None
    """Market capitalisation divided by the value locked; null if not reported."""
    diluted_valuation_to_tvl: float | None
    """Fully diluted valuation divided by the value locked; null if not reported."""
