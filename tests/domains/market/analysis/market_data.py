"""What analyses are made of: quotes, candles, articles."""

import math
from datetime import datetime, timedelta
from decimal import Decimal

from app.domains.market.prices.model import Candle, Interval
from app.domains.market.services import MarketServices
from tests.databases import Owner
from tests.domains.market.token_listing import list_tokens

EXCHANGE = "simulated"


async def quote(owner: Owner, symbol: str, price: str, at: datetime) -> None:
    """A quote that says everything."""
    await owner.execute(
        "INSERT INTO market_data (symbol, exchange, price_usd, price_aud, volume_24h_usd, volume_24h_aud, change_24h,"
        " change_percentage_24h, market_cap_usd, market_cap_aud, high_24h, low_24h, last_updated)"
        " VALUES ($1, $2, $3, $3 * 1.5, 1000, 1500, 2, 2.5, 100000, 150000, $3 * 1.1, $3 * 0.9, $4)",
        symbol,
        EXCHANGE,
        Decimal(price),
        at,
    )


def candles(symbol: str, interval: Interval, count: int, until: datetime, *, price: float = 100.0) -> list[Candle]:
    """A wavering price, `count` candles that end at `until`."""
    made, close = [], price
    for n in range(count):
        opened = close
        close = price * (1 + 0.1 * math.sin(n / 7) + 0.05 * math.sin(n * 1.7))
        values = (opened, max(opened, close), min(opened, close), close, 1000.0)
        at = until - interval.length * (count - n)
        made.append(Candle(symbol, EXCHANGE, interval, at, *(Decimal(f"{each:.8f}") for each in values)))
    return made


async def article(
    owner: Owner, title: str, at: datetime, *, symbol: str = "BTC", sentiment: str = "0.5", impact: int = 50
) -> None:
    """An article that mentions a token."""
    await owner.execute(
        "WITH made AS (INSERT INTO news_articles (title, source, url, sentiment_score, impact, symbols_mentioned,"
        " published_at) VALUES ($1, 'Paper', 'https://paper.example/' || md5($1), $2, $3, ARRAY[$4], $5) RETURNING id)"
        " INSERT INTO news_mentions (symbol, published_at, article_id) SELECT $4, $5, id FROM made",
        title,
        Decimal(sentiment),
        impact,
        symbol,
        at,
    )


async def supply(owner: Owner, market: MarketServices, now: datetime) -> None:
    """Bitcoin and Ether with all that can be known of them, and the others listed."""
    await list_tokens(owner)
    hour = now.replace(minute=0, second=0, microsecond=0)
    for symbol, price in (("BTC", 100.0), ("ETH", 10.0)):
        await quote(owner, symbol, str(price), now)
        await market.history.ingest(candles(symbol, Interval.ONE_HOUR, 2160, hour, price=price))
        await market.history.ingest(candles(symbol, Interval.FIVE_MINUTES, 24, hour, price=price))
    for n in range(12):
        await article(owner, f"Bitcoin surges {n}", now - timedelta(hours=5 * n + 1), impact=n, sentiment="0.8")
