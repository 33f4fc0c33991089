"""The statements about tokens."""

from app.domains.market.tokens.model import FoundToken, Listing, StoredListing, Token
from app.kit.sql import Command, Query, Rows, Statements


class TokenSql(Statements, file="tokens.sql"):
    """The statements that read tokens."""

    tokens_by_symbols: Query[Token]
    tokens_by_coingecko_ids: Query[Token]
    token_exists: Query[str]
    tokens: Rows[FoundToken]


class ListingSql(Statements, file="listing.sql"):
    """The statements about listed tokens."""

    listings: Query[Listing]
    lock_listing: Command
    stored_listings: Query[StoredListing]
    retire_tokens: Command
    free_symbols: Command
    free_ids: Command
    change_tokens: Command
    add_tokens: Command
