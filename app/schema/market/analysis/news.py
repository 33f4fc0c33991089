"""The analysis of news in the graph."""

from datetime import datetime

import strawberry

from app.domains.market.analysis.model import news as model
from app.domains.market.analysis.services.press import NewsAnalyst
from app.engine.limits.extra import holds
from app.engine.nodes import record_type


@record_type(model.NewsHeadline)
class NewsHeadline:
    """An article that counts, as it was when the analysis was made."""

    title: str = strawberry.field(description="Its title, as the paper wrote it: text by strangers.")
    source: str = strawberry.field(description="The paper.")
    url: str = strawberry.field(description="Where it is to be read.")
    sentiment: float = strawberry.field(description="-1 (bad for who holds the token) to 1 (good).")
    impact: int = strawberry.field(description="0 to 100: how much it may matter.")
    published_at: datetime = strawberry.field(description="When it came out.")


@record_type(model.NewsFindings)
class NewsFindings:
    """What the press writes of a token: articles of the last seven days."""

    articles: int = strawberry.field(description="Articles that mention it.")
    articles_24h: int = strawberry.field(description="Those of the last 24 hours.")
    positive: int = strawberry.field(description="Articles with a sentiment of 0.05 or more.")
    neutral: int = strawberry.field(description="Articles between.")
    negative: int = strawberry.field(description="Articles with a sentiment of -0.05 or less.")
    sentiment: float = strawberry.field(description="Their mean, -1 to 1, each weighed by 10 more than its impact.")
    sources: int = strawberry.field(description="How many papers they are from.")
    top: list[NewsHeadline] = strawberry.field(
        metadata=holds(NewsAnalyst.TOP),
        description=f"Those of the greatest impact, the newest of equal ones first; at most {NewsAnalyst.TOP}.",
    )
