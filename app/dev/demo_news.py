"""Articles of a fictional newspaper from the last days. None of it has happened."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec

from app.domains.market.news.model import ArticleDraft

SOURCE: Final = "Moneta Demo Wire"
_STORIES: Final = Path(__file__).with_name("demo_news.json")
_ADDRESS: Final = "https://news.moneta.example"
_AUTHORS: Final = ("Ines Okafor", "Tomás Lindqvist", "Priya Raman", "Wire desk")


class Story(msgspec.Struct, frozen=True):
    """An article, so many hours old."""

    age_h: float
    title: str
    summary: str


def drafts(now: datetime) -> list[ArticleDraft]:
    """All articles, dated up to now."""
    stories = msgspec.json.decode(_STORIES.read_bytes(), type=list[Story])
    return [
        ArticleDraft(
            url=f"{_ADDRESS}/{number:02}-{_slug(story.title)}",
            title=story.title,
            source=SOURCE,
            summary=story.summary,
            author=_AUTHORS[number % len(_AUTHORS)],
            published_at=now - timedelta(hours=story.age_h),
        )
        for number, story in enumerate(stories, start=1)
    ]


def _slug(title: str) -> str:
    words = "".join(character if character.isalnum() else " " for character in title.lower())
    return "-".join(words.split()[:8])
