"""Research."""

import strawberry

from app.domains.market.analysis.model import research as model
from app.domains.market.analysis.services.writer import MAX_SENTENCES
from app.engine.declarations.costs import holds
from app.engine.declarations.nodes import record_type
from app.schema.market.analysis.interface import AnalysisType


@record_type(model.ResearchSentence)
class ResearchSentence:
    """A statement, and the analyses that support it."""

    text: str = strawberry.field(
        description="Plain text, not markup. It may quote headlines, and may be written by a language model."
    )
    citations: list[AnalysisType] = strawberry.field(
        metadata=holds(len(AnalysisType)), description="The analyses that support it, at least one."
    )


@record_type(model.ResearchFindings)
class ResearchFindings:
    """A brief summary of the other nine analyses. Not financial advice."""

    author: str = strawberry.field(
        description="The language model that wrote the summary, or COMPOSED if it was composed by a rule. At"
        " most 4,000 characters."
    )
    sentences: list[ResearchSentence] = strawberry.field(
        metadata=holds(MAX_SENTENCES), description=f"The sentences in order. At most {MAX_SENTENCES}."
    )
