"""Tokens and what they are quoted at."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec

from app.kit.errors import Problem

MAX_SYMBOL_CHARS = 20


def symbol_of(text: str) -> str:
    """The symbol that a text means, whatever its case and outer spaces; empty for what can be no symbol."""
    symbol = text.strip().upper()
    return symbol if len(symbol) <= MAX_SYMBOL_CHARS and symbol.isprintable() else ""


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


class FoundToken(Token, frozen=True):
    """A token in a list. What follows the token says where it stands in the list's order."""

    sorted_by: str
    sort_missing: bool
    sort_number: Decimal
    sort_text: str


class TokenField(StrEnum):
    """What a list of tokens can be sorted by."""

    RELEVANCE = "RELEVANCE"
    RANK = "RANK"
    MARKET_CAP = "MARKET_CAP"
    PRICE = "PRICE"
    VOLUME = "VOLUME"
    CHANGE_24H = "CHANGE_24H"
    NAME = "NAME"
    SYMBOL = "SYMBOL"


class TokenOrder(msgspec.Struct, frozen=True):
    """How a list of tokens is sorted; what is not quoted comes last, and the symbol decides between equals.

    By relevance, the best match of a search comes first, then the larger token.
    """

    field: TokenField
    descending: bool = False


class TokenFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which tokens; None: whatever it is. A token that is not quoted has no price that could fit."""

    search: str | None = None
    symbols: tuple[str, ...] | None = None
    is_active: bool | None = None
    min_rank: int | None = None
    max_rank: int | None = None
    min_price_usd: Decimal | None = None
    max_price_usd: Decimal | None = None
    min_market_cap_usd: Decimal | None = None
    min_volume_24h_usd: Decimal | None = None
    min_change_percentage_24h: Decimal | None = None
    max_change_percentage_24h: Decimal | None = None

    def arguments(self, order: TokenOrder) -> tuple[Any, ...]:
        """The parameters of the statements that list tokens, but for the page."""
        sorted_by = f"{order.field} {'DESC' if order.descending else 'ASC'}"
        return (sorted_by, *msgspec.structs.astuple(self))


class TokenValidation(msgspec.Struct, frozen=True):
    """Whether a listed token has a symbol; which token it is, listed or not any more; else what may have been meant."""

    is_valid: bool
    token: Token | None
    suggestions: list[FoundToken]


class TokenNotFound(Problem):
    """There is no such token."""

    def __init__(self, symbol: str, suggestions: Sequence[Token] = ()) -> None:
        super().__init__(f"There is no token {symbol}." if symbol else None)
        self.suggestions = suggestions
