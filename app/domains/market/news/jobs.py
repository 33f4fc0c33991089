"""The schedules of news."""

from app.domains.market.news.services.feeds import Feeds
from app.domains.market.news.services.news import News
from app.kit.jobs import Schedule


def news_schedules(feeds: Feeds, news: News) -> list[Schedule]:
    """The schedules that read feeds and delete old articles."""
    return [
        Schedule("news", "*/5 * * * *", "Reads the news feeds", feeds.poll),
        Schedule("old-news", "50 2 * * *", "Deletes news after a year", news.delete_old),
    ]
