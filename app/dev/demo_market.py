"""A market for the demo: prices up to now, news of the last days, watchlists, and alerts that are about to fire."""

from collections.abc import Callable, Mapping
from decimal import Context, Decimal
from typing import Final, NamedTuple

from app.dev.demo_news import drafts
from app.dev.demo_prices import DemoPrices, DemoSize
from app.domains.accounts.model import Viewer
from app.domains.market.alerts.model import (
    Comparison,
    Condition,
    NewAlert,
    NewsImpact,
    PriceAbove,
    PriceBelow,
    Rearm,
    SentimentChange,
    TechnicalIndicator,
    VolumeSpike,
    WhaleTransaction,
)
from app.domains.market.analysis.model.technical import Indicator
from app.domains.market.prices.model import Interval, Quote
from app.domains.market.providers.services.directory import Directory
from app.domains.market.providers.services.simulated import SIMULATED
from app.domains.market.services import MarketServices
from app.domains.market.watchlist.model import WatchlistChanges
from app.kit.clock import Clock
from app.kit.db import Database

SEED: Final = 2026


class Near(NamedTuple):
    """An alert so many per cent above the price, or below it. A busy token moves as far within seconds."""

    symbol: str
    percent: str
    cooldown_s: int | None = None


WATCHED: Final = (
    (("BTC", "The yardstick."), ("ETH", None), ("SOL", "Sell half above 300?"), ("LINK", None), ("DOGE", "For fun.")),
    (("XRP", None), ("BTC", "Long term."), ("ADA", "Wait for the vote."), ("AVAX", None)),
)
NEAR: Final = (
    (
        Near("BTC", "0.02", 60),
        Near("ETH", "-0.02", 60),
        Near("SOL", "0.05"),
        Near("DOGE", "-0.1"),
        Near("LINK", "0.2"),
        Near("AVAX", "-0.4"),
    ),
    (Near("XRP", "0.02", 60), Near("ADA", "-0.02"), Near("AVAX", "0.1"), Near("BTC", "-0.3")),
)


async def load_demo_market(
    market: MarketServices,
    database: Database,
    clock: Clock,
    people: tuple[Viewer, Viewer],
    *,
    size: DemoSize,
    progressed: Callable[[int, int], None],
) -> bool:
    """Loads all of it; False if there are prices already, or a provider reports them: no others are invented.

    The time between two starts remains a gap in the candles; the feed continues from the last price.
    """
    directory = Directory(database)
    if market.providers.prices.name != SIMULATED or await directory.last_quotes(SIMULATED):
        return False
    await market.tokens.ensure()
    await market.news.publish(drafts(clock.now()))
    prices = DemoPrices(database, await directory.listed(), size, seed=SEED, now=clock.now())
    done = 0

    def advance() -> None:
        nonlocal done
        done += 1
        progressed(done, prices.steps)

    quotes = await prices.load(advance)
    for number, person in enumerate(people):
        await _watch(market, person, WATCHED[number])
        await _wait_for(market, person, [_near(near, quotes) for near in NEAR[number]])
    await _wait_for(market, people[0], _of_every_kind(market.alerts.chain_symbol))
    return True


async def _watch(market: MarketServices, viewer: Viewer, watched: tuple[tuple[str, str | None], ...]) -> None:
    items = [await market.watchlist.add(viewer, symbol, notes, f"demo {symbol}") for symbol, notes in watched]
    await market.watchlist.update(viewer, items[0].id, WatchlistChanges(viewed=True))


async def _wait_for(market: MarketServices, viewer: Viewer, alerts: list[NewAlert]) -> None:
    for alert in alerts:
        key = f"demo {alert.condition.__struct_config__.tag} {alert.symbol}"
        await market.alerts.create(viewer, alert, key)


def _near(near: Near, quotes: Mapping[str, Quote]) -> NewAlert:
    percent = Decimal(near.percent)
    price = Context(prec=7).multiply(quotes[near.symbol].price_usd, 1 + percent / 100)
    condition: Condition = PriceAbove(price) if percent > 0 else PriceBelow(price)
    if near.cooldown_s is None:
        return NewAlert(symbol=near.symbol, condition=condition)
    return NewAlert(symbol=near.symbol, condition=condition, rearm=Rearm.AFTER_COOLDOWN, cooldown_s=near.cooldown_s)


def _of_every_kind(chain_symbol: str) -> list[NewAlert]:
    overbought = TechnicalIndicator(Indicator.RSI_14, Interval.ONE_MINUTE, Comparison.ABOVE, Decimal(70))
    return [
        NewAlert(symbol="BTC", condition=overbought, rearm=Rearm.AFTER_COOLDOWN, cooldown_s=600),
        NewAlert(symbol="ETH", condition=VolumeSpike(Decimal(3), 5), rearm=Rearm.AFTER_COOLDOWN, cooldown_s=600),
        NewAlert(symbol="SOL", condition=SentimentChange()),
        NewAlert(symbol="BTC", condition=NewsImpact(60), rearm=Rearm.EVERY_TIME),
        NewAlert(symbol=chain_symbol, condition=WhaleTransaction(Decimal(50)), rearm=Rearm.EVERY_TIME),
    ]
