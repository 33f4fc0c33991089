"""The loaders of prices, which are public."""

from app.domains.market.prices.statements import PriceSql
from app.kit.lists import at_least, before, by
from app.kit.loaders import Audience, page

candles_by_token = page(
    PriceSql.candles_by_token,
    orders={"OPENED_AT": by("opened_at", descending=True)},
    filters={"since": at_least("opened_at"), "until": before("opened_at")},
    audience=Audience.PUBLIC,
)
prices_by_token = page(
    PriceSql.prices_by_token,
    orders={"QUOTED_AT": by("timestamp", descending=True)},
    filters={"since": at_least("timestamp"), "until": before("timestamp")},
    audience=Audience.PUBLIC,
)
