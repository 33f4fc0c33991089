"""Tokens and what they are quoted at."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

import msgspec

from app.kit.errors import Problem


class Token(msgspec.Struct, frozen=True):
    """A token with its newest quote. What is quoted is null until a provider has said so."""

    id: UUID
    coingecko_id: str
    symbol: str
    name: str
    market_cap_rank: int | None
    image_url: str | None
    ethereum_address: str | None
    solana_address: str | None
    is_active: bool
    created_at: datetime
    updated_at: datetime
    exchange: str | None
    price_usd: Decimal | None
    price_aud: Decimal | None
    volume_24h_usd: Decimal | None
    volume_24h_aud: Decimal | None
    change_24h: Decimal | None
    change_percentage_24h: Decimal | None
    market_cap_usd: Decimal | None
    market_cap_aud: Decimal | None
    high_24h: Decimal | None
    low_24h: Decimal | None
    last_updated: datetime | None


class Listing(msgspec.Struct, frozen=True):
    """A token as a provider lists it."""

    coingecko_id: str
    symbol: str
    name: str
    market_cap_rank: int
    image_url: str | None = None
    ethereum_address: str | None = None
    solana_address: str | None = None


class TokenNotFound(Problem):
    """There is no token with this symbol."""

    def __init__(self, symbol: str) -> None:
        super().__init__(f"There is no token {symbol[:20]}.")
        self.symbol = symbol[:20]
