"""The jobs and schedules of alerts."""

from app.domains.market.alerts.services.matcher import BACKLOG_JOB, AlertMatcher
from app.domains.market.alerts.services.news_alerts import NewsAlerts
from app.domains.market.alerts.services.payment_alerts import PaymentAlerts
from app.domains.market.alerts.services.sentiment_alerts import SentimentAlerts
from app.domains.market.news.services.news import ALERTS_JOB
from app.kit.jobs import Job, Schedule


def alert_jobs(matcher: AlertMatcher, news_alerts: NewsAlerts) -> list[Job]:
    """The jobs of the backlog and of new articles."""
    return [Job(BACKLOG_JOB, matcher.work_off), Job(ALERTS_JOB, news_alerts.evaluate)]


def alert_schedules(sentiment_alerts: SentimentAlerts, payment_alerts: PaymentAlerts) -> list[Schedule]:
    """The schedules that evaluate alerts."""
    return [
        Schedule(
            "alerts-sentiment", "*/5 * * * *", "Evaluates alerts on the sentiment of tokens", sentiment_alerts.evaluate
        ),
        Schedule("alerts-whales", "* * * * *", "Evaluates alerts on large payments", payment_alerts.evaluate),
    ]
