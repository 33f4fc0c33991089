"""News: no search fails, and pages of all sizes take the same number of statements."""

from typing import Any

import pytest

from app.domains.market.news.model import ArticleDraft
from app.domains.market.services import MarketServices
from app.engine.declarations.nodes import global_id
from app.kit.house import Services
from tests.conftest import Execute
from tests.databases import Owner
from tests.domains.market.token_listing import list_tokens

NAMES = {"BTC": ("bitcoin", "Bitcoin"), "ETH": ("ethereum", "Ethereum"), "SOL": ("solana", "Solana")}
SEARCH = "query ($search: String) { news(search: $search, first: 5) { nodes { title } totalCount { value } } }"
PAGE = """query ($first: Int!, $filter: NewsArticleFilter) {
  news(first: $first, filter: $filter) {
    nodes { title content sentiment tokens { symbol news(first: 2) { nodes { title } } } }
    totalCount { value }
  }
}"""


async def publish(services: Services, *titles: str, **changes: Any) -> list[str]:
    drafts = [
        ArticleDraft(url=f"https://paper.example/{n}", title=title, source=f"Paper {n % 3}", **changes)
        for n, title in enumerate(titles)
    ]
    ingested = await services[MarketServices].news.publish(drafts)
    assert ingested.published == len(drafts)
    return [global_id("NewsArticle", id) for id in ingested.ids]


@pytest.mark.parametrize(
    "search",
    [
        "'",
        '"',
        '""',
        '"unfinished phrase',
        "--",
        "- - -",
        "or",
        "or or or",
        "a or",
        "-",
        "!bitcoin",
        "bitcoin & | ! ( ) : * <-> <2>",
        "bitcoin:*",
        "\\",
        "%_",
        "'; DROP TABLE news_articles; --",
        "\t\n\r",
        "\u202e\ufeff\u200b",
        "\U0001f680" * 200,
        "a" * 200,
        "- " * 100,
        '"' * 200,
        "(" * 200,
        "x or " * 40,
        "https://paper.example/a?b=c&d[]=e",
        "ß \u0131 \u0130 \ufb01",
    ],
)
async def test_no_search_fails(execute: Execute, services: Services, search: str) -> None:
    await publish(services, "Bitcoin surges")
    response = await execute(SEARCH, {"search": search})
    assert response.errors == []
    assert response.data is not None


async def test_a_page_takes_the_same_statements_whatever_its_size(
    execute: Execute, services: Services, owner: Owner
) -> None:
    await list_tokens(owner, NAMES)
    names = [name for _, name in NAMES.values()]
    await publish(services, *(f"{names[n % 3]} and {names[n % 2]} rise" for n in range(60)), content="Said.")
    for filter in (None, {"symbols": ["BTC", "ETH", "SOL"]}, {"sources": ["Paper 0", "Paper 1", "Paper 2"]}):
        small = await execute(PAGE, {"first": 1, "filter": filter})
        large = await execute(PAGE, {"first": 50, "filter": filter})
        assert small.errors == large.errors == []
        assert small.statements == large.statements == 5, "page, count, contents, tokens, news of tokens"
        assert large.data is not None
        nodes = large.data["news"]["nodes"]
        assert len(nodes) == len({node["title"] + str(n) for n, node in enumerate(nodes)}) == 50
        assert {node["content"] for node in nodes} == {"Said."}
        assert large.data["news"]["totalCount"] == {"value": 60}


async def test_pages_have_no_gaps_and_no_repeats(execute: Execute, services: Services, owner: Owner) -> None:
    """All have the same time, so that they are sorted by id only."""
    await list_tokens(owner, NAMES)
    await publish(services, *(f"Bitcoin {n}" for n in range(25)))
    query = """query ($after: Cursor, $search: String, $filter: NewsArticleFilter) {
      news(first: 7, after: $after, search: $search, filter: $filter) {
        nodes { title } pageInfo { hasNextPage endCursor }
      }
    }"""
    for variables in (
        {},
        {"search": "bitcoin"},
        {"filter": {"symbols": ["BTC", "ETH"]}},
        {"filter": {"sources": ["Paper 0", "Paper 1", "Paper 2", "Paper 0"]}},
    ):
        seen: list[str] = []
        after: str | None = None
        while True:
            response = await execute(query, {**variables, "after": after})
            assert response.data is not None
            news = response.data["news"]
            seen += [node["title"] for node in news["nodes"]]
            if not news["pageInfo"]["hasNextPage"]:
                break
            after = news["pageInfo"]["endCursor"]
        assert sorted(seen) == sorted(f"Bitcoin {n}" for n in range(25)), variables


async def test_an_article_is_found_by_its_global_id(execute: Execute, services: Services) -> None:
    (id,) = await publish(services, "Bitcoin surges", summary="A &lt;script&gt; is text")
    response = await execute("query ($id: ID!) { node(id: $id) { ... on NewsArticle { title summary } } }", {"id": id})
    assert response.data == {"node": {"title": "Bitcoin surges", "summary": "A <script> is text"}}


@pytest.mark.parametrize(
    ("score", "sentiment"),
    [("1", "POSITIVE"), ("0.05", "POSITIVE"), ("0.04", "NEUTRAL"), ("-0.04", "NEUTRAL"), ("-0.05", "NEGATIVE")],
)
async def test_the_filter_and_the_field_agree_on_sentiment(
    execute: Execute, services: Services, owner: Owner, score: str, sentiment: str
) -> None:
    await publish(services, "Something")
    await owner.execute("UPDATE news_articles SET sentiment_score = $1::text::numeric", score)
    query = "query ($filter: NewsArticleFilter) { news(filter: $filter) { nodes { sentiment } } }"
    for wanted in ("POSITIVE", "NEUTRAL", "NEGATIVE"):
        response = await execute(query, {"filter": {"sentiment": wanted}})
        found = [{"sentiment": sentiment}] if wanted == sentiment else []
        assert response.data == {"news": {"nodes": found}}


async def test_the_cost_of_contents(execute: Execute) -> None:
    query = "query ($first: Int!) { news(first: $first) { nodes { content } } }"
    page = await execute(query, {"first": 100})
    assert page.errors == []
    assert page.extensions["cost"]["requested"] == 1 + 1 + 100 * 151
    two = "{ a: news(first: 100) { nodes { content } } b: news(first: 100) { nodes { content } } }"
    assert (await execute(two)).codes == ["COST_EXCEEDED"]
