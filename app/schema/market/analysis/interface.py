"""The interface of the analyses."""

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

import strawberry

from app.domains.market.analysis import model
from app.domains.market.analysis.model import AnalysisStatus, AnalysisType
from app.schema.enums import declare_enum

__all__ = ["FINDINGS", "Analysis", "AnalysisType", "analysis_type"]

T = TypeVar("T", bound=type)

FINDINGS = "The findings. Null if the status is UNAVAILABLE."


declare_enum(
    AnalysisType,
    description="The type of an analysis.",
    MARKET_DATA="The current price of the token. Valid for 1 minute.",
    TECHNICAL="Technical indicators. Valid for 5 minutes.",
    SENTIMENT="What people say about the token. Valid for 5 minutes.",
    NEWS="News about the token. Valid for 15 minutes.",
    ON_CHAIN="Activity on the token's chain. Valid for 1 hour.",
    PREDICTIONS="Price predictions. Valid for 15 minutes.",
    RISK="The risk of holding the token. Valid for 15 minutes.",
    DERIVATIVES="Perpetual futures on the token. Valid for 5 minutes.",
    DEFI="The total value locked in the token's protocol. Valid for 1 hour.",
    RESEARCH="A summary of the other analyses. Valid for 1 hour.",
)
declare_enum(
    AnalysisStatus,
    description="Whether an analysis has findings.",
    AVAILABLE="There are findings.",
    UNAVAILABLE="There are no findings, and `reason` explains why. The analysis is tried again after 30 seconds.",
)


@strawberry.interface
class Analysis:
    """An analysis of a token. Public, and the same for everyone until it expires."""

    symbol: str = strawberry.field(description="The token's symbol.")
    type: AnalysisType = strawberry.field(description="The type of the analysis.")
    status: AnalysisStatus = strawberry.field(description="Whether the analysis has findings.")
    reason: str | None = strawberry.field(
        description="Why there are no findings, in one line. Null if there are findings."
    )
    quality: int = strawberry.field(
        description="The quality of the inputs, 0 to 100: the weighted mean of the completeness of each input"
        " times its freshness. A missing input counts as 0. 100 if nothing was missing or outdated, 0 if the"
        " status is UNAVAILABLE."
    )
    computed_at: datetime = strawberry.field(description="When the analysis was computed.")
    expires_at: datetime = strawberry.field(description="When the analysis expires. After that, a new one is computed.")


def analysis_type(kind: AnalysisType) -> Callable[[T], T]:
    """Declares the GraphQL type of an analysis."""

    def declare(cls: T) -> T:
        def is_type_of(_: object, value: object, __: object) -> bool:
            return isinstance(value, model.Analysis) and value.type is kind

        setattr(cls, "is_type_of", classmethod(is_type_of))  # noqa: B010
        return strawberry.type(cls)

    return declare
