"""How the sources of the market are doing, for /metrics."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Sequence

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from app.domains.market.sources.model import MarketSource


class SourceMetrics(Collector):
    """The sources as they were at the last refresh. Feeds of one host count as one source."""

    def __init__(self, read: Callable[[], Awaitable[Sequence[MarketSource]]]) -> None:
        self._read = read
        self._sources: Sequence[MarketSource] = ()

    async def refresh(self) -> None:
        """Reads the sources again. Raises Unavailable, and keeps what was read last."""
        self._sources = await self._read()

    def collect(self) -> Iterator[Metric]:
        """Returns the metrics of all sources."""
        labels = ("source", "kind")
        success = GaugeMetricFamily(
            "moneta_source_last_success_timestamp_seconds", "When a source last answered.", labels=labels
        )
        failure = GaugeMetricFamily(
            "moneta_source_last_failure_timestamp_seconds", "When a source last gave no answer.", labels=labels
        )
        accepted = CounterMetricFamily("moneta_source_accepted", "Values that were accepted.", labels=labels)
        ignored = CounterMetricFamily("moneta_source_ignored", "Values that were rejected.", labels=(*labels, "reason"))
        by_name: dict[tuple[str, str], list[MarketSource]] = defaultdict(list)
        for source in self._sources:
            by_name[source.name, source.kind.value].append(source)
        for key, sources in by_name.items():
            for family, times in (
                (success, [source.last_success_at for source in sources]),
                (failure, [source.last_failure_at for source in sources]),
            ):
                if known := [time.timestamp() for time in times if time is not None]:
                    family.add_metric(key, max(known))
            accepted.add_metric(key, sum(source.accepted for source in sources))
            reasons: dict[str, int] = defaultdict(int)
            for source in sources:
                for reason, count in source.ignored.items():
                    reasons[reason] += count
            for reason, count in reasons.items():
                ignored.add_metric((*key, reason), count)
        yield from (success, failure, accepted, ignored)
