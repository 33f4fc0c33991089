"""Tokens."""

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import strawberry

from app.domains.market.news import loaders as news_loaders
from app.domains.market.prices import loaders as price_loaders
from app.domains.market.tokens import loaders as token_loaders
from app.domains.market.tokens import model
from app.domains.market.tokens.model import symbol_of
from app.engine.nodes import Node, node_type
from app.engine.pages import Connection
from app.engine.relations import paged
from app.schema.market.analysis.token import TokenAnalysis
from app.schema.market.enums import PriceSource
from app.schema.market.prices import MAX_CANDLES, Candle, PriceSample, candle_filters, sample_filters

if TYPE_CHECKING:
    from app.schema.market.news import NewsArticle

UNQUOTED = "Null until a provider has said it."


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
    """A token: what it is, and its newest quote."""

    symbol: str = strawberry.field(description="Upper-case ticker, such as BTC; unique.")
    name: str = strawberry.field(description="Its name, such as Bitcoin.")
    coingecko_id: str = strawberry.field(description="Its id at CoinGecko, such as bitcoin.")
    market_cap_rank: int | None = strawberry.field(
        description="1 is the largest; null where it is not listed any more."
    )
    image_url: str | None = strawberry.field(description="Its logo; null where none is known.")
    ethereum_address: str | None = strawberry.field(description="Its contract on Ethereum; null without one.")
    solana_address: str | None = strawberry.field(description="Its mint on Solana; null without one.")
    is_active: bool = strawberry.field(description="Whether the provider still lists it.")
    created_at: datetime = strawberry.field(description="When it was first listed here.")
    updated_at: datetime = strawberry.field(description="When what it is, its rank included, was last changed.")
    price_usd: Decimal | None = strawberry.field(description="Dollars for one token. " + UNQUOTED)
    price_aud: Decimal | None = strawberry.field(description="Australian dollars for one token. " + UNQUOTED)
    market_cap_usd: Decimal | None = strawberry.field(description="Market capitalisation in dollars. " + UNQUOTED)
    market_cap_aud: Decimal | None = strawberry.field(
        description="Market capitalisation in Australian dollars. " + UNQUOTED
    )
    volume_24h_usd: Decimal | None = strawberry.field(description="Dollars traded in 24 hours. " + UNQUOTED)
    volume_24h_aud: Decimal | None = strawberry.field(description="Australian dollars traded in 24 hours. " + UNQUOTED)
    change_24h: Decimal | None = strawberry.field(
        description="Change of the price in 24 hours, in dollars. " + UNQUOTED
    )
    change_percentage_24h: Decimal | None = strawberry.field(
        description="Change of the price in 24 hours, in per cent. " + UNQUOTED
    )
    high_24h: Decimal | None = strawberry.field(description="Highest price of 24 hours, in dollars. " + UNQUOTED)
    low_24h: Decimal | None = strawberry.field(description="Lowest price of 24 hours, in dollars. " + UNQUOTED)
    last_updated: datetime | None = strawberry.field(description="When it was quoted. " + UNQUOTED)
    source: PriceSource | None = strawberry.field(  # type: ignore[assignment]  # the value of the enum
        resolver=_source, graphql_type=PriceSource | None, description="Who quoted it. " + UNQUOTED
    )
    candles: Connection[Candle] = paged(
        price_loaders.candles_by_token,
        key="symbol",
        filtering=candle_filters,
        max_first=MAX_CANDLES,
        description="Its candles at whoever quotes it now, newest first: what a chart shows is the first page reversed,"
        " and what is before it the next page. The newest may still be open, but for those of a minute, which appear"
        " when they are closed.",
    )
    price_history: Connection[PriceSample] = paged(
        price_loaders.prices_by_token,
        key="symbol",
        filtering=sample_filters,
        max_first=MAX_CANDLES,
        description="What it was quoted at by whoever quotes it now: a sample a minute, newest first, for two years.",
    )
    news: Connection[Annotated["NewsArticle", strawberry.lazy("app.schema.market.news")]] = paged(
        news_loaders.news_by_symbol, key="symbol", description="Articles that mention it, the newest first."
    )
    analysis: TokenAnalysis = strawberry.field(
        resolver=_analysis, description="What can be found out about it; each analysis is made when it is selected."
    )
