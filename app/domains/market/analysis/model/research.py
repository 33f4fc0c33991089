"""A brief in plain English."""

import msgspec

from app.domains.market.analysis.model import AnalysisType


class ResearchSentence(msgspec.Struct, frozen=True):
    """A statement, and the analyses that it is based on."""

    text: str
    citations: list[AnalysisType]


class ResearchFindings(msgspec.Struct, frozen=True):
    """A summary of the other analyses. `author` is the name of the language model; COMPOSED: composed by rule."""

    author: str
    sentences: list[ResearchSentence]
