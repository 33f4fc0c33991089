"""What the press of the world has written, by how many hours ago."""

from datetime import datetime, timedelta

from app.domains.market.news.model import ArticleDraft

_WRITTEN = (
    (1, "Daily Ledger", "Bitcoin surges past $90,000 as ETF inflows hit a record", "Ether follows. Miners are happy."),
    (2, "Chain Courier", "Bridge exploit drains $100M from Solana protocol", "Hackers moved the funds within minutes."),
    (3, "Daily Ledger", "Ethereum developers set date for next testnet fork", None),
    (5, "Chain Courier", "SEC delays decision on spot Litecoin ETF", "A ruling is due in January."),
    (8, "Daily Ledger", "What is a rug pull? A beginner's guide", "<p>How to <b>spot</b> one &amp; stay away.</p>"),
    (30, "Chain Courier", "Bitcoin miners capitulate as revenue hits record low", None),
    (200, "Daily Ledger", "Countdown to the Bitcoin halving begins", None),
)


def articles(now: datetime) -> list[ArticleDraft]:
    """The articles as their papers would send them."""
    return [
        ArticleDraft(
            url=f"https://{source.split()[0].lower()}.example/{hours}?utm_source=feed",
            title=title,
            source=source,
            summary=summary,
            content=None if summary is None else f"<p>{title}.</p><p>{summary}</p>",
            author="Ann Reporter" if source == "Daily Ledger" else None,
            published_at=now - timedelta(hours=hours),
        )
        for hours, source, title, summary in _WRITTEN
    ]
