"""The statements about tokens."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from app.domains.market.tokens.model import FoundToken, Token
from app.kit.sql import Command, Query, Statements


class TokenSql(Statements, file="tokens.sql"):
    """What is read of tokens."""

    tokens_by_symbols: Query[Token]
    tokens_by_coingecko_ids: Query[Token]
    token_exists: Query[str]
    tokens_page: Query[FoundToken]
    tokens_count: Query[int]


class ListingSql(Statements, file="listing.sql"):
    """Which tokens are listed."""

    listings: Query[tuple[str, str, str, int, str, str, str]]
    last_quotes: Query[
        tuple[str, datetime, Decimal, Decimal, Decimal, Decimal, Decimal, Decimal, Decimal, Decimal, Decimal, Decimal]
    ]
    lock_listing: Command
    tokens_known: Query[tuple[UUID, str, str, str, int, str, str, str, bool]]
    retire_tokens: Command
    free_symbols: Command
    free_ids: Command
    change_tokens: Command
    add_tokens: Command
