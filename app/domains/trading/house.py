"""The house of trading."""

from app.domains.market.house import MARKET
from app.domains.trading.analytics import loaders as analytics_loaders
from app.domains.trading.analytics.jobs import analytics_schedules
from app.domains.trading.journal import loaders as journal_loaders
from app.domains.trading.portfolios import loaders as portfolio_loaders
from app.domains.trading.portfolios.jobs import portfolio_schedules
from app.domains.trading.services import TradingServices
from app.kit.house import House
from app.kit.jobs import Schedule


def _schedules(services: TradingServices) -> list[Schedule]:
    return [*portfolio_schedules(services.values), *analytics_schedules(services.analytics)]


TRADING = House(
    name="trading",
    build=TradingServices.build,
    services=TradingServices,
    knows=(MARKET,),
    loaders=(analytics_loaders, journal_loaders, portfolio_loaders),
    schedules=_schedules,
)
