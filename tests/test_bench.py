"""What the benchmarks ask is valid where they ask it: of Moneta's graph, and of the servers beside it."""

from typing import Final

import pytest
import strawberry
from graphql import GraphQLSchema, parse, validate

from app.main import build_graph
from bench import feed, login, queries, stock, transfers
from bench.fanout import private, runs
from bench.fanout import stock as fanout_stock
from bench.trading import delays, placing

MONETA: Final = build_graph()._schema
STOCK: Final = strawberry.Schema(query=stock.Query)._schema
STOCK_FANOUT: Final = strawberry.Schema(query=fanout_stock.Query, subscription=fanout_stock.Subscription)._schema

ASKED: Final = {
    **{f"{name} of {of}": (document, schema) for name, document in queries.WORKLOADS.items() for of, schema in [
        ("Moneta", MONETA), ("stock", STOCK)]},
    "ticks": (feed.TICKS, MONETA),
    "candle ticks": (feed.FORMING, MONETA),
    "candles": (feed.CHART, MONETA),
    "log-in": (login.MUTATION, MONETA),
    "transfers": (transfers.MUTATION, MONETA),
    "orders": (placing.MUTATION, MONETA),
    "fills": (delays.FILLS, MONETA),
    "private events": (private.DOCUMENT, MONETA),
    "blocks": (runs.DOCUMENT, MONETA),
    "blocks of the peers": (runs.PEER_DOCUMENT, STOCK_FANOUT),
}  # fmt: skip


@pytest.mark.parametrize("name", ASKED)
def test_what_is_measured_is_answered(name: str) -> None:
    document, schema = ASKED[name]
    assert isinstance(schema, GraphQLSchema)
    assert validate(schema, parse(document)) == []
