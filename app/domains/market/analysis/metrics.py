"""How many analyses were asked for and computed, for /metrics."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from app.domains.market.analysis.services.analyses import Analyses


class AnalysisMetrics(Collector):
    """The counters of a process's analyses."""

    def __init__(self, analyses: Analyses) -> None:
        self._analyses = analyses

    def collect(self) -> Iterator[Metric]:
        """Returns the metrics of all analyses."""
        yield CounterMetricFamily("moneta_analyses_asked", "Analyses asked for.", value=self._analyses.asked)
        yield CounterMetricFamily(
            "moneta_analyses_made", "Analyses made, not found in a cache.", value=self._analyses.made
        )
