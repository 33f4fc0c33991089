"""The market's enums, over the values that the domain stores."""

from enum import Enum

import strawberry


@strawberry.enum(name="PriceSource")
class PriceSource(Enum):
    """Who says what tokens are worth."""

    SIMULATED = strawberry.enum_value("simulated", description="Nobody: the prices are invented.")
    COINGECKO = strawberry.enum_value("coingecko", description="CoinGecko.")
    COINMARKETCAP = strawberry.enum_value("coinmarketcap", description="CoinMarketCap.")


@strawberry.enum
class Interval(Enum):
    """How long a candle is. All begin at multiples of it since 1970, in UTC."""

    ONE_MINUTE = strawberry.enum_value("1m", description="A minute.")
    FIVE_MINUTES = strawberry.enum_value("5m", description="Five minutes.")
    ONE_HOUR = strawberry.enum_value("1h", description="An hour.")
    ONE_DAY = strawberry.enum_value("1d", description="A day.")
