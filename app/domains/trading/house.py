"""The house of trading."""

from app.domains.market.house import MARKET
from app.domains.trading.journal import loaders as journal_loaders
from app.domains.trading.performance import loaders as performance_loaders
from app.domains.trading.performance.jobs import performance_schedules
from app.domains.trading.portfolios import loaders as portfolio_loaders
from app.domains.trading.portfolios.jobs import portfolio_schedules
from app.domains.trading.services import TradingServices
from app.kit.house import House
from app.kit.jobs import Schedule


def _schedules(services: TradingServices) -> list[Schedule]:
    return [*portfolio_schedules(services.values), *performance_schedules(services.performance)]


TRADING = House(
    name="trading",
    build=TradingServices.build,
    services=TradingServices,
    knows=(MARKET,),
    loaders=(journal_loaders, portfolio_loaders, performance_loaders),
    schedules=_schedules,
)
