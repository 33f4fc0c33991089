"""The tenth analysis, based on the other nine."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final, TypeAlias

import structlog

from app.domains.market.analysis.model import Analysis, AnalysisStatus, AnalysisType
from app.domains.market.analysis.model.research import ResearchFindings, ResearchSentence
from app.domains.market.analysis.rules.brief import brief
from app.domains.market.analysis.rules.quality import Source
from app.domains.market.analysis.services.analyst import Examination, NotAvailable
from app.domains.market.analysis.services.writer import Writer
from app.kit.errors import Unavailable

COMPOSED: Final = "COMPOSED"
OTHERS: Final = tuple(kind for kind in AnalysisType if kind is not AnalysisType.RESEARCH)

OTHERS_S: Final = 3.0
"""The timeout for the other analyses, so that there is still time for the language model."""

Several: TypeAlias = Callable[[str, Sequence[AnalysisType], float, str], Awaitable[list[Analysis[Any]]]]

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class ResearchAnalyst:
    """A brief by a language model if one is configured and answers; otherwise one that is composed by rule."""

    type: ClassVar = AnalysisType.RESEARCH
    others: Several
    writer: Writer | None
    wait_s: float = field(default_factory=lambda: OTHERS_S)

    async def examine(self, symbol: str) -> Examination:
        """Summarises the other nine analyses."""
        late = f"It was not there within {self.wait_s:g} s."
        found = await self.others(symbol, OTHERS, self.wait_s, late)
        analyses = dict[AnalysisType, Analysis[Any]](zip(OTHERS, found, strict=True))
        available = [kind for kind, each in analyses.items() if each.status is AnalysisStatus.AVAILABLE]
        if not available:
            raise NotAvailable("None of the other analyses is available.")
        sources = tuple(Source(kind, 1.0, each.quality / 100, 0.0, 1, 2) for kind, each in analyses.items())
        written = await self._written(symbol, [analyses[kind] for kind in available])
        is_silent = self.writer is not None and written is None
        return Examination(
            written or ResearchFindings(COMPOSED, brief(symbol, analyses)),
            sources,
            is_provisional=is_silent or any(each.reason == late for each in found),
        )

    async def _written(self, symbol: str, analyses: list[Analysis[Any]]) -> ResearchFindings | None:
        if self.writer is None:
            return None
        about = {"symbol": symbol, "analyses": {each.type: each.findings for each in analyses}}
        try:
            paragraphs = await self.writer.write(about)
        except Unavailable as error:
            log.warning("analysis.writer_failed", symbol=symbol, error=error.message)
            return None
        cited = [each.type for each in analyses]
        return ResearchFindings(self.writer.model, [ResearchSentence(each, cited) for each in paragraphs])
