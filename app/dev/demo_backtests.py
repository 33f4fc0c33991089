"""A back-test for the demo: a bot over the history of the demo market, computed as it is loaded."""

from decimal import Decimal
from typing import Final

from app.domains.accounts.model import Viewer
from app.domains.market.prices.model import Interval
from app.domains.market.tokens.model import TokenNotFound
from app.domains.trading.backtests.model import Asked, CandlesMissing
from app.domains.trading.backtests.model.reports import BotTerms
from app.domains.trading.services import TradingServices
from app.domains.trading.strategies.model import Breakout
from app.kit.errors import IdempotencyKeyReused, ResultDeleted

KEY: Final = "demo back-test"
ASKED: Final = Asked(
    bot=BotTerms(
        symbol="BTC",
        config=Breakout(entry_period=20, exit_period=10),
        stop_loss_percentage=Decimal(3),
        take_profit_percentage=Decimal(6),
    ),
    interval=Interval.ONE_HOUR,
    initial_cash_usd=Decimal(10_000),
)


async def load_demo_backtest(trading: TradingServices, person: Viewer) -> bool:
    """Loads it; False if it was loaded before and removed since, or if the market has no candles."""
    try:
        id = await trading.backtests.run(person, ASKED, KEY)
    except (TokenNotFound, CandlesMissing, ResultDeleted, IdempotencyKeyReused):
        return False
    # Not left to a worker: the demo begins with it. The job that waits for one finds it done.
    await trading.backtest_runner.run({"id": str(id)})
    return True
