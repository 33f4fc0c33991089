"""News analysis."""

from datetime import datetime

import strawberry

from app.domains.market.analysis.model import news as model
from app.domains.market.analysis.services.media import NewsAnalyst
from app.engine.declarations.costs import holds
from app.engine.declarations.nodes import record_type


@record_type(model.NewsHeadline)
class NewsHeadline:
    """An article that was analyzed, as it was at that time."""

    title: str = strawberry.field(description="The headline, as published. Untrusted text.")
    source: str = strawberry.field(description="The publisher.")
    url: str = strawberry.field(description="The URL of the article.")
    sentiment: float = strawberry.field(
        name="sentimentScore", description="The sentiment score, from -1 (bad for holders of the token) to 1 (good)."
    )
    impact: int = strawberry.field(description="The importance of the article, 0 to 100.")
    published_at: datetime = strawberry.field(description="When it was published.")


@record_type(model.NewsFindings)
class NewsFindings:
    """News about a token: articles of the last seven days."""

    articles: int = strawberry.field(name="articleCount", description="The number of articles that mention the token.")
    articles_24h: int = strawberry.field(
        name="articleCount24h", description="The number of articles of the last 24 hours."
    )
    positive: int = strawberry.field(description="The number of articles with a sentiment score of 0.05 or more.")
    neutral: int = strawberry.field(description="The number of articles with a sentiment score between -0.05 and 0.05.")
    negative: int = strawberry.field(description="The number of articles with a sentiment score of -0.05 or less.")
    sentiment: float = strawberry.field(
        name="sentimentScore", description="The mean sentiment score, -1 to 1, weighted by impact plus 10."
    )
    sources: int = strawberry.field(name="sourceCount", description="The number of publishers.")
    top: list[NewsHeadline] = strawberry.field(
        metadata=holds(NewsAnalyst.TOP),
        description=f"The articles with the greatest impact; ties newest first. At most {NewsAnalyst.TOP}.",
    )
