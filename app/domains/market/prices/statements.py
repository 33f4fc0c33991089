"""The statements about prices."""

from datetime import datetime
from decimal import Decimal

from app.domains.market.prices.model import Candle, Day, PriceSample, Quote, StoredQuote
from app.kit.sql import Command, Query, Rows, Statements


class TokenDay(Day, frozen=True):
    """The last 24 hours of this token."""

    symbol: str


class PriceSql(Statements, file="prices.sql"):
    """The statements about prices."""

    candles_by_token: Rows[Candle]
    latest_candles: Query[Candle]
    prices_by_token: Rows[PriceSample]
    make_partitions: Query[int]
    history_kept: Query[tuple[datetime, datetime]]
    lock_history: Command
    candles_exist: Query[bool]
    put_candles: Command
    roll_up_candles: Command
    put_prices: Command
    quoted_symbols: Query[str]
    all_symbols: Query[str]
    last_quotes: Query[Quote]
    lock_quotes: Query[StoredQuote]
    expire_quotes: Command
    put_quotes: Query[tuple[str, Decimal]]
    day_of_candles: Query[TokenDay]


class ClockRepairSql(Statements, file="clock_repair.sql"):
    """The statements that repair what a wrong clock has left behind."""

    present: Query[datetime]
    delete_candles_ahead: Command
    delete_prices_ahead: Command
    date_quotes_back: Command
    delete_marks_ahead: Command
    date_alerts_back: Command
    date_notifications_back: Command
    date_news_back: Command
    delete_analyses_ahead: Command
