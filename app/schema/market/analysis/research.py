"""The research in the graph."""

import strawberry

from app.domains.market.analysis.model import research as model
from app.domains.market.analysis.services.writer import MAX_SENTENCES
from app.engine.limits.extra import holds
from app.engine.nodes import record_type
from app.schema.market.analysis.interface import AnalysisType


@record_type(model.ResearchSentence)
class ResearchSentence:
    """A statement, and what it rests on."""

    text: str = strawberry.field(
        description="Plain text, never markup; it may quote headlines, and a language model may have written it."
    )
    citations: list[AnalysisType] = strawberry.field(
        metadata=holds(len(AnalysisType)), description="The analyses that it rests on, at least one."
    )


@record_type(model.ResearchFindings)
class ResearchFindings:
    """A brief on what the other nine analyses amount to. No advice."""

    author: str = strawberry.field(
        description="The language model that wrote it, at most 4,000 characters; COMPOSED: made by our own rule."
    )
    sentences: list[ResearchSentence] = strawberry.field(
        metadata=holds(MAX_SENTENCES), description=f"In order; at most {MAX_SENTENCES}."
    )
