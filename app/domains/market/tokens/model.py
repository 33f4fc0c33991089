"""Tokens and their quotes."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Protocol
from uuid import UUID

import msgspec

from app.kit.errors import Problem

MAX_SYMBOL_CHARS = 20


def symbol_of(text: str) -> str:
    """Returns the symbol in a text, in any case and with outer spaces; empty if the text cannot be a symbol."""
    symbol = text.strip().upper()
    return symbol if len(symbol) <= MAX_SYMBOL_CHARS and symbol.isprintable() else ""


class Token(msgspec.Struct, frozen=True):
    """A token with its newest quote. The values of the quote are null until a provider has reported them."""

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


class TokenProvider(Protocol):
    """Lists tokens."""

    @property
    def name(self) -> str:
        """The name of the source under which its answers are counted."""
        ...

    async def tokens(self, limit: int) -> list[Listing]:
        """Returns the largest tokens by market capitalisation, best rank first. Symbols may repeat."""
        ...


class StoredListing(msgspec.Struct, frozen=True):
    """A token as it is stored, whether or not it is listed. Its rank is 0 where it has none."""

    id: UUID
    coingecko_id: str
    symbol: str
    name: str
    market_cap_rank: int
    image_url: str | None
    ethereum_address: str | None
    solana_address: str | None
    is_active: bool

    @property
    def listing(self) -> Listing:
        """The token as a provider listed it."""
        return Listing(
            self.coingecko_id,
            self.symbol,
            self.name,
            self.market_cap_rank,
            self.image_url,
            self.ethereum_address,
            self.solana_address,
        )


class FoundToken(Token, frozen=True):
    """A token in a list. The other fields are what the list can be sorted by."""

    sort_name: str
    sort_symbol: str
    relevance: int
    """How well the token matches the search, and then its rank; the best match has the smallest."""


class TokenValidation(msgspec.Struct, frozen=True):
    """Whether a symbol is that of a listed token; the token with that symbol, listed or not; and suggestions."""

    is_valid: bool
    token: Token | None
    suggestions: list[FoundToken]


class TokenNotFound(Problem):
    """There is no such token."""

    def __init__(self, symbol: str, suggestions: Sequence[Token] = ()) -> None:
        super().__init__(f"There is no token {symbol}." if symbol else None)
        self.suggestions = suggestions
