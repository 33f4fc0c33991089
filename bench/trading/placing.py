"""Orders placed through GraphQL, with a worker that matches them and without."""

import asyncio
import json
from collections.abc import Iterator
from itertools import islice
from typing import Final

from rich.progress import Progress

from app.engine.declarations.nodes import global_id
from bench.load import Plan, request_bytes
from bench.servers import Run, Target, moneta, put_load
from bench.trading.figures import Figure, Found
from bench.trading.stage import Stage, Trader

CONNECTIONS: Final = 16
TARGET_PER_S: Final = 300
WARMUP_S: Final = 1.0
DOLLARS: Final = 5
TRADED: Final = ("BTC", "ETH", "SOL", "XRP", "ADA", "DOGE", "LINK", "LTC", "DOT", "AVAX")
_RATE_PROVIDED_FOR: Final = 1200

MUTATION: Final = """mutation Place($input: PlaceOrderInput!) { placeOrder(input: $input) {
  __typename
  ... on PlaceOrderPayload { order { id status } }
  ... on Problem { message }
} }"""


def measure(stage: Stage, seconds: float, rounds: int, progress: Progress) -> Found:
    """Places orders as fast as the server takes them on, in turns with a worker and without."""
    alone, matched = list[Run](), list[Run]()
    task = progress.add_task("Placing orders", total=2 * rounds)
    with moneta(stage.database_url, stage.redis_url, {}) as api:
        for number in range(rounds):
            asyncio.run(stage.renew_quotes())
            alone.append(_run(stage, api, seconds, f"alone {number}"))
            progress.advance(task)
            with stage.worker():
                matched.append(_run(stage, api, seconds, f"matched {number}"))
                asyncio.run(stage.caught_up())
            progress.advance(task)
    figures = []
    for name, runs, bar in (
        ("no worker", alone, "placed alone"),
        ("a worker matches meanwhile", matched, "placed and matched"),
    ):
        outcomes = [run.outcome for run in runs]
        rates = [outcome.per_second for outcome in outcomes]
        figures += [
            Figure(f"placed and durable; {name}", rates, "{:,.0f}/s", f"{TARGET_PER_S}/s", bar=bar),
            Figure(f"the same: p50 of a request; {name}", [each.p50_ms for each in outcomes], "{:.0f} ms"),
            Figure(f"the same: p99 of a request; {name}", [each.p99_ms for each in outcomes], "{:.0f} ms"),
            Figure(f"the same: API's CPU per request; {name}", [run.server_cpu_ms for run in runs], "{:.2f} ms"),
        ]
    client = max(run.outcome.client_cpu for run in (*alone, *matched))
    warned = any(run.outcome.exhausted for run in (*alone, *matched))
    return Found(
        figures,
        [run.other_load for run in (*alone, *matched)],
        [
            f"Placed: each order is one HTTP request with a bearer token and an idempotency key, on disk "
            f"(synchronous_commit) before the answer. Half are market orders that the house fills, half limit orders "
            f"that rest, of {DOLLARS} dollars each, in {len(TRADED)} tokens; {len(stage.traders)} portfolios of as many "
            f"users take turns over {CONNECTIONS} connections. Runs of {seconds:g} s, in turns with a worker and "
            "without.",
            "One API process on core 0; the client and the worker share core 1, Postgres is where the kernel put it. "
            f"The client used at most {client:.0%} of its core.",
            *(["The requests ran out before the time did."] if warned else []),
        ],
    )


def _run(stage: Stage, api: Target, seconds: float, name: str) -> Run:
    count = int(_RATE_PROVIDED_FOR * (seconds + WARMUP_S))
    return put_load(
        api,
        Plan(
            host="127.0.0.1",
            port=api.port,
            connections=CONNECTIONS,
            warmup_s=WARMUP_S,
            seconds=seconds,
            requests=list(islice(requests(stage, name), count)),
            once=True,
            expect=b'"PlaceOrderPayload"',
        ),
    )


def requests(stage: Stage, name: str, *, rest: bool = True) -> Iterator[bytes]:
    """Orders without end, of one trader after the other. `rest`: every other one rests in the book."""
    symbols = [each for each in TRADED if each in stage.prices]
    place = 0
    while True:
        trader = stage.traders[place % len(stage.traders)]
        symbol = symbols[place % len(symbols)]
        # The turns of traders and of kinds are out of step: each trader has both.
        resting = rest and (place + place // len(stage.traders)) % 2 == 1
        yield request(trader, symbol, stage.prices[symbol] * 0.9 if resting else None, f"{name} {place}")
        place += 1


def request(trader: Trader, symbol: str, limit: float | None, key: str) -> bytes:
    """An order to buy for a few dollars: a limit order, or a market order."""
    if limit is None:
        terms: dict[str, dict[str, str]] = {"market": {"quoteAmountUsd": str(DOLLARS)}}
    else:
        terms = {"limit": {"quantity": f"{DOLLARS / limit:.8f}", "priceUsd": f"{float(f'{limit:.4g}'):.12f}"}}
    order = {"symbol": symbol, "side": "BUY", "type": terms}
    given = {"portfolioId": global_id("Portfolio", trader.portfolio_id), "order": order, "idempotencyKey": key}
    body = json.dumps({"query": MUTATION, "variables": {"input": given}}).encode()
    return request_bytes("/graphql", body, {"Authorization": f"Bearer {trader.token}"})


