"""The services of trading."""

from dataclasses import dataclass
from typing import Self

from app.domains.trading.performance.services import PerformanceMeter
from app.domains.trading.portfolios.services.books import Books
from app.domains.trading.portfolios.services.portfolios import Portfolios
from app.domains.trading.portfolios.services.values import Values
from app.kit.house import Wiring


@dataclass(frozen=True)
class TradingServices:
    """Every service of trading."""

    portfolios: Portfolios
    values: Values
    books: Books
    performance: PerformanceMeter

    @classmethod
    def build(cls, wiring: Wiring) -> Self:
        """Wires them."""
        resources = wiring.resources
        database, clock = resources.database, resources.clock
        return cls(
            portfolios=Portfolios(database, clock, resources.settings.portfolio_limit),
            values=Values(database, clock),
            books=Books(database),
            performance=PerformanceMeter(database, clock),
        )
