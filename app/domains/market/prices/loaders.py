"""The loaders of prices, which are public."""

from app.domains.market.prices.statements import PriceSql
from app.kit.loaders import Audience, page

candles_by_token = page(
    PriceSql.candles_by_tokens,
    count=PriceSql.count_candles_by_tokens,
    order=("opened_at",),
    filters=("interval", "since", "until"),
    audience=Audience.PUBLIC,
)
prices_by_token = page(
    PriceSql.prices_by_tokens,
    count=PriceSql.count_prices_by_tokens,
    order=("timestamp",),
    filters=("since", "until"),
    audience=Audience.PUBLIC,
)
