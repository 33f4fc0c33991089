"""How it goes with the sources of the market, for /metrics."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from app.domains.market.sources.model import MarketSource


class SourceMetrics(Collector):
    """Shows the books of the sources as they were last read; feeds of one host are one."""

    def __init__(self) -> None:
        self.sources: Sequence[MarketSource] = ()

    def collect(self) -> Iterator[Metric]:
        """What they said."""
        labels = ("source", "kind")
        success = GaugeMetricFamily(
            "moneta_source_last_success_timestamp_seconds", "When a source last answered.", labels=labels
        )
        failure = GaugeMetricFamily(
            "moneta_source_last_failure_timestamp_seconds", "When a source last gave no answer.", labels=labels
        )
        accepted = CounterMetricFamily("moneta_source_accepted", "Values that were believed.", labels=labels)
        ignored = CounterMetricFamily("moneta_source_ignored", "Values not believed.", labels=(*labels, "reason"))
        by_name: dict[tuple[str, str], list[MarketSource]] = defaultdict(list)
        for source in self.sources:
            by_name[source.name, source.kind.value].append(source)
        for key, those in by_name.items():
            for family, moments in (
                (success, [source.last_success_at for source in those]),
                (failure, [source.last_failure_at for source in those]),
            ):
                if known := [moment.timestamp() for moment in moments if moment is not None]:
                    family.add_metric(key, max(known))
            accepted.add_metric(key, sum(source.accepted for source in those))
            reasons: dict[str, int] = defaultdict(int)
            for source in those:
                for reason, count in source.ignored.items():
                    reasons[reason] += count
            for reason, count in reasons.items():
                ignored.add_metric((*key, reason), count)
        yield from (success, failure, accepted, ignored)
