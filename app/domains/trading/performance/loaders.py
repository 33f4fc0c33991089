"""The loader of performance, which only the owner of the portfolio can read."""

from app.domains.trading.performance.statements import PerformanceSql
from app.kit.lists import at_least, before, by
from app.kit.loaders import Audience, page

performance_by_portfolio = page(
    PerformanceSql.performance_by_portfolio,
    orders={"PERIOD_START": by("period_start", descending=True)},
    filters={"since": at_least("period_start"), "until": before("period_start")},
    audience=Audience.VIEWER,
)
