"""What /metrics shows. One registry for each application, so that several can live in one process."""

from collections.abc import Callable, Iterator
from itertools import accumulate
from typing import Final, NamedTuple

from graphql import OperationType
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from app.engine.execution.operations import ExecutionPath, Prepared, Response
from app.engine.streams.model import EndReason, Transport
from app.engine.streams.subscriptions import Subscriptions
from app.kit.admission import WAIT_BUCKETS_S, Admission
from app.kit.database_clock import DatabaseClock
from app.kit.db import Database
from app.kit.errors import Code
from app.kit.hub import Hub

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15)
_STATEMENTS = (0, 1, 2, 3, 5, 8, 13, 21, 34, 55, 100)
_COSTS = (1, 10, 30, 100, 300, 1_000, 3_000, 10_000, 20_000)


class Metrics:
    """Counters of operations over all transports, and gauges of what is open."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        labels = ("type",)
        kinds = [kind.value for kind in OperationType]
        self._operations = Counter(
            "moneta_operations_total", "Operations by type and outcome.", ("type", "outcome"), registry=self.registry
        )
        seconds = Histogram(
            "moneta_operation_seconds", "Time to execute.", labels, buckets=_SECONDS, registry=self.registry
        )
        statements = Histogram(
            "moneta_operation_statements", "SQL statements.", labels, buckets=_STATEMENTS, registry=self.registry
        )
        cost = Histogram(
            "moneta_operation_cost", "Cost by the formula.", labels, buckets=_COSTS, registry=self.registry
        )
        self._histograms = {kind: [each.labels(kind) for each in (seconds, statements, cost)] for kind in kinds}
        self.in_flight = Gauge(
            "moneta_http_requests_in_flight", "HTTP requests being answered.", registry=self.registry
        )
        self._refused_sockets = Counter(
            "moneta_websockets_refused_total", "WebSockets turned away.", ("reason",), registry=self.registry
        )

    def watch(self, database: Database, hub: Hub, subscriptions: Subscriptions) -> None:
        """Adds the metrics that are read at each scrape."""
        admission = database.admission
        self.registry.register(StreamMetrics(subscriptions))
        self.registry.register(
            AdmissionMetrics(
                admission,
                AdmissionNames(
                    wait="moneta_database_pool_wait_seconds",
                    waited="How long a read or a write waited for a connection.",
                    refused="moneta_database_refused",
                    refusals="Reads and writes refused: too many waited.",
                ),
            )
        )
        for name, description, read in (
            ("moneta_database_connections", "Connections of the pool.", database.pool.get_size),
            (
                "moneta_database_connections_used",
                "Connections of the pool at work.",
                lambda: database.pool.get_size() - database.pool.get_idle_size(),
            ),
            ("moneta_database_waiting", "Reads and writes that wait for a connection.", lambda: admission.waiting),
            ("moneta_hub_listeners", "Listeners of the hub.", lambda: hub.listening),
        ):
            Gauge(name, description, registry=self.registry).set_function(read)

    def watch_sockets(self, count: Callable[[], int]) -> None:
        """Adds the number of open sockets."""
        Gauge("moneta_websockets", "Open WebSockets.", registry=self.registry).set_function(count)

    def watch_clock(self, clock: DatabaseClock) -> None:
        """Adds how wrong the machine's clock is."""
        Gauge(
            "moneta_clock_ahead_seconds",
            "By how much the machine's clock is ahead of the database's, which counts; negative: behind.",
            registry=self.registry,
        ).set_function(lambda: clock.ahead_s)

    def watch_analyses(self, asked: Callable[[], int], made: Callable[[], int]) -> None:
        """Adds how many analyses were asked for, and how many of them had to be made: the rest were cached."""
        self.registry.register(CountMetrics("moneta_analyses_asked", "Analyses asked for.", asked))
        self.registry.register(CountMetrics("moneta_analyses_made", "Analyses made, not found in a cache.", made))

    def watch_checks(self, turns: Admission) -> None:
        """Adds how the line of large requests is that wait to be checked."""
        self.registry.register(
            AdmissionMetrics(
                turns,
                AdmissionNames(
                    wait="moneta_check_wait_seconds",
                    waited="How long a large request waited to be checked.",
                    refused="moneta_checks_refused",
                    refusals="Large requests refused: too many waited.",
                ),
            )
        )
        Gauge("moneta_checks_waiting", "Large requests that wait to be checked.", registry=self.registry).set_function(
            lambda: turns.waiting
        )

    def watch_paths(self, count: Callable[[ExecutionPath], int]) -> None:
        """Adds how many queries and events each execution path has: those that fall back are executed twice."""
        self.registry.register(PathMetrics(count))

    def socket_refused(self, reason: str) -> None:
        """Counts a socket that was turned away because there were too many, or came too fast."""
        self._refused_sockets.labels(reason).inc()

    def executed(self, prepared: Prepared, response: Response, seconds: float) -> None:
        """Counts a query or a mutation."""
        kind = prepared.kind.value
        self._operations.labels(kind, outcome(response.codes)).inc()
        for histogram, value in zip(self._histograms[kind], (seconds, response.statements, prepared.cost), strict=True):
            histogram.observe(value)

    def refused(self) -> None:
        """Counts a request that was not executed."""
        self._operations.labels("none", "refused").inc()

    def render(self) -> bytes:
        """The text format."""
        return generate_latest(self.registry)


class CountMetrics(Collector):
    """Reads one count that somebody keeps."""

    def __init__(self, name: str, description: str, count: Callable[[], int]) -> None:
        self._name = name
        self._description = description
        self._count = count

    def collect(self) -> Iterator[Metric]:
        """What it says now."""
        yield CounterMetricFamily(self._name, self._description, value=self._count())


class AdmissionNames(NamedTuple):
    """What the metrics of an admission are called, and what they say."""

    wait: str
    waited: str
    refused: str
    refusals: str


class AdmissionMetrics(Collector):
    """Reads how long was waited for something, and how often in vain."""

    def __init__(self, admission: Admission, names: AdmissionNames) -> None:
        self._admission = admission
        self._names = names

    def collect(self) -> Iterator[Metric]:
        """What it says now."""
        admission, names = self._admission, self._names
        bounds = [*map(str, WAIT_BUCKETS_S), "+Inf"]
        yield HistogramMetricFamily(
            names.wait,
            names.waited,
            buckets=list(zip(bounds, accumulate(admission.waits), strict=True)),
            sum_value=admission.waited_s,
        )
        yield CounterMetricFamily(names.refused, names.refusals, value=admission.refused)


class PathMetrics(Collector):
    """Reads the engine's counts of execution paths."""

    def __init__(self, count: Callable[[ExecutionPath], int]) -> None:
        self._count = count

    def collect(self) -> Iterator[Metric]:
        """What it says now."""
        family = CounterMetricFamily(
            "moneta_execution_paths", "Queries and events by how they were executed.", labels=("path",)
        )
        for path in ExecutionPath:
            family.add_metric((path.value,), self._count(path))
        yield family


class StreamMetrics(Collector):
    """Reads the counters of the subscriptions, which cost nothing but an addition to count."""

    def __init__(self, subscriptions: Subscriptions) -> None:
        self._subscriptions = subscriptions

    def collect(self) -> Iterator[Metric]:
        """What they say now."""
        subscriptions, counters = self._subscriptions, self._subscriptions.counters
        opened = GaugeMetricFamily("moneta_subscriptions", "Open subscriptions.", labels=("transport",))
        for transport in Transport:
            opened.add_metric((transport.value.lower(),), subscriptions.open_over(transport))
        yield opened
        for name, description, level in (
            ("groups", "Groups of equal subscriptions: each event is executed once in each.", subscriptions.groups),
            ("lag", "Events that the slowest subscriber has not been given yet.", subscriptions.lag),
        ):
            yield GaugeMetricFamily(f"moneta_subscription_{name}", description, value=level)
        for name, description, total in (
            ("executions", "Events executed, each once for a whole group.", counters.executions),
            ("deliveries", "Events handed to subscribers.", counters.deliveries),
            ("replays", "Times that a subscriber was brought up to where its group was.", counters.replays),
            ("resyncs", "Streams that could not be continued.", counters.resyncs),
            ("refusals", "Subscriptions refused because those open already cost too much together.", counters.refusals),
            ("evictions", "Connections closed because their clients did not read.", counters.evictions),
        ):
            yield CounterMetricFamily(f"moneta_subscription_{name}", description, value=total)
        ends = CounterMetricFamily(
            "moneta_subscription_ends",
            "Subscriptions that ended, or were refused at their start, by reason: see the table in README.md.",
            labels=("reason", "transport"),
        )
        for transport in Transport:
            for reason in EndReason:
                ends.add_metric((reason.value.lower(), transport.value.lower()), counters.ends[transport, reason])
        yield ends


def outcome(codes: list[str]) -> str:
    """`ok`; `failed` when it is our fault; else `problem`, a failure that the client could expect."""
    if not codes:
        return "ok"
    return "failed" if {Code.INTERNAL, Code.MAINTENANCE} & set(codes) else "problem"
