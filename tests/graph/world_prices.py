"""The past of one token in every transcript's world: half an hour of candles, and samples of its price."""

from datetime import datetime, timedelta
from decimal import Decimal

from app.domains.market.prices.model import Candle, Interval, Quote
from app.domains.market.prices.services.history import History

# One that no other transcript calculates with.
SYMBOL = "XMR"
MINUTES = 30
MINUTE = timedelta(minutes=1)


async def chart(history: History, exchange: str, until: datetime) -> None:
    """A candle a minute, each a dollar above the one before, up to the hour before `until`."""
    end = until.replace(minute=0, second=0, microsecond=0)
    since = end - MINUTES * MINUTE
    candles = [_candle(exchange, since + number * MINUTE, 150 + number) for number in range(MINUTES)]
    await history.ingest(candles)
    await history.roll_up([SYMBOL], exchange, since, end)
    await history.sample(exchange, [Quote(SYMBOL, each.opened_at, each.close, each.close * 2) for each in candles[-3:]])


def _candle(exchange: str, at: datetime, dollars: int) -> Candle:
    prices = (dollars, dollars + 3, dollars - 1, dollars + 1, 1000)
    return Candle(SYMBOL, exchange, Interval.ONE_MINUTE, at, *map(Decimal, prices))
