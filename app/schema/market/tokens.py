"""Tokens, and searching them."""

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from app.domains.market.news import loaders as news_loaders
from app.domains.market.prices import loaders as price_loaders
from app.domains.market.tokens import loaders as token_loaders
from app.domains.market.tokens import model
from app.domains.market.tokens.model import symbol_of
from app.domains.market.tokens.services.search import MAX_SUGGESTIONS, chosen_symbols, searched, validate
from app.engine.declarations.audience import computed_for
from app.engine.declarations.computed import from_parent
from app.engine.declarations.costs import holds
from app.engine.declarations.lookups import Key, by_id, lookup
from app.engine.declarations.nodes import Node, node_type, record_type
from app.engine.declarations.orders import order_input
from app.engine.declarations.pages import Connection
from app.engine.declarations.problems import Problem, problem_type
from app.engine.declarations.relations import Chosen, paged
from app.kit.errors import Faults
from app.kit.loaders import Audience
from app.schema.context import Info
from app.schema.market.analysis.token import TokenAnalysis
from app.schema.market.prices.candles import MAX_CANDLES, Candle, PriceSample, candle_filters, sample_filters
from app.schema.market.sources import PriceSource
from app.schema.numbers import exact

if TYPE_CHECKING:
    from app.schema.market.news import NewsArticle

UNQUOTED = "Null if it has not been quoted."
_QUOTED = " Excludes tokens without a quote."


def _source(root: model.Token) -> str | None:
    return root.exchange


def _parse(text: str) -> str:
    if symbol_of(text) != text:
        raise ValueError("not a symbol")
    return text


def _analysis(root: model.Token) -> TokenAnalysis:
    return TokenAnalysis(symbol=root.symbol)


@node_type(by=token_loaders.token_by_symbol, parse=_parse)
class Token(Node):
    """A token with its latest quote."""

    symbol: str = strawberry.field(description="The upper-case ticker, such as BTC. Unique.")
    name: str = strawberry.field(description="The name, such as Bitcoin.")
    coingecko_id: str = strawberry.field(description="The id at CoinGecko, such as bitcoin.")
    market_cap_rank: int | None = strawberry.field(
        description="The rank by market capitalization. 1 is the largest. Null if the token is no longer listed."
    )
    image_url: str | None = strawberry.field(description="The URL of the logo. Null if there is none.")
    ethereum_address: str | None = strawberry.field(
        description="The address of the contract on Ethereum. Null if there is none."
    )
    solana_address: str | None = strawberry.field(
        description="The address of the mint on Solana. Null if there is none."
    )
    is_active: bool = strawberry.field(description="Whether the provider still lists the token.")
    created_at: datetime = strawberry.field(description="When the token was first listed here.")
    updated_at: datetime = strawberry.field(description="When the token's data or rank last changed, without quotes.")
    price_usd: Decimal | None = strawberry.field(description="The price in dollars. " + UNQUOTED)
    price_aud: Decimal | None = strawberry.field(description="The price in Australian dollars. " + UNQUOTED)
    market_cap_usd: Decimal | None = strawberry.field(description="The market capitalization in dollars. " + UNQUOTED)
    market_cap_aud: Decimal | None = strawberry.field(
        description="The market capitalization in Australian dollars. " + UNQUOTED
    )
    volume_24h_usd: Decimal | None = strawberry.field(description="The 24-hour trading volume in dollars. " + UNQUOTED)
    volume_24h_aud: Decimal | None = strawberry.field(
        description="The 24-hour trading volume in Australian dollars. " + UNQUOTED
    )
    change_24h: Decimal | None = strawberry.field(
        name="change24hUsd", description="The 24-hour price change in dollars. " + UNQUOTED
    )
    change_percentage_24h: float | None = strawberry.field(
        description="The 24-hour price change in percent. " + UNQUOTED
    )
    high_24h: Decimal | None = strawberry.field(
        name="high24hUsd", description="The highest price of 24 hours, in dollars. " + UNQUOTED
    )
    low_24h: Decimal | None = strawberry.field(
        name="low24hUsd", description="The lowest price of 24 hours, in dollars. " + UNQUOTED
    )
    last_updated: datetime | None = strawberry.field(
        name="quotedAt", description="When the token was quoted. " + UNQUOTED
    )
    source: PriceSource | None = from_parent(
        _source, graphql_type=PriceSource | None, description="The source of the quote. " + UNQUOTED
    )
    candles: Connection[Candle] = paged(
        price_loaders.candles_by_token,
        key="symbol",
        filtering=candle_filters,
        max_size=MAX_CANDLES,
        description="Candles from the current source of quotes, newest first. Reverse the first page to draw a chart;"
        " the next page has earlier candles. The newest may still be open, except for candles of one minute, which are"
        " listed once they are closed.",
    )
    price_history: Connection[PriceSample] = paged(
        price_loaders.prices_by_token,
        key="symbol",
        filtering=sample_filters,
        max_size=MAX_CANDLES,
        description="Quotes from the current source, one a minute, newest first. Kept for two years.",
    )
    news: Connection[Annotated["NewsArticle", strawberry.lazy("app.schema.market.news")]] = paged(
        news_loaders.news_by_symbol, key="symbol", description="Articles that mention the token, newest first."
    )
    analysis: TokenAnalysis = from_parent(
        _analysis, description="Analyses of the token. Each is computed when it is selected."
    )


@problem_type(model.TokenNotFound)
class TokenNotFound(Problem):
    """No token has this symbol."""

    suggestions: list[Token] = strawberry.field(
        metadata=holds(MAX_SUGGESTIONS),
        description=f"At most {MAX_SUGGESTIONS} tokens with similar names or symbols, best match first.",
    )


@strawberry.input(one_of=True)
class TokenBy:
    """Identifies a token. Set exactly one field."""

    symbol: str | None = strawberry.field(default=strawberry.UNSET, description="The symbol, in any case.")
    id: strawberry.ID | None = strawberry.field(default=strawberry.UNSET, description="The global id.")
    coingecko_id: str | None = strawberry.field(
        default=strawberry.UNSET, description="The id at CoinGecko, such as bitcoin."
    )


@strawberry.input
class TokenFilter:
    """Filters tokens by all fields that are given. A field that is null or omitted matches all."""

    symbols: list[str] | None = strawberry.field(default=None, description="At most 100 symbols, in any case.")
    is_active: bool | None = strawberry.field(
        name="active", default=None, description="Whether the provider still lists the token."
    )
    min_market_cap_rank: int | None = strawberry.field(default=None, description="The minimum rank. 1 is the largest.")
    max_market_cap_rank: int | None = strawberry.field(default=None, description="The maximum rank.")
    min_price_usd: Decimal | None = strawberry.field(
        default=None, description="The minimum price in dollars." + _QUOTED
    )
    max_price_usd: Decimal | None = strawberry.field(
        default=None, description="The maximum price in dollars." + _QUOTED
    )
    min_market_cap_usd: Decimal | None = strawberry.field(
        default=None, description="The minimum market capitalization in dollars." + _QUOTED
    )
    max_market_cap_usd: Decimal | None = strawberry.field(
        default=None, description="The maximum market capitalization in dollars." + _QUOTED
    )
    min_volume_24h_usd: Decimal | None = strawberry.field(
        name="minVolume24hUsd", default=None, description="The minimum 24-hour trading volume in dollars." + _QUOTED
    )
    max_volume_24h_usd: Decimal | None = strawberry.field(
        name="maxVolume24hUsd", default=None, description="The maximum 24-hour trading volume in dollars." + _QUOTED
    )
    min_change_percentage_24h: float | None = strawberry.field(
        default=None, description="The minimum 24-hour price change in percent. May be negative." + _QUOTED
    )
    max_change_percentage_24h: float | None = strawberry.field(
        default=None, description="The maximum 24-hour price change in percent. May be negative." + _QUOTED
    )

    def conditions(self) -> dict[str, Any]:
        """The filters of the loader. Raises InvalidInput."""
        given = {name: exact(value) for name, value in vars(self).items()}
        return given | {"symbols": None if self.symbols is None else chosen_symbols(self.symbols)}


TokenOrderBy = order_input(
    "Token",
    "Ties are sorted by symbol. Tokens without a quote are last. Quotes may change between two pages: sorted by price,"
    " volume, change or market capitalization, a token may be listed twice or not at all.",
    MARKET_CAP_RANK="The rank by market capitalization; ascending: largest first.",
    MARKET_CAP_USD="The market capitalization in dollars.",
    PRICE_USD="The price in dollars.",
    VOLUME_24H_USD="The 24-hour trading volume in dollars.",
    CHANGE_PERCENTAGE_24H="The 24-hour price change in percent.",
    NAME="The first 25 characters of the name, ignoring case.",
    SYMBOL="The symbol.",
)


@record_type(model.TokenValidation)
class TokenValidation:
    """Whether a symbol belongs to a listed token."""

    is_valid: bool = strawberry.field(description="Whether a token that the provider lists has this symbol.")
    token: Token | None = strawberry.field(
        description="The token, even if it is no longer listed. Null if no token has this symbol."
    )
    suggestions: list[Token] = strawberry.field(
        metadata=holds(MAX_SUGGESTIONS),
        description=f"At most {MAX_SUGGESTIONS} listed tokens with similar names or symbols, best match first. Empty"
        " for a valid symbol.",
    )


def _token_filters(
    search: Annotated[
        str | None,
        strawberry.argument(
            description="1 to 100 characters: a symbol, or the beginning of a name or id. Typing errors are tolerated."
            " Null: all tokens."
        ),
    ] = None,
    *,
    faults: Faults,
) -> Chosen:
    if search is None:
        return Chosen({"search": None})
    return Chosen({"search": faults.check(searched, search)}, order="RELEVANCE")


def _coingecko_id(text: str) -> str:
    if not (id := text.strip().lower()).isprintable():
        raise ValueError("no id")
    return id


@strawberry.type
class TokenQuery:
    """Tokens."""

    tokens: Connection[Token] = paged(
        token_loaders.tokens,
        filter=TokenFilter,
        order_by=TokenOrderBy,
        filtering=_token_filters,
        description="Tokens, by rank, or by relevance with a search: exact symbols first, then exact names and ids,"
        " prefixes, and similar spellings; ties by rank.",
    )

    token: Token | None = lookup(
        TokenBy,
        {
            "symbol": Key(token_loaders.token_by_symbol, symbol_of),
            "id": by_id(Token, token_loaders.token_by_symbol),
            "coingecko_id": Key(token_loaders.token_by_coingecko_id, _coingecko_id),
        },
        of=Token,
        argument="Identifies the token.",
        description="One token. Null if it does not exist.",
    )

    @strawberry.field(metadata=computed_for(Audience.PUBLIC), graphql_type=TokenValidation)
    async def validate_token(
        self, info: Info, symbol: Annotated[str, strawberry.argument(description="The symbol, in any case.")]
    ) -> model.TokenValidation:
        """Checks whether a symbol belongs to a listed token, and suggests tokens if it does not."""
        return await validate(await info.context.reads.executor(Audience.PUBLIC), symbol)
