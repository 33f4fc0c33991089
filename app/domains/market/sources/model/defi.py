"""What is locked in a token's protocol."""

from datetime import datetime
from decimal import Decimal

import msgspec


class Defi(msgspec.Struct, frozen=True):
    """The value locked in the protocol behind a token."""

    symbol: str
    at: datetime
    """When the provider was asked."""
    total_value_locked_usd: Decimal
    market_cap_to_tvl: float | None
    """Market capitalisation over what is locked; null if the provider does not say."""
    diluted_valuation_to_tvl: float | None
    """The same of the value that all tokens would have which may ever exist."""
