"""Finding tokens."""

from decimal import Decimal
from enum import Enum
from typing import Annotated, Any

import strawberry

from app.domains.market.tokens import loaders as token_loaders
from app.domains.market.tokens import model
from app.domains.market.tokens.services.search import MAX_SUGGESTIONS, listing, validate
from app.engine.audience import computed_for
from app.engine.limits.extra import holds
from app.engine.nodes import key_of, record_type
from app.engine.pages import DEFAULT_FIRST, Connection, page_of
from app.engine.relations import After, First, page_request
from app.kit.errors import InvalidInput, NotFound
from app.kit.loaders import Audience
from app.schema.context import Info
from app.schema.market.tokens import Token

_UNQUOTED = " Tokens without a quote do not fit. Null: any."


@strawberry.input(one_of=True, description="Which token: exactly one of these.")
class TokenBy:
    """Which token."""

    symbol: str | None = strawberry.field(default=strawberry.UNSET, description="By its symbol, in any case.")
    id: strawberry.ID | None = strawberry.field(default=strawberry.UNSET, description="By its global id.")
    coingecko_id: str | None = strawberry.field(
        default=strawberry.UNSET, description="By its id at CoinGecko, such as bitcoin."
    )


@strawberry.input(name="TokenFilter", description="Which tokens: those that fit all of it.")
class TokenFilterInput:
    """Which tokens."""

    symbols: list[str] | None = strawberry.field(
        default=None, description="Those with these symbols, in any case, at most 100; null: all."
    )
    is_active: bool | None = strawberry.field(
        default=None, description="Those that the provider still lists, or those that it does not; null: both."
    )
    min_rank: int | None = strawberry.field(default=None, description="The least rank; 1 is the largest. Null: any.")
    max_rank: int | None = strawberry.field(default=None, description="The last rank; null: any.")
    min_price_usd: Decimal | None = strawberry.field(
        default=None, description="The least price in dollars." + _UNQUOTED
    )
    max_price_usd: Decimal | None = strawberry.field(
        default=None, description="The highest price in dollars." + _UNQUOTED
    )
    min_market_cap_usd: Decimal | None = strawberry.field(
        default=None, description="The least market capitalisation in dollars." + _UNQUOTED
    )
    min_volume_24h_usd: Decimal | None = strawberry.field(
        name="minVolume24hUsd", default=None, description="The least volume of 24 hours in dollars." + _UNQUOTED
    )
    min_change_percentage_24h: Decimal | None = strawberry.field(
        default=None,
        description="The least change in 24 hours, in per cent; it may be negative." + _UNQUOTED,
    )
    max_change_percentage_24h: Decimal | None = strawberry.field(
        default=None,
        description="The largest change in 24 hours, in per cent; it may be negative." + _UNQUOTED,
    )


@strawberry.enum(
    name="TokenOrderField",
    description="What tokens are sorted by. Without a quote a token is last. "
    "Quotes move between two pages: by price, volume, change or market capitalisation, a token that passes the end of "
    "a page meanwhile may come twice or not at all. By rank, name and symbol each comes once.",
)
class TokenOrderField(Enum):
    """What tokens are sorted by."""

    RANK = strawberry.enum_value("RANK", description="Rank by market capitalisation; ascending is the largest first.")
    MARKET_CAP = strawberry.enum_value("MARKET_CAP", description="Market capitalisation in dollars.")
    PRICE = strawberry.enum_value("PRICE", description="Price in dollars.")
    VOLUME = strawberry.enum_value("VOLUME", description="Volume of 24 hours in dollars.")
    CHANGE_24H = strawberry.enum_value("CHANGE_24H", description="Change of the price in 24 hours, in per cent.")
    NAME = strawberry.enum_value("NAME", description="The first 25 characters of the name, whatever their case.")
    SYMBOL = strawberry.enum_value("SYMBOL", description="Symbol.")


@strawberry.enum(description="Which way a list is sorted.")
class OrderDirection(Enum):
    """Which way a list is sorted."""

    ASC = strawberry.enum_value("ASC", description="The least first.")
    DESC = strawberry.enum_value("DESC", description="The greatest first.")


@strawberry.input(name="TokenOrder", description="How to sort tokens. Equals are sorted by symbol.")
class TokenOrderInput:
    """How to sort tokens."""

    field: TokenOrderField = strawberry.field(description="What by.")
    direction: OrderDirection = strawberry.field(default=OrderDirection.ASC, description="Which way.")


@record_type(model.TokenValidation, description="Whether a symbol is one of a listed token.")
class TokenValidation:
    """Whether a symbol is one of a listed token."""

    is_valid: bool = strawberry.field(description="Whether a token that the provider lists has this symbol.")
    token: Token | None = strawberry.field(
        description="The token, also one that is not listed any more; null if no token has this symbol."
    )
    suggestions: list[Token] = strawberry.field(
        metadata=holds(MAX_SUGGESTIONS),
        description=f"At most {MAX_SUGGESTIONS} listed tokens that may have been meant, the likeliest first; empty for"
        " a valid symbol.",
    )


async def _tokens(  # noqa: PLR0917  # GraphQL names its arguments
    info: Info,
    first: First = DEFAULT_FIRST,
    after: After = None,
    search: Annotated[
        str | None,
        strawberry.argument(
            description="1 to 100 characters: a symbol, the beginning of a name or of an id, or one of these mistyped."
            " Null: all."
        ),
    ] = None,
    filter: Annotated[TokenFilterInput | None, strawberry.argument(description="Which; null: all.")] = None,
    order_by: Annotated[
        TokenOrderInput | None,
        strawberry.argument(
            description="How to sort them; null: a search by how well they match (the symbol itself, the name or id"
            " itself, what begins so, what looks alike; then by rank), all else by rank."
        ),
    ] = None,
) -> Any:
    given = {} if filter is None else vars(filter)
    if given.get("symbols") is not None:
        given = given | {"symbols": tuple(given["symbols"])}
    order = None
    if order_by is not None:
        order = model.TokenOrder(model.TokenField[order_by.field.name], order_by.direction is OrderDirection.DESC)
    wanted = listing(model.TokenFilter(search=search, **given), order)
    request = page_request(info.context.cursors, token_loaders.tokens, first, after, wanted)
    if request.after is not None and request.after[0] != wanted[0]:
        raise InvalidInput("after", "This cursor belongs to a list in another order.")
    return await page_of(info.context, token_loaders.tokens, None, request)


@strawberry.type(description="What can be asked about tokens.")
class FindingQuery:
    """What can be asked about tokens."""

    tokens: Connection[Token] = strawberry.field(
        resolver=_tokens,
        metadata=computed_for(Audience.PUBLIC),
        graphql_type=Connection[Token],
        description="Tokens, searched, filtered and sorted.",
    )

    @strawberry.field(
        metadata=computed_for(Audience.PUBLIC),
        graphql_type=Token | None,
        description="One token; null if there is none.",
    )
    async def token(
        self, info: Info, by: Annotated[TokenBy, strawberry.argument(description="Which one.")]
    ) -> model.Token | None:
        """One token."""
        reads = info.context.reads
        if isinstance(by.coingecko_id, str):
            id = by.coingecko_id.strip().lower()
            return await reads.one(token_loaders.token_by_coingecko_id, id) if id.isprintable() else None
        try:
            symbol = str(key_of(by.id, "Token")) if isinstance(by.id, str) else model.symbol_of(str(by.symbol))
        except NotFound:
            return None
        return await reads.one(token_loaders.token_by_symbol, symbol)

    @strawberry.field(
        metadata=computed_for(Audience.PUBLIC),
        graphql_type=TokenValidation,
        description="Whether a symbol is one of a listed token, and what it may mean.",
    )
    async def validate_token(
        self, info: Info, symbol: Annotated[str, strawberry.argument(description="A symbol, in any case.")]
    ) -> model.TokenValidation:
        """Whether a symbol is one of a listed token."""
        return await validate(await info.context.reads.executor(Audience.PUBLIC), symbol)
