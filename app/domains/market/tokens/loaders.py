"""The loaders of tokens, which are public."""

from decimal import Decimal

from app.domains.market.tokens.statements import TokenSql
from app.kit.lists import Order, any_of, at_least, at_most, by, constant, nulls_last
from app.kit.loaders import Audience, one, page

# No quoted value has more than 24 digits.
_HIGHEST = Decimal(10) ** 30


def _by_quote(column: str) -> Order:
    return by(nulls_last(column, -_HIGHEST, _HIGHEST), "sort_symbol")


token_by_symbol = one(TokenSql.tokens_by_symbols, key="symbol", audience=Audience.PUBLIC)
token_by_coingecko_id = one(TokenSql.tokens_by_coingecko_ids, key="coingecko_id", audience=Audience.PUBLIC)
tokens = page(
    TokenSql.tokens,
    orders={
        "MARKET_CAP_RANK": by(nulls_last("market_cap_rank", -1, 2**31 - 1), "sort_symbol"),
        "RELEVANCE": by("relevance", "sort_symbol"),
        "MARKET_CAP_USD": _by_quote("market_cap_usd"),
        "PRICE_USD": _by_quote("price_usd"),
        "VOLUME_24H_USD": _by_quote("volume_24h_usd"),
        "CHANGE_PERCENTAGE_24H": _by_quote("change_percentage_24h"),
        "NAME": by("sort_name", "sort_symbol"),
        "SYMBOL": by("sort_symbol"),
    },
    filters={
        "symbols": any_of("symbol", "text"),
        "is_active": constant("is_active"),
        "min_market_cap_rank": at_least("market_cap_rank"),
        "max_market_cap_rank": at_most("market_cap_rank"),
        "min_price_usd": at_least("price_usd"),
        "max_price_usd": at_most("price_usd"),
        "min_market_cap_usd": at_least("market_cap_usd"),
        "max_market_cap_usd": at_most("market_cap_usd"),
        "min_volume_24h_usd": at_least("volume_24h_usd"),
        "max_volume_24h_usd": at_most("volume_24h_usd"),
        "min_change_percentage_24h": at_least("change_percentage_24h"),
        "max_change_percentage_24h": at_most("change_percentage_24h"),
    },
    audience=Audience.PUBLIC,
)
