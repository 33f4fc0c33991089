"""What all ten analyses say of themselves."""

from collections.abc import Callable
from datetime import datetime
from enum import Enum
from typing import TypeVar

import strawberry

from app.domains.market.analysis import model

T = TypeVar("T", bound=type)

FINDINGS = "What was found; null where the status is UNAVAILABLE."


@strawberry.enum
class AnalysisType(Enum):
    """What is analysed."""

    MARKET_DATA = strawberry.enum_value("market-data", description="What the token is worth now. Holds for 1 minute.")
    TECHNICAL = strawberry.enum_value("technical", description="Indicators over its candles. Holds for 5 minutes.")
    SENTIMENT = strawberry.enum_value("sentiment", description="How people speak of it. Holds for 5 minutes.")
    NEWS = strawberry.enum_value("news", description="What the press writes of it. Holds for 15 minutes.")
    ON_CHAIN = strawberry.enum_value("on-chain", description="What happens on its chain. Holds for 1 hour.")
    PREDICTIONS = strawberry.enum_value("predictions", description="Where its price may be. Holds for 15 minutes.")
    RISK = strawberry.enum_value("risk", description="What may be lost with it. Holds for 15 minutes.")
    DERIVATIVES = strawberry.enum_value("derivatives", description="Futures on it. Holds for 5 minutes.")
    DEFI = strawberry.enum_value("defi", description="What is locked in its protocol. Holds for 1 hour.")
    RESEARCH = strawberry.enum_value("research", description="What the others amount to. Holds for 1 hour.")


@strawberry.enum
class AnalysisStatus(Enum):
    """Whether an analysis has findings."""

    AVAILABLE = strawberry.enum_value("available", description="It has.")
    UNAVAILABLE = strawberry.enum_value(
        "unavailable", description="It has none, and says why; nothing is invented. It is tried again after 30 seconds."
    )


@strawberry.interface
class Analysis:
    """An analysis of a token. Public; the same for everybody until it expires."""

    symbol: str = strawberry.field(description="The token's symbol.")
    type: AnalysisType = strawberry.field(description="What is analysed.")
    status: AnalysisStatus = strawberry.field(description="Whether there are findings.")
    reason: str | None = strawberry.field(description="Why there are none, in one line; null where there are.")
    quality: int = strawberry.field(
        description="0 to 100: the weighted mean of how complete each input was, times how fresh. An input that is "
        "absent counts as 0; 100: nothing was missing or late. 0 where the status is UNAVAILABLE."
    )
    computed_at: datetime = strawberry.field(description="When it was made.")
    expires_at: datetime = strawberry.field(description="Until when it holds; who asks later gets a new one.")


def analysis_type(kind: model.AnalysisType) -> Callable[[T], T]:
    """Declares the GraphQL type of one of the ten."""

    def declare(cls: T) -> T:
        def is_type_of(_: object, value: object, __: object) -> bool:
            return isinstance(value, model.Analysis) and value.type is kind

        setattr(cls, "is_type_of", classmethod(is_type_of))  # noqa: B010
        return strawberry.type(cls)

    return declare
