"""The schedules of portfolios."""

from app.domains.trading.portfolios.services.values import Values
from app.kit.jobs import Schedule


def portfolio_schedules(values: Values) -> list[Schedule]:
    """What portfolios are worth, at fixed times."""
    return [
        Schedule("portfolio-values", "* * * * *", "Records what portfolios are worth", values.record),
        Schedule("portfolio-summaries", "*/5 * * * *", "Summarises the portfolios of each user", values.summarize),
        Schedule(
            "old-portfolio-values",
            "50 * * * *",
            "Deletes values of minutes after a day, of hours after 31 days",
            values.delete_old,
        ),
    ]
