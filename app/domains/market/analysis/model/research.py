"""A brief in plain English."""

import msgspec

from app.domains.market.analysis.model import AnalysisType


class ResearchSentence(msgspec.Struct, frozen=True):
    """A statement, and the analyses that it rests on."""

    text: str
    citations: list[AnalysisType]


class ResearchFindings(msgspec.Struct, frozen=True):
    """What the other analyses amount to. `author` is the language model's name; COMPOSED: made of them by rule."""

    author: str
    sentences: list[ResearchSentence]
