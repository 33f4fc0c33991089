"""Reading: w1, w2 and w3 of DESIGN section 9, beside stock Strawberry with dataloaders.

One document for all servers; the servers take turns, so that other load on the machine affects all of them.
"""

import json
from contextlib import ExitStack
from statistics import median
from typing import Final

import msgspec
from rich.progress import Progress

from app.dev.embedded import Embedded
from bench.chain import BLOCKS, TRANSACTIONS_PER_BLOCK, WALLETS
from bench.data import TOKENS
from bench.load import Plan, request_bytes
from bench.report import Bar, Report
from bench.servers import Run, Target, moneta, put_load, stock

CONNECTIONS: Final = 16
# Above what w3 weighs; the default limit refuses nothing here unless a condition in the report says so.
COST_LIMIT: Final = 20_000

W1 = """query W1 { token(by: {symbol: "ETH"}) {
  symbol name coingeckoId marketCapRank priceUsd marketCapUsd volume24hUsd changePercentage24h high24hUsd quotedAt
} }"""
W2 = """query W2 { blocks(first: 50) { nodes {
  height hash minedAt difficulty transactionCount minerReward
  miner { walletId owner { displayName } }
} } }"""
W3 = """query W3 { blocks(first: 20) { nodes {
  height hash
  transactions(first: 20) { nodes {
    hash amount fee memo status
    sender { walletId owner { displayName } }
    recipient { walletId }
  } }
} } }"""
WORKLOADS: Final = {"w1": W1, "w2": W2, "w3": W3}
CAPTIONS: Final = {
    "w1": "w1: a token by symbol, 10 fields",
    "w2": "w2: 50 blocks, miner, owner",
    "w3": "w3: 20 x 20 transactions, sender, owner, recipient",
}


class Series(msgspec.Struct, frozen=True):
    """The runs of one workload on one server."""

    workload: str
    server: str
    runs: list[Run]

    @property
    def rates(self) -> list[float]:
        """Requests per second of each run."""
        return [run.outcome.per_second for run in self.runs]

    @property
    def median(self) -> float:
        """Requests per second."""
        return median(self.rates)

    @property
    def cpu_ms(self) -> float:
        """Of the server process, for each request."""
        return median(run.server_cpu_ms for run in self.runs)


def measure(servers: Embedded, database_url: str, seconds: float, rounds: int, progress: Progress) -> Report:
    """Runs every workload on every server, `rounds` times."""
    with ExitStack() as stack:
        targets = [
            stack.enter_context(moneta(database_url, servers.redis_url, {"MONETA_QUERY_COST_LIMIT": str(COST_LIMIT)})),
            stack.enter_context(stock(database_url, caches=False)),
            stack.enter_context(stock(database_url, caches=True)),
        ]
        for query in WORKLOADS.values():
            _check_same(targets, query)
        runs: dict[tuple[str, str], list[Run]] = {}
        task = progress.add_task("Measuring queries", total=len(WORKLOADS) * rounds * len(targets))
        for name, query in WORKLOADS.items():
            request = request_bytes("/graphql", json.dumps({"query": query}).encode())
            for _ in range(rounds):
                for target in targets:
                    progress.update(task, description=f"Measuring {name} on {target.name}")
                    run = put_load(target, _plan(target, request, seconds))
                    runs.setdefault((name, target.name), []).append(run)
                    progress.advance(task)
        names = [target.name for target in targets]
    series = {key: Series(*key, outcomes) for key, outcomes in runs.items()}
    return _report(series, names, seconds, rounds)


def _plan(target: Target, request: bytes, seconds: float) -> Plan:
    return Plan(
        host="127.0.0.1",
        port=target.port,
        connections=CONNECTIONS,
        warmup_s=min(1.0, seconds / 4),
        seconds=seconds,
        requests=[request],
    )


def _check_same(targets: list[Target], query: str) -> None:
    """Checks that all servers return the same: otherwise the figures could not be compared."""
    first, *others = (_comparable(target.ask(query)["data"]) for target in targets)
    for target, other in zip(targets[1:], others, strict=True):
        if other != first:
            raise RuntimeError(f"{target.name} answers {other[:600]}\nbut {targets[0].name} {first[:600]}")


def _comparable(data: object) -> str:
    # Two ways to write UTC, and stock Strawberry writes a zero of eight decimals in exponent form.
    return json.dumps(data).replace("+00:00", "Z").replace('"0E-8"', '"0.00000000"')


def _rate(per_second: float) -> str:
    return f"{per_second:,.0f}" if per_second >= 100 else f"{per_second:.1f}"


def _report(series: dict[tuple[str, str], Series], servers: list[str], seconds: float, rounds: int) -> Report:
    rows = []
    for name in WORKLOADS:
        ours, *others = (series[name, server] for server in servers)
        rows.append(
            [
                CAPTIONS[name],
                *(f"{_rate(one.median)} ({_rate(min(one.rates))}-{_rate(max(one.rates))})" for one in (ours, *others)),
                *(f"{ours.median / other.median:.1f}x" for other in others),
                " / ".join(f"{one.cpu_ms:.2f}" for one in (ours, *others)),
                *(f"{other.cpu_ms / ours.cpu_ms:.1f}x" for other in others),
            ]
        )
    every = [run for one in series.values() for run in one.runs]
    return Report(
        name="queries",
        title="Reads: requests per second",
        unit="requests/s, median and range",
        other_load=[run.other_load for run in every],
        conditions=[
            f"{BLOCKS:,} blocks, {BLOCKS * TRANSACTIONS_PER_BLOCK:,} transactions, {WALLETS:,} wallets, {TOKENS} "
            "tokens; the same Postgres, the same document, the same data in the answer (compared before measuring).",
            f"Median of {rounds} runs of {seconds:g} s and their range; {CONNECTIONS} connections; the runs of the "
            "servers take turns. One server process on core 0, the client on core 1, Postgres where the kernel put it.",
            "Stock: Strawberry's types, DataLoader and ASGI view on asyncpg's defaults (bench/stock.py), without "
            "authentication, limits, row-level security, logs or metrics. `with caches` adds its optional parser and "
            "validation caches. Moneta runs as `python -m app serve` runs, all of these included.",
            f"Query cost limit {COST_LIMIT:,}. The client used at most "
            f"{max(run.outcome.client_cpu for run in every):.0%} of its core.",
        ],
        columns=[
            "requests/s, median (range)",
            *servers,
            *(f"by rate, / {server}" for server in servers[1:]),
            "server CPU ms a request",
            *(f"by CPU, / {server}" for server in servers[1:]),
        ],
        rows=rows,
        bars=[
            Bar(CAPTIONS[name].split(":")[0], server, one.median, min(one.rates), max(one.rates))
            for (name, server), one in series.items()
        ],
        raw=list(series.values()),
    )
